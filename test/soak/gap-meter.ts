/** How long somebody who was entitled to media had to do without. Units: milliseconds of one monotonic clock. */
export class GapMeter {
  #sinceMs: number | null = null;
  #longestMs = 0;
  arrivals = 0;

  /** Media is owed from now on; nothing changes when it already is. */
  begin(nowMs: number): void {
    this.#sinceMs ??= nowMs;
  }

  /** Media came; it is owed from now on. */
  arrived(nowMs: number): void {
    this.arrivals++;
    this.#close(nowMs);
    this.#sinceMs = nowMs;
  }

  /** Nothing is owed any more; the wait until now counts. */
  end(nowMs: number): void {
    this.#close(nowMs);
    this.#sinceMs = null;
  }

  /** The longest wait until now, with the one that still lasts. */
  longestMs(nowMs: number): number {
    return Math.max(this.#longestMs, this.#sinceMs === null ? 0 : nowMs - this.#sinceMs);
  }

  #close(nowMs: number): void {
    if (this.#sinceMs !== null) this.#longestMs = Math.max(this.#longestMs, nowMs - this.#sinceMs);
  }
}
