/** Over so long a rate is taken. Units: microseconds. */
const WINDOW_US = 2_000_000;

/** How many bytes a second pass, over the last seconds. Adding costs a comparison. */
export class RateMeter {
  #sinceUs: number | null = null;
  #bytes = 0;
  #lastBps: number | null = null;

  /** Bytes that passed at a monotonic time. */
  add(bytes: number, nowUs: number): void {
    this.#sinceUs ??= nowUs;
    const spanUs = nowUs - this.#sinceUs;
    if (spanUs >= WINDOW_US) {
      // What was before a pause says nothing of now.
      this.#lastBps = spanUs >= 2 * WINDOW_US ? null : bps(this.#bytes, spanUs);
      this.#sinceUs = nowUs;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
  }

  /** Units: bits per second; 0 once nothing has passed for two windows. */
  bps(nowUs: number): number {
    if (this.#sinceUs === null) return 0;
    const spanUs = nowUs - this.#sinceUs;
    if (spanUs >= 2 * WINDOW_US) return 0;
    if (this.#lastBps !== null && spanUs < WINDOW_US) return this.#lastBps;
    return bps(this.#bytes, spanUs);
  }
}

function bps(bytes: number, spanUs: number): number {
  return spanUs <= 0 ? 0 : Math.round((bytes * 8e6) / spanUs);
}
