import type { Clock } from "../base/clock.ts";

/** Looks that come closer together get what the one before them got. Units: microseconds. */
const MIN_SPAN_US = 1_000_000;

/** How fast sums of bytes grow between two looks, by a name each. It keeps the names of the last look alone. */
export class RateMeter {
  readonly #clock: Clock;
  #lastUs: number;
  #last: ReadonlyMap<string, number> | null;
  #rates: ReadonlyMap<string, number> = new Map();

  /** `first`: the sums now, where they are known. */
  constructor(clock: Clock, first: ReadonlyMap<string, number> | null = null) {
    this.#clock = clock;
    this.#last = first;
    this.#lastUs = clock.nowUs();
  }

  /** `bytes`: the sums as they are now. A name that was not there before is not there now. Units: bits per second. */
  bps(bytes: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const nowUs = this.#clock.nowUs();
    const spanUs = nowUs - this.#lastUs;
    const last = this.#last;
    if (last !== null && spanUs < MIN_SPAN_US) return this.#rates;
    this.#rates = new Map(
      [...bytes].flatMap(([name, sum]) => {
        const before = last?.get(name);
        if (before === undefined) return [];
        // One that is less than before began anew.
        return [[name, (Math.max(0, sum - before) * 8 * 1_000_000) / spanUs]];
      }),
    );
    this.#last = bytes;
    this.#lastUs = nowUs;
    return this.#rates;
  }
}
