// @ts-check
/** Which playlist plays from a time on. All times in milliseconds since 1970. */

/**
 * A stretch of the archive that is played from a playlist.
 * @typedef {object} Place
 * @property {string} stem of its address, as in `archive-1700000000-now`
 * @property {number} fromMs
 * @property {number | null} toMs `null`: it grows
 */

/** What lies so near goes over into what is live. */
const NEAR_MS = 2 * 3_600_000;
/** What lies further back is played in pieces of this length: a playlist of a day has some megabytes. */
const PIECE_MS = 3_600_000;
/** So much in front of the time is in it too: for steps back. */
export const LEAD_MS = 30_000;

/**
 * @param {number} timeMs where it is to begin
 * @param {number} nowMs
 * @param {number} [leadMs] none for what can begin at the beginning only
 * @returns {Place}
 */
export function placeFor(timeMs, nowMs, leadMs = LEAD_MS) {
  const from = Math.max(0, Math.floor((timeMs - leadMs) / 1000));
  const fromMs = from * 1000;
  if (nowMs - timeMs < NEAR_MS) return { stem: `archive-${from}-now`, fromMs, toMs: null };
  return {
    stem: `archive-${from}-${(PIECE_MS + leadMs) / 1000}`,
    fromMs,
    toMs: fromMs + PIECE_MS + leadMs,
  };
}
