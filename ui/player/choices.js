// @ts-check
/** Names for what a viewer may choose: qualities, languages, subtitles. */

import { shownName } from "../shared/names.js";
import { MAX_NAMES } from "./engines.js";

/**
 * What is known of a track, in the words of whoever read the manifest.
 * @typedef {object} Described
 * @property {string | null} [name]
 * @property {string | null} [lang]
 * @property {number} [height] pixels
 * @property {number} [bitrate] bits per second
 * @property {number} [bitrateInKbit]
 */

/**
 * A name for each of them, in their order; two that would be called the same are told apart.
 *
 * @param {readonly Described[]} tracks
 * @returns {string[]}
 */
export function namesOf(tracks) {
  const names = tracks.slice(0, MAX_NAMES).map(nameOf);
  return names.map((name, index) => {
    if (names.indexOf(name) === names.lastIndexOf(name)) return name;
    const bitrate = bitrateOf(/** @type {Described} */ (tracks[index]));
    return bitrate > 0 ? `${name}, ${bitrateName(bitrate)}` : `${name} (${index + 1})`;
  });
}

/**
 * @param {Described} track
 * @param {number} index
 */
function nameOf(track, index) {
  if (track.height !== undefined && track.height > 0) return `${track.height}p`;
  const name = shownName(track.name ?? "") || languageOf(track.lang ?? "");
  if (name !== "") return name;
  const bitrate = bitrateOf(track);
  return bitrate > 0 ? bitrateName(bitrate) : `Track ${index + 1}`;
}

/** @param {string} lang */
function languageOf(lang) {
  if (lang === "" || lang === "und") return "";
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(lang) ?? lang;
  } catch {
    return shownName(lang);
  }
}

/** @param {Described} track */
function bitrateOf({ bitrate, bitrateInKbit }) {
  return bitrate ?? (bitrateInKbit ?? 0) * 1000;
}

/** @param {number} bitrate bits per second */
function bitrateName(bitrate) {
  return bitrate >= 1_000_000
    ? `${(bitrate / 1_000_000).toFixed(1)} Mbit/s`
    : `${Math.round(bitrate / 1000)} kbit/s`;
}
