import type { Clock } from "./clock.ts";

/** How often somebody may do something. */
export type AllowanceLimits = {
  /** So many times at once. */
  readonly burst: number;
  /** So many times are given back in a second. */
  readonly perSecond: number;
};

/** Counts what a peer does against what it may do: so often at once, and so often a second. */
export class Allowance {
  readonly #clock: Clock;
  readonly #limits: AllowanceLimits;
  #left: number;
  #countedUs: number;

  constructor(clock: Clock, limits: AllowanceLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#left = limits.burst;
    this.#countedUs = clock.nowUs();
  }

  /** Counts one more. Returns: whether it is within the limits. */
  take(): boolean {
    const { burst, perSecond } = this.#limits;
    const nowUs = this.#clock.nowUs();
    const gained = ((nowUs - this.#countedUs) / 1_000_000) * perSecond;
    this.#countedUs = nowUs;
    this.#left = Math.min(burst, this.#left + gained);
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
