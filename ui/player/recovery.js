// @ts-check
/** How much trying is enough: budgets for recoveries and the rhythm of asking again. */

/** First and longest pause between two questions to a server that does not have the stream, in milliseconds. */
const FIRST_DELAY_MS = 1000;
const LAST_DELAY_MS = 5000;
const GROWTH = 1.5;

/**
 * The pause before the next question: 1 s, growing to 5 s; all but the first up to a fifth shorter by chance, so that
 * the viewers of a stream that went away do not come back in one instant.
 *
 * @param {number} attempt from 0
 * @param {number} [chance] 0 to 1
 * @returns {number} milliseconds
 */
export function pollDelayMs(attempt, chance = Math.random()) {
  const delayMs = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * GROWTH ** Math.min(attempt, 10));
  return attempt === 0 ? delayMs : Math.round(delayMs * (1 - chance / 5));
}

/** A number of attempts within a sliding window of time; what is older is forgiven. */
export class Budget {
  #limit;
  #windowMs;
  /** @type {number[]} */
  #takenMs = [];

  /**
   * @param {number} limit
   * @param {number} windowMs
   */
  constructor(limit, windowMs) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /**
   * Takes one attempt.
   *
   * @param {number} nowMs
   * @returns {number} which one of the window it is, from 1; 0 when the window has none left
   */
  take(nowMs) {
    this.#takenMs = this.#takenMs.filter((takenMs) => nowMs - takenMs < this.#windowMs);
    if (this.#takenMs.length >= this.#limit) return 0;
    return this.#takenMs.push(nowMs);
  }

  /** Forgets what was taken. */
  refill() {
    this.#takenMs = [];
  }
}

/**
 * @typedef {import("./probe.js").Probe} Probe
 */

/** Asks the server in its rhythm, one question at a time. */
export class ServerWatch {
  #probe;
  /** @type {AbortController | null} */
  #running = null;
  #wake = () => {};

  /** @param {(signal: AbortSignal) => Promise<Probe>} probe never rejects */
  constructor(probe) {
    this.#probe = probe;
  }

  /**
   * Asks until `onAnswer` returns `false`, or until the next `start` or `stop`.
   *
   * @param {(probe: Probe, attempt: number) => boolean} onAnswer
   */
  start(onAnswer) {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    void this.#ask(running.signal, onAnswer);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
    this.#wake();
  }

  /** Asks at once instead of at the end of the pause. */
  poke() {
    this.#wake();
  }

  /**
   * @param {AbortSignal} signal
   * @param {(probe: Probe, attempt: number) => boolean} onAnswer
   */
  async #ask(signal, onAnswer) {
    for (let attempt = 0; !signal.aborted; attempt++) {
      const probe = await this.#probe(signal);
      if (signal.aborted || !onAnswer(probe, attempt)) return;
      await this.#sleep(pollDelayMs(attempt));
    }
  }

  /**
   * @param {number} delayMs
   * @returns {Promise<void>}
   */
  #sleep(delayMs) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
