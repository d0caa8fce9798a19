/** Time arithmetic on integer ticks. Nobody else in the project rescales or unwraps. */

/** Microseconds in a second: the timescale of the media clock where tracks meet. */
export const MICROSECONDS = 1_000_000;

/**
 * Converts ticks between timescales, exactly, rounding down.
 *
 * Units: `from` and `to` in ticks per second. Good for safe integers as long as `to * from` is one.
 */
export function rescale(ticks: number, from: number, to: number): number {
  if (from === to) return ticks;
  const seconds = Math.floor(ticks / from);
  const rest = ticks - seconds * from;
  return seconds * to + Math.floor((rest * to) / from);
}

/** Ticks of a timescale as microseconds, rounded down. */
export function ticksToUs(ticks: number, timescale: number): number {
  return rescale(ticks, timescale, MICROSECONDS);
}

/** Microseconds as ticks of a timescale, rounded down. */
export function usToTicks(us: number, timescale: number): number {
  return rescale(us, MICROSECONDS, timescale);
}

/**
 * Turns of a counter after which it stands as it is, as after a reset: three years of 33 bits at 90 kHz. Only a sender
 * whose times jump all the time gets there, by half a turn each, and shall not reach the end of the safe integers.
 */
export const MAX_TURNS = 1024;

/**
 * Undoes the wrap-around of a counter of `bits` bits, once, at the edge of a protocol.
 *
 * Each value is taken as the nearest one to its predecessor modulo 2^bits, so that small steps back stay small steps
 * back. The first value stands as it is. Bound: `MAX_TURNS`.
 */
export class Unwrapper {
  readonly #modulus: number;
  #last: number | null = null;

  constructor(bits: number) {
    this.#modulus = 2 ** bits;
  }

  /** The unwrapped form of the next raw value; may be negative after a step back over zero. */
  unwrap(raw: number): number {
    if (this.#last === null) {
      this.#last = raw;
      return raw;
    }
    const lastRaw = ((this.#last % this.#modulus) + this.#modulus) % this.#modulus;
    let step = raw - lastRaw;
    if (step > this.#modulus / 2) step -= this.#modulus;
    else if (step < -this.#modulus / 2) step += this.#modulus;
    const next = this.#last + step;
    this.#last = Math.abs(next) > this.#modulus * MAX_TURNS ? raw : next;
    return this.#last;
  }

  /** Forgets the past: the next value stands as it is. */
  reset(): void {
    this.#last = null;
  }
}
