// @ts-check
/** Where in a media playlist a time is. */

/**
 * The seconds of media in front of a time, or in front of what follows it where it is in a gap; `null` where nothing does,
 * or where the playlist has no times.
 *
 * Spec: RFC 8216 sections 4.3.2.1 (EXTINF), 4.3.2.6 (EXT-X-PROGRAM-DATE-TIME).
 *
 * @param {string} text
 * @param {number} timeMs since 1970
 */
export function placeInPlaylist(text, timeMs) {
  let seconds = 0;
  let atMs = NaN;
  for (const line of text.split("\n")) {
    if (line.startsWith("#EXT-X-PROGRAM-DATE-TIME:"))
      atMs = Date.parse(line.slice(line.indexOf(":") + 1).trim());
    if (!line.startsWith("#EXTINF:")) continue;
    const duration = Number.parseFloat(line.slice("#EXTINF:".length));
    if (!(duration >= 0)) continue;
    if (timeMs < atMs + duration * 1000) return seconds + Math.max(0, timeMs - atMs) / 1000;
    seconds += duration;
    atMs += duration * 1000;
  }
  return null;
}
