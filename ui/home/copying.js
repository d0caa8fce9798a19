// @ts-check
/** Copy buttons: each names, in `data-copies`, the field whose text it copies. */

const SHOWN_MS = 1600;

/**
 * Makes the copy buttons of a page work.
 *
 * @param {Document} page
 */
export function wireCopyButtons(page) {
  for (const button of page.querySelectorAll("button[data-copies]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    const field = page.getElementById(button.dataset["copies"] ?? "");
    if (!(field instanceof HTMLInputElement)) continue;
    button.addEventListener("click", () => void copyFrom(field, button));
    field.addEventListener("focus", () => field.select());
  }
}

/**
 * @param {HTMLInputElement} field
 * @param {HTMLButtonElement} button
 */
async function copyFrom(field, button) {
  const isCopied = (await copyToClipboard(field.value)) || copySelected(field);
  const label = button.dataset["label"] ?? button.textContent ?? "";
  button.dataset["label"] = label;
  button.textContent = isCopied ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (button.textContent = label), SHOWN_MS);
}

/** @param {string} text */
async function copyToClipboard(text) {
  // Only a page from https or from this machine itself has a clipboard.
  if (navigator.clipboard === undefined) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The old way, which plain http still allows.
 *
 * @param {HTMLInputElement} field
 */
function copySelected(field) {
  field.focus();
  field.select();
  return document.execCommand("copy");
}
