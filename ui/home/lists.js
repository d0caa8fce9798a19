// @ts-check
/** The two lists on the front page. Names are set as text, never as markup. */

import { anchorOfName, shownName } from "../shared/names.js";
import { MAX_SHOWN } from "./listing.js";

/** @typedef {import("./listing.js").Item} Item */

/**
 * Shows items in a list, keeping the elements of those that were there: focus and scroll position stay.
 *
 * @param {HTMLElement} list
 * @param {readonly Item[]} items
 * @param {string | null} selected a name
 */
export function renderItems(list, items, selected) {
  const rows = new Map([...list.children].map((row) => [keyOf(row), row]));
  const wanted = items.slice(0, MAX_SHOWN).map((item) => {
    const row = rows.get(item.name) ?? buildRow(list.ownerDocument, item);
    fillRow(row, item, item.name === selected);
    return row;
  });
  if (wanted.length === list.children.length && wanted.every((row, i) => row === list.children[i])) return;
  const focused = list.ownerDocument.activeElement;
  list.replaceChildren(...wanted);
  if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

/** @param {Element} row */
function keyOf(row) {
  return row instanceof HTMLElement ? (row.dataset["name"] ?? "") : "";
}

/**
 * @param {Document} page
 * @param {Item} item
 */
function buildRow(page, item) {
  const row = page.createElement("li");
  row.dataset["name"] = item.name;
  const link = page.createElement("a");
  for (const part of ["sign", "name", "facts"]) {
    const span = page.createElement("span");
    span.className = part;
    link.append(span);
  }
  row.append(link);
  return row;
}

/**
 * @param {Element} row
 * @param {Item} item
 * @param {boolean} isSelected
 */
function fillRow(row, item, isSelected) {
  const link = row.firstElementChild;
  if (!(link instanceof HTMLAnchorElement)) return;
  const [sign, name, facts] = link.children;
  row.className = item.kind;
  link.dataset["live"] = String(item.isLive);
  link.title = item.name;
  // Without an address it is no link: nothing to click, and the keyboard passes it by.
  if (!item.isPlayable) link.removeAttribute("href");
  else if (!link.hasAttribute("href")) link.href = anchorOfName(item.name);
  if (isSelected) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  setText(sign, item.isLive ? "Live" : "");
  setText(name, shownName(item.title === "" ? item.name : item.title));
  setText(facts, item.title === "" ? item.brief : `${shownName(item.name)} \u00b7 ${item.brief}`);
}

/**
 * @param {Element | undefined} element
 * @param {string} text
 */
function setText(element, text) {
  if (element !== undefined && element.textContent !== text) element.textContent = text;
}
