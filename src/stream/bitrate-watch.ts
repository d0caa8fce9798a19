/** A stream's bitrate is the mean of so long: a quiet scene is no news. Units: microseconds. */
const SPAN_US = 30_000_000;
/** By so much it has to change, up or down, to be told again. */
const STEP = 1.5;

/** Finds out when what comes in for a stream has another bitrate than what was told: at most twice a minute. */
export class BitrateWatch {
  #sinceUs = 0;
  #sinceBytes = 0;
  #toldBps: number | null = null;

  /** When it is to be looked at. Units: monotonic microseconds. */
  dueUs = 0;

  /** Begins anew, as a source does. `bytes`: all that came in so far. */
  begin(bytes: number, nowUs: number): void {
    this.#sinceBytes = bytes;
    this.#sinceUs = nowUs;
    this.dueUs = nowUs + SPAN_US;
  }

  /** To be called when it is due. Returns: the bitrate where it is to be told, else `null`. Units: bits per second. */
  look(bytes: number, nowUs: number): number | null {
    const spanUs = nowUs - this.#sinceUs;
    const bps = Math.round(((bytes - this.#sinceBytes) * 8e6) / spanUs);
    this.begin(bytes, nowUs);
    const told = this.#toldBps;
    if (told !== null && bps < told * STEP && bps > told / STEP) return null;
    this.#toldBps = bps;
    return bps;
  }
}
