// @ts-check
/** A stretch that is chosen to be saved. All times in milliseconds since 1970, in whole seconds. */

/** @typedef {import("./recording.js").Range} Range */

const SECOND_MS = 1000;
/** A clip that is begun has so much. */
const USUAL_MS = 30_000;

/**
 * What may be chosen.
 * @typedef {object} ClipBounds
 * @property {number} fromMs
 * @property {number} toMs
 * @property {number} mostMs the longest clip
 */

/**
 * A clip around a time: of what came just before it, where there is so much.
 *
 * @param {number} timeMs
 * @param {number} spanMs what is shown: the clip is to be seen, and its ends apart from each other
 * @param {ClipBounds} bounds
 * @returns {Range}
 */
export function clipBefore(timeMs, spanMs, { fromMs, toMs, mostMs }) {
  const length = Math.min(Math.max(USUAL_MS, spanMs / 20), mostMs, Math.max(SECOND_MS, toMs - fromMs));
  const end = Math.min(Math.max(timeMs, fromMs + length), toMs);
  return whole({ fromMs: end - length, toMs: end });
}

/**
 * With one end somewhere else. The other one is pushed where they would meet, and pulled where the clip would be too long.
 *
 * @param {Range} clip
 * @param {"from" | "to"} end
 * @param {number} timeMs
 * @param {ClipBounds} bounds
 * @returns {Range}
 */
export function moveEnd(clip, end, timeMs, { fromMs, toMs, mostMs }) {
  const most = Math.max(SECOND_MS, mostMs);
  if (end === "from") {
    const from = Math.min(Math.max(timeMs, fromMs), toMs - SECOND_MS);
    return whole({ fromMs: from, toMs: Math.min(Math.max(clip.toMs, from + SECOND_MS), from + most) });
  }
  const to = Math.max(Math.min(timeMs, toMs), fromMs + SECOND_MS);
  return whole({ fromMs: Math.max(Math.min(clip.fromMs, to - SECOND_MS), to - most), toMs: to });
}

/**
 * The file of a clip, beside the page.
 *
 * @param {Range} clip
 */
export function clipResource({ fromMs, toMs }) {
  return `archive-${fromMs / SECOND_MS}-${(toMs - fromMs) / SECOND_MS}.mp4`;
}

/** @param {Range} clip @returns {Range} */
function whole({ fromMs, toMs }) {
  const from = Math.round(fromMs / SECOND_MS) * SECOND_MS;
  return { fromMs: from, toMs: Math.max(from + SECOND_MS, Math.round(toMs / SECOND_MS) * SECOND_MS) };
}
