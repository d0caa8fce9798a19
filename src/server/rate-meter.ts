import type { Clock } from "../base/clock.ts";

/** Looks that come closer together get what the one before them got. Units: microseconds. */
const MIN_SPAN_US = 1_000_000;

/** How fast sums of bytes grow between two looks, by a name each. It keeps the names of the last look alone. */
export class RateMeter {
  readonly #clock: Clock;
  #lastUs: number;
  #last: ReadonlyMap<string, number> = new Map();
  #rates: ReadonlyMap<string, number> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastUs = clock.nowUs();
  }

  /** `bytes`: the sums as they are now. A name that was not there before, or began anew, has none. Units: bits per second. */
  bps(bytes: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const nowUs = this.#clock.nowUs();
    const spanUs = nowUs - this.#lastUs;
    if (spanUs < MIN_SPAN_US) return this.#rates;
    this.#rates = new Map(
      [...bytes].map(([name, sum]) => {
        const grown = Math.max(0, sum - (this.#last.get(name) ?? sum));
        return [name, (grown * 8 * 1_000_000) / spanUs];
      }),
    );
    this.#last = bytes;
    this.#lastUs = nowUs;
    return this.#rates;
  }
}
