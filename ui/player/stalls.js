// @ts-check
/** Which stalls are the player's own: a stream that pauses makes every player wait. */

/** A stall is judged so long after it began: what broke off at the publisher has shown by then. */
const SETTLE_MS = 8000;
/** After a break of the stream, what is there has to come together again for so long. */
const BREAK_MS = 5000;
/** Stalls that wait for their judgement: more are not needed to call them many. */
const MAX_OPEN = 16;

/**
 * @typedef {object} StallFacts
 * @property {number} waits counter of the picture's stalls
 * @property {number} breaks counter of the stream's breaks
 * @property {boolean} isGrowing
 * @property {number} nowMs
 */

/** The stalls of one engine. */
export class Stalls {
  /** When those began that are not judged yet. @type {number[]} */
  #openMs = [];
  #waits;
  /** @type {number | null} */
  #breaks = null;
  #brokenMs = -BREAK_MS;

  /** @param {number} waits what the counter has come to before this engine */
  constructor(waits) {
    this.#waits = waits;
  }

  /**
   * Takes what there is now.
   *
   * @param {StallFacts} facts
   * @returns {number} stalls that are found to be the player's own since the last look
   */
  look({ waits, breaks, isGrowing, nowMs }) {
    for (; this.#waits < waits; this.#waits++) {
      if (this.#openMs.length < MAX_OPEN) this.#openMs.push(nowMs);
    }
    const hasBroken = this.#breaks !== null && breaks !== this.#breaks;
    this.#breaks = breaks;
    if (hasBroken || !isGrowing) this.#brokenMs = nowMs;
    if (nowMs - this.#brokenMs < BREAK_MS) this.#openMs = [];
    const open = this.#openMs.filter((sinceMs) => nowMs - sinceMs < SETTLE_MS);
    const own = this.#openMs.length - open.length;
    this.#openMs = open;
    return own;
  }
}
