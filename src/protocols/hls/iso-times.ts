const MINUTE_MS = 60_000;

/** What an ISO time ends with, behind the minute: `07.250Z`. */
const SECONDS_LENGTH = 7;

/**
 * Writes times one after the other as playlists say them, `2026-01-01T00:00:07.250Z`. A window of a day has one for each of
 * its tens of thousands of segments: what they share with the one before is written once a minute.
 * Spec: RFC 8216 section 4.3.2.6.
 */
export class IsoTimes {
  #minuteMs = NaN;
  #minute = "";

  /** Of microseconds since 1970 UTC; what is less than a millisecond is left out. */
  write(us: number): string {
    const ms = Math.floor(us / 1000);
    const minuteMs = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
    if (minuteMs !== this.#minuteMs) {
      this.#minuteMs = minuteMs;
      this.#minute = new Date(minuteMs).toISOString().slice(0, -SECONDS_LENGTH);
    }
    const digits = String(100_000 + ms - minuteMs);
    return `${this.#minute}${digits.slice(1, 3)}.${digits.slice(3)}Z`;
  }
}
