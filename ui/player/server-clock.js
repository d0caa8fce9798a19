// @ts-check
/** The server's clock, as this device knows it: its own may be minutes off. */

/** The difference between the server's clock and this device's. */
export class ServerClock {
  #offsetMs = 0;
  #deviceMs;

  /** @param {() => number} [deviceMs] this device's clock, in milliseconds since 1970 */
  constructor(deviceMs = () => Date.now()) {
    this.#deviceMs = deviceMs;
  }

  /** Milliseconds since 1970. */
  nowMs() {
    return this.#deviceMs() + this.#offsetMs;
  }

  /**
   * Asks the server for its time: in the body, to the millisecond, or at least in the header `Date`, to the second.
   *
   * Never rejects: without an answer this device's clock counts.
   * @param {string} url
   * @param {typeof fetch} [fetcher]
   * @returns {Promise<void>}
   */
  async ask(url, fetcher = (...request) => fetch(...request)) {
    try {
      const askedMs = this.#deviceMs();
      const response = await fetcher(url, { cache: "no-store" });
      const heardMs = this.#deviceMs();
      const serverMs = timeOf(response.ok ? await response.text() : "", response.headers.get("date"));
      // It was read while the question was on its way there and back.
      if (serverMs !== null) this.#offsetMs = serverMs - (askedMs + heardMs) / 2;
    } catch {
      // Without an answer there is nothing to correct.
    }
  }
}

/**
 * @param {string} body
 * @param {string | null} header in whole seconds: on average it is half of one old
 */
function timeOf(body, header) {
  const exactMs = /^\d{4}-\d\d-\d\dT/.test(body) ? Date.parse(body) : NaN;
  if (!Number.isNaN(exactMs)) return exactMs;
  const roughMs = Date.parse(header ?? "");
  return Number.isNaN(roughMs) ? null : roughMs + 500;
}
