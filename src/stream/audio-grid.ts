import { MICROSECONDS, rescale } from "../base/time.ts";

/** How far a stated time may be from the grid before the grid follows it, when nothing else is said. */
export const DEFAULT_GRID_TOLERANCE_US = 30_000;

/** Frames over which a constant offset is watched; about 1.4 s of AAC. */
const WATCHED_FRAMES = 64;
/** Offsets below this are rounding and jitter. */
const IGNORED_OFFSET_US = 5_000;

/**
 * Puts audio frames whose times were rounded (to milliseconds, as RTMP does) back on the exact sample grid, so that
 * rounding leaves no gaps and overlaps.
 *
 * Each frame is expected where the last one ended, and stands there while its stated time is within the tolerance.
 * Else, after a lost frame or a pause, the grid starts anew at the stated time. An offset that stays over 64 frames,
 * from one lost frame or from a drifting clock, is taken out at once. A time a little before the last frame is moved
 * behind it; one that is a second or more before it is a new timeline and stands.
 * Units: input in microseconds, output in ticks of the sample rate.
 */
export class AudioGrid {
  readonly #sampleRate: number;
  readonly #toleranceTicks: number;
  readonly #ignoredTicks: number;
  #lastDts: number | null = null;
  #expected = 0;
  #watched = 0;
  /** The offset nearest to zero of the watched frames, `null` before the first. */
  #nearestOffset: number | null = null;

  constructor(sampleRate: number, toleranceUs = DEFAULT_GRID_TOLERANCE_US) {
    this.#sampleRate = sampleRate;
    this.#toleranceTicks = rescale(toleranceUs, MICROSECONDS, sampleRate);
    this.#ignoredTicks = rescale(IGNORED_OFFSET_US, MICROSECONDS, sampleRate);
  }

  /** The decode time of the next frame, stated at `timeUs` and lasting `durationTicks`. */
  place(timeUs: number, durationTicks: number): number {
    const stated = rescale(timeUs, MICROSECONDS, this.#sampleRate);
    const dts = this.#choose(stated);
    this.#lastDts = dts;
    this.#expected = dts + durationTicks;
    return dts;
  }

  #choose(stated: number): number {
    if (this.#lastDts === null) return stated;
    const offset = stated - this.#expected;
    if (Math.abs(offset) > this.#toleranceTicks) {
      this.#restartWatch();
      return this.#behindLast(stated, this.#lastDts);
    }
    if (this.#nearestOffset === null || Math.abs(offset) < Math.abs(this.#nearestOffset)) {
      this.#nearestOffset = offset;
    }
    if (++this.#watched < WATCHED_FRAMES) return this.#expected;
    const constant = Math.abs(this.#nearestOffset) > this.#ignoredTicks ? this.#nearestOffset : 0;
    this.#restartWatch();
    return this.#behindLast(this.#expected + constant, this.#lastDts);
  }

  #behindLast(dts: number, last: number): number {
    return dts > last || dts <= last - this.#sampleRate ? dts : last + 1;
  }

  #restartWatch(): void {
    this.#watched = 0;
    this.#nearestOffset = null;
  }
}
