/** A time without media. Units: milliseconds of one monotonic clock. */
export type Gap = { readonly lengthMs: number; readonly fromMs: number };

/** How long somebody who was entitled to media had to do without. */
export class GapMeter {
  #sinceMs: number | null = null;
  #longest: Gap = { lengthMs: 0, fromMs: 0 };
  arrivals = 0;

  /** Media is owed from now on; nothing changes when it already is. */
  begin(nowMs: number): void {
    this.#sinceMs ??= nowMs;
  }

  /** Media came; it is owed from now on. */
  arrived(nowMs: number): void {
    this.arrivals++;
    this.#longest = this.longest(nowMs);
    this.#sinceMs = nowMs;
  }

  /** Nothing is owed any more; the wait until now counts. */
  end(nowMs: number): void {
    this.#longest = this.longest(nowMs);
    this.#sinceMs = null;
  }

  /** The longest wait until now, with the one that still lasts. */
  longest(nowMs: number): Gap {
    const fromMs = this.#sinceMs ?? nowMs;
    return nowMs - fromMs > this.#longest.lengthMs ? { lengthMs: nowMs - fromMs, fromMs } : this.#longest;
  }
}
