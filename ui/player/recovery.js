// @ts-check
/** How much trying is enough: budgets for recoveries and the rhythm of asking again. */

import { PACES } from "./findings.js";

/** First and longest pause between two questions to a server that does not have the stream, in milliseconds. */
const PAUSES_MS = {
  quick: { first: 1000, last: 2000 },
  normal: { first: 1000, last: 5000 },
  slow: { first: 5000, last: 30_000 },
};
const GROWTH = 1.5;

/**
 * The pause before the next question, growing from the first to the longest of its pace; all but the first up to a
 * fifth shorter by chance, so that the viewers of a stream that went away do not come back in one instant.
 *
 * @param {number} attempt from 0
 * @param {keyof typeof PAUSES_MS} [pace]
 * @param {number} [chance] 0 to 1
 * @returns {number} milliseconds
 */
export function pollDelayMs(attempt, pace = "normal", chance = Math.random()) {
  const { first, last } = PAUSES_MS[pace];
  const delayMs = Math.min(last, first * GROWTH ** Math.min(attempt, 10));
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
   * Asks until `onAnswer` returns `false`, asking again will not help, or the next `start` or `stop`.
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
      const pace = PACES[probe.finding];
      if (pace === "never") return;
      await this.#sleep(pollDelayMs(attempt, pace));
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
