// @ts-check
/** The list of keys, in a dialog of the browser: it keeps the focus, and Escape closes it. */

import { KEYS } from "./keys.js";

/** The dialog of one page. */
export class Help {
  #dialog;

  /**
   * @param {{ help: HTMLDialogElement, keys: HTMLElement, closeHelp: HTMLButtonElement }} parts
   */
  constructor({ help, keys, closeHelp }) {
    this.#dialog = help;
    for (const { shown, does } of KEYS) {
      const term = document.createElement("dt");
      term.textContent = shown;
      const meaning = document.createElement("dd");
      meaning.textContent = does;
      keys.append(term, meaning);
    }
    closeHelp.addEventListener("click", () => help.close());
    // A click beside it.
    help.addEventListener("click", (event) => {
      if (event.target === help) help.close();
    });
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** Opens it, or closes it. */
  toggle() {
    if (this.#dialog.open) this.#dialog.close();
    else this.#dialog.showModal();
  }
}
