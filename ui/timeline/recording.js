// @ts-check
/** What is recorded of a stream, as ranges of time. All times in milliseconds since 1970. */

/**
 * A stretch that is recorded without a gap.
 * @typedef {{ readonly fromMs: number, readonly toMs: number }} Range
 */

/** Ranges at most: more than any server tells at a time. */
const MAX_RANGES = 20_000;

/** What is recorded; never changes, another one takes its place. */
export class Recording {
  /** In order, apart from each other. @type {readonly Range[]} */
  ranges;
  /** What it takes on the server's disk. Units: bytes. */
  bytes;
  /** There is more behind the last range than the server told at a time. */
  isCut;

  /**
   * @param {readonly Range[]} ranges in order
   * @param {number} [bytes]
   * @param {boolean} [isCut]
   */
  constructor(ranges = [], bytes = 0, isCut = false) {
    this.ranges = ranges;
    this.bytes = bytes;
    this.isCut = isCut;
  }

  get isEmpty() {
    return this.ranges.length === 0;
  }

  /** `null` where nothing is recorded. */
  get fromMs() {
    return this.ranges[0]?.fromMs ?? null;
  }

  /** `null` where nothing is recorded. */
  get toMs() {
    return this.ranges.at(-1)?.toMs ?? null;
  }

  /** Without the gaps. */
  get durationMs() {
    return this.ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  }

  /** @param {number} timeMs */
  has(timeMs) {
    const range = this.ranges[this.#placeOf(timeMs)];
    return range !== undefined && range.fromMs <= timeMs;
  }

  /**
   * The first recorded time that is not before one; `null` where nothing follows.
   *
   * @param {number} timeMs
   */
  next(timeMs) {
    const range = this.ranges[this.#placeOf(timeMs)];
    return range === undefined ? null : Math.max(range.fromMs, timeMs);
  }

  /**
   * What is recorded from a time on and before another one, cut off there.
   *
   * @param {number} fromMs
   * @param {number} toMs
   * @returns {Range[]}
   */
  within(fromMs, toMs) {
    /** @type {Range[]} */
    const found = [];
    for (let place = this.#placeOf(fromMs); place < this.ranges.length; place++) {
      const range = /** @type {Range} */ (this.ranges[place]);
      if (range.fromMs >= toMs) break;
      found.push({ fromMs: Math.max(range.fromMs, fromMs), toMs: Math.min(range.toMs, toMs) });
    }
    return found;
  }

  /**
   * The same with what is recorded from a time on as it is now.
   *
   * @param {number} fromMs
   * @param {Recording} newer
   */
  withNewer(fromMs, newer) {
    /** @type {Range[]} */
    const ranges = this.within(-Infinity, fromMs);
    for (const range of newer.ranges) {
      const last = ranges.at(-1);
      if (last !== undefined && range.fromMs <= last.toMs)
        ranges[ranges.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, range.toMs) };
      else ranges.push(range);
    }
    return new Recording(ranges.slice(-MAX_RANGES), Math.max(this.bytes, newer.bytes), newer.isCut);
  }

  /** The place of the first range that ends behind a time. @param {number} timeMs */
  #placeOf(timeMs) {
    let [low, high] = [0, this.ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {Range} */ (this.ranges[middle]).toMs > timeMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * Reads the document `recording_status.json`; `null` where it is none.
 *
 * @param {unknown} value
 * @returns {Recording | null}
 */
export function readRecording(value) {
  if (typeof value !== "object" || value === null || !("ranges" in value)) return null;
  if (!Array.isArray(value.ranges)) return null;
  /** @type {Range[]} */
  const ranges = [];
  for (const item of value.ranges.slice(0, MAX_RANGES)) {
    const { from, duration } = /** @type {{ from?: unknown, duration?: unknown }} */ (item ?? {});
    if (!isSeconds(from) || !isSeconds(duration) || duration === 0) continue;
    ranges.push({ fromMs: from * 1000, toMs: (from + duration) * 1000 });
  }
  const bytes = "bytes" in value && isSeconds(value.bytes) ? value.bytes : 0;
  return new Recording(
    ranges.toSorted((a, b) => a.fromMs - b.fromMs),
    bytes,
    "is_cut" in value && value.is_cut === true,
  );
}

/**
 * @param {unknown} value
 * @returns {value is number}
 */
function isSeconds(value) {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
