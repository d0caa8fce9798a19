// @ts-check
/** What the address of a player page says: which playlist, and how to begin. */

/**
 * @typedef {object} PlayerOptions
 * @property {boolean} autoplay begin without a click
 * @property {boolean} muted begin without sound
 * @property {number} volume 0 to 1
 * @property {string | null} token passed on with the playlist
 */

const OFF = new Set(["0", "false", "no", "off"]);

/**
 * Reads the query of the page's address. Words it does not know, among them `proto`, `dvr` and `realtime`, change
 * nothing; a value that makes no sense counts as not given.
 *
 * @param {string} search as `location.search` has it
 * @returns {PlayerOptions}
 */
export function parseOptions(search) {
  const query = new URLSearchParams(search);
  return {
    autoplay: isOn(query.get("autoplay")),
    muted: isOn(query.get("mute")),
    volume: parseVolume(query.get("volume")),
    token: query.get("token"),
  };
}

/**
 * The playlist that belongs to a player page. It stands beside the page, so the name keeps the encoding in which the
 * server handed it out.
 *
 * @param {string} pageUrl
 * @param {string | null} token
 */
export function playlistUrl(pageUrl, token) {
  const url = new URL("index.m3u8", pageUrl);
  if (token !== null) url.searchParams.set("token", token);
  return url.href;
}

/** @param {string | null} value */
function isOn(value) {
  return value === null || !OFF.has(value.toLowerCase());
}

/**
 * Up to 1 it is a part of the whole, above it a percentage: both forms are met in embed codes.
 *
 * @param {string | null} value
 */
function parseVolume(value) {
  const number = value === null || value.trim() === "" ? 1 : Number(value);
  if (!(number >= 0)) return 1;
  return Math.min(1, number > 1 ? number / 100 : number);
}
