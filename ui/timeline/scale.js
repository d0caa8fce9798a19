// @ts-check
/** Which stretch of time a timeline shows, and where on it a time stands: 0 is its left end, 1 its right one. */

/** @typedef {import("./recording.js").Range} Range */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What a timeline shows at least and at most, in milliseconds. */
export const SPAN_MS = { least: MINUTE_MS, most: 31 * DAY_MS };

/** Between two marks of the ruler; people count in these. */
const STEPS_MS = [
  ...[5, 10, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2].map((days) => days * DAY_MS),
];

const LONGEST_STEP_MS = 7 * DAY_MS;

/** Marks of a ruler at most. */
const MAX_MARKS = 100;

/** A stretch of time that is shown; never changes, another one takes its place. */
export class Scale {
  /** Milliseconds since 1970. */
  fromMs;
  spanMs;

  /**
   * @param {number} fromMs
   * @param {number} spanMs
   */
  constructor(fromMs, spanMs) {
    this.fromMs = fromMs;
    this.spanMs = Math.min(SPAN_MS.most, Math.max(SPAN_MS.least, spanMs));
  }

  get toMs() {
    return this.fromMs + this.spanMs;
  }

  /** @param {number} timeMs */
  fractionOf(timeMs) {
    return (timeMs - this.fromMs) / this.spanMs;
  }

  /** @param {number} fraction */
  timeAt(fraction) {
    return this.fromMs + fraction * this.spanMs;
  }

  /**
   * Shows another length of time; what stands at a place stays there.
   *
   * @param {number} spanMs
   * @param {number} [fraction] the place
   */
  zoomTo(spanMs, fraction = 0.5) {
    const scale = new Scale(this.fromMs, spanMs);
    return new Scale(this.timeAt(fraction) - fraction * scale.spanMs, spanMs);
  }

  /** @param {number} fraction of what is shown; to later times where it is above 0 */
  moveBy(fraction) {
    return new Scale(this.fromMs + fraction * this.spanMs, this.spanMs);
  }

  /**
   * With a time at a place.
   *
   * @param {number} timeMs
   * @param {number} fraction
   */
  withAt(timeMs, fraction) {
    return new Scale(timeMs - fraction * this.spanMs, this.spanMs);
  }

  /** Within bounds, or around their middle where more is shown than they hold. @param {Range} bounds */
  keptWithin({ fromMs, toMs }) {
    if (this.spanMs >= toMs - fromMs) return new Scale((fromMs + toMs - this.spanMs) / 2, this.spanMs);
    return new Scale(Math.min(Math.max(this.fromMs, fromMs), toMs - this.spanMs), this.spanMs);
  }

  /** @param {number} timeMs */
  shows(timeMs) {
    return timeMs >= this.fromMs && timeMs <= this.toMs;
  }
}

/**
 * Ranges as they are drawn: in parts of the width, and never nearer to each other than can be seen.
 *
 * @param {readonly Range[]} ranges in order
 * @param {Scale} scale
 * @param {number} widthPx
 * @returns {{ from: number, to: number }[]}
 */
export function barsOf(ranges, scale, widthPx) {
  const pixel = 1 / Math.max(1, widthPx);
  /** @type {{ from: number, to: number }[]} */
  const bars = [];
  for (const { fromMs, toMs } of ranges) {
    const from = Math.max(0, scale.fractionOf(fromMs));
    const to = Math.min(1, Math.max(scale.fractionOf(toMs), from + pixel));
    if (to <= 0 || from >= 1) continue;
    const last = bars.at(-1);
    // A gap of less than a pixel is not seen.
    if (last !== undefined && from - last.to < pixel) last.to = Math.max(last.to, to);
    else bars.push({ from, to });
  }
  return bars;
}

/**
 * Where the ruler has marks, on times that people think of.
 *
 * @param {Scale} scale
 * @param {number} most how many have room
 * @param {(timeMs: number) => number} offsetMs of the clock that is shown, from UTC
 * @returns {{ stepMs: number, timesMs: number[] }}
 */
export function marksOf(scale, most, offsetMs) {
  const least = scale.spanMs / Math.min(MAX_MARKS, Math.max(1, most));
  const stepMs = STEPS_MS.find((step) => step >= least) ?? LONGEST_STEP_MS;
  /** @type {number[]} */
  const timesMs = [];
  const offset = offsetMs(scale.fromMs);
  let shownMs = Math.ceil((scale.fromMs + offset) / stepMs) * stepMs;
  for (; timesMs.length < MAX_MARKS; shownMs += stepMs) {
    // Where the clock is set within what is shown, the marks behind it stand on its new hours.
    const timeMs = shownMs - offsetMs(shownMs - offset);
    if (timeMs > scale.toMs) break;
    if (timeMs >= scale.fromMs && timeMs > (timesMs.at(-1) ?? -Infinity)) timesMs.push(timeMs);
  }
  return { stepMs, timesMs };
}

/**
 * A time on the grid of what can be told apart: so few pictures are asked for while a pointer moves.
 *
 * @param {number} timeMs
 * @param {Scale} scale
 */
export function roughTime(timeMs, scale) {
  const stepMs = STEPS_MS.find((step) => step >= scale.spanMs / 150) ?? HOUR_MS;
  return Math.floor(timeMs / stepMs) * stepMs;
}
