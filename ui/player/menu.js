// @ts-check
/** The settings: stream, quality, sound, subtitles, and in small letters what plays and how late it is. */

import { pathOfName, shownName } from "../shared/names.js";
import { clockTime, formatDelay } from "./position.js";

/**
 * @typedef {import("./engines.js").Choice} Choice
 * @typedef {import("./playback.js").Playback} Playback
 * @typedef {Playback["view"]} View
 */

/**
 * @typedef {object} MenuParts
 * @property {HTMLElement} menu
 * @property {HTMLButtonElement} settings
 * @property {HTMLSelectElement} stream
 * @property {HTMLSelectElement} quality
 * @property {HTMLSelectElement} sound
 * @property {HTMLSelectElement} subtitles
 * @property {HTMLElement} playingBy
 */

/**
 * @typedef {object} MenuOptions
 * @property {string} name
 * @property {{ streams: readonly string[], localTime: boolean }} options
 * @property {() => { title: string } | null} protocol what plays
 */

/** The entry in front of all, where there is one: the player chooses, or nothing is shown. */
const FIRST = { quality: "Automatic", sound: null, subtitles: "Off" };

/** The menu of one page. */
export class Menu {
  #parts;
  #options;
  /** What stands in each list, so that an open one is not disturbed. @type {Map<HTMLSelectElement, string>} */
  #shown = new Map();

  /**
   * @param {MenuParts} parts
   * @param {Playback} playback
   * @param {MenuOptions} options
   */
  constructor(parts, playback, options) {
    this.#parts = parts;
    this.#options = options;
    for (const kind of /** @type {const} */ (["quality", "sound", "subtitles"])) {
      parts[kind].addEventListener("change", () => playback.choose(kind, Number(parts[kind].value)));
    }
    this.#listStreams();
    parts.settings.addEventListener("click", () => this.toggle());
    parts.menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      const isOutside = target instanceof Node && !parts.menu.contains(target);
      if (isOutside && !parts.settings.contains(target)) this.#setOpen(false);
    });
  }

  get isOpen() {
    return !this.#parts.menu.hidden;
  }

  /** Opens it, with the focus in it, or closes it. */
  toggle() {
    if (this.isOpen) {
      this.#close();
      return;
    }
    this.#setOpen(true);
    const first = this.#parts.menu.querySelector("p:not([hidden]) select, button");
    if (first instanceof HTMLElement) first.focus();
  }

  /** @param {View} view */
  render(view) {
    for (const kind of /** @type {const} */ (["quality", "sound", "subtitles"])) {
      this.#renderChoice(
        kind,
        view.choices.find((choice) => choice.kind === kind),
      );
    }
    const { playingBy } = this.#parts;
    const text = this.#describe(view);
    if (playingBy.textContent !== text) playingBy.textContent = text;
  }

  /**
   * @param {Choice["kind"]} kind
   * @param {Choice | undefined} choice
   */
  #renderChoice(kind, choice) {
    const select = this.#parts[kind];
    const names = choice?.names ?? [];
    const first = FIRST[kind];
    const isUseful = names.length > (kind === "subtitles" ? 0 : 1);
    showRow(select, isUseful);
    if (choice === undefined || !isUseful) return;
    const key = JSON.stringify(names);
    if (this.#shown.get(select) !== key) {
      this.#shown.set(select, key);
      const options = names.map((name, index) => new Option(name, String(index)));
      select.replaceChildren(...(first === null ? [] : [new Option(first, "-1")]), ...options);
    }
    const value = String(choice.selected);
    if (select.value !== value && document.activeElement !== select) select.value = value;
  }

  #listStreams() {
    const { stream } = this.#parts;
    const { name, options } = this.#options;
    const names = [...new Set([name, ...options.streams])];
    showRow(stream, names.length > 1);
    stream.replaceChildren(...names.map((other) => new Option(shownName(other), other)));
    stream.value = name;
    stream.addEventListener("change", () => {
      const { search } = location;
      location.assign(pathOfName(stream.value, "embed.html") + search);
    });
  }

  /** @param {View} view */
  #describe({ isLive, delaySeconds, pictureTimeMs }) {
    const title = playerTitle(this.#options.protocol(), isLive);
    if (title === "" || isLive !== true || delaySeconds === null) return title;
    const time = clockTime(/** @type {number} */ (pictureTimeMs), this.#options.options.localTime);
    return `${title}, ${formatDelay(delaySeconds)} behind the server. The picture is of ${time}.`;
  }

  #close() {
    this.#setOpen(false);
    this.#parts.settings.focus();
  }

  /** @param {boolean} isOpen */
  #setOpen(isOpen) {
    this.#parts.menu.hidden = !isOpen;
    this.#parts.settings.setAttribute("aria-expanded", String(isOpen));
  }
}

/**
 * How a way of playing is called: a file has no live edge to be near to.
 *
 * @param {{ title: string } | null} protocol
 * @param {boolean | null} isLive
 */
export function playerTitle(protocol, isLive) {
  if (protocol === null || isLive === null) return "";
  return isLive ? protocol.title : protocol.title.replace(/^LL-/, "");
}

/**
 * @param {HTMLSelectElement} select
 * @param {boolean} isShown
 */
function showRow(select, isShown) {
  const row = select.parentElement;
  if (row !== null) row.hidden = !isShown;
}
