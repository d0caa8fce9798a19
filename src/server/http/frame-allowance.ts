import { systemClock } from "../../base/clock.ts";

/** How often somebody may do a thing: so many times at once, and so many a second over time. */
export class FrameAllowance {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #countedUs = systemClock.nowUs();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /** Counts one; `false`: it is one too many. */
  take(nowUs = systemClock.nowUs()): boolean {
    const earned = ((nowUs - this.#countedUs) / 1e6) * this.#perSecond;
    this.#countedUs = nowUs;
    this.#left = Math.min(this.#burst, this.#left + earned) - 1;
    return this.#left >= 0;
  }
}
