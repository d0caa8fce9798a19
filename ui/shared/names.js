// @ts-check
/** Names of streams and files as addresses carry them and as people read them. */

const EMBED_SUFFIX = "/embed.html";

/** Longest name shown, in characters: a name comes from the address and must not fill the page. */
const MAX_SHOWN = 80;

// Control characters, and the marks that turn the direction of text: a name must not rearrange a sentence.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The name in the path of a player page: `/pub/camera/embed.html` gives `pub/camera`.
 *
 * Returns: the decoded name, the raw text where the percent-encoding is broken, or `null` where the path names
 * nothing.
 * @param {string} pathname as `location.pathname` has it
 * @returns {string | null}
 */
export function nameOfPath(pathname) {
  if (!pathname.endsWith(EMBED_SUFFIX)) return null;
  const encoded = pathname.slice(1, -EMBED_SUFFIX.length);
  if (encoded === "") return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/**
 * The path of something that belongs to a name: `pub/a b` and `index.m3u8` give `/pub/a%20b/index.m3u8`.
 *
 * @param {string} name
 * @param {string} resource
 */
export function pathOfName(name, resource) {
  return `/${name.split("/").map(encodeSegment).join("/")}/${resource}`;
}

/**
 * The anchor that stands for a name on the front page: `pub/a b` gives `#pub/a%20b`.
 *
 * @param {string} name
 */
export function anchorOfName(name) {
  return `#${encodeURI(wellFormed(name))}`;
}

/**
 * The name of an anchor, or `null` where it names nothing.
 *
 * @param {string} hash as `location.hash` has it
 * @returns {string | null}
 */
export function nameOfAnchor(hash) {
  try {
    return decodeURIComponent(hash.slice(1)) || null;
  } catch {
    return null;
  }
}

/**
 * The name as a page shows it: without characters that are not seen, and cut when it is long.
 *
 * @param {string} name
 */
export function shownName(name) {
  const seen = name.replace(UNSEEN, "");
  const characters = Array.from(seen);
  return characters.length <= MAX_SHOWN ? seen : `${characters.slice(0, MAX_SHOWN - 3).join("")}...`;
}

/** @param {string} segment */
function encodeSegment(segment) {
  return encodeURIComponent(wellFormed(segment));
}

/**
 * A lone surrogate cannot be encoded; the replacement character names nothing, so it ends as "not there".
 *
 * @param {string} text
 */
function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
