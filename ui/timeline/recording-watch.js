// @ts-check
/** Asks the server what is recorded, again and again while somebody looks. */

import { readRecording, Recording } from "./recording.js";

/**
 * @typedef {object} WatchOptions
 * @property {(query: string) => string} urlOf the document's address with such a query
 * @property {() => number} nowMs the server's clock
 * @property {() => boolean} isHidden
 * @property {() => void} onChange
 * @property {typeof fetch} [fetcher]
 */

/** How often what is new is asked for, and all of it: what is old is deleted in time. */
const LOOK_MS = 5000;
const WHOLE_LOOKS = 24;
/** What is recorded comes some segments late: without more for so long the recording has stopped. */
const STOPPED_MS = 30_000;
/** So much in front of the newest is asked for again. */
const OVERLAP_S = 10;
/** Who has very many gaps is told of in parts, of which so many are asked for at a time. */
const MAX_PARTS = 8;

/** What is recorded of one stream, as far as is known. */
export class RecordingWatch {
  #options;
  #fetcher;
  #looks = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** What is known. */
  recording = new Recording();
  /** The server answered: there is an archive, be it empty. */
  isKnown = false;

  /** @param {WatchOptions} options */
  constructor(options) {
    this.#options = options;
    this.#fetcher = options.fetcher ?? ((...request) => fetch(...request));
  }

  /** More was recorded a moment ago. */
  get isGrowing() {
    const { toMs } = this.recording;
    return toMs !== null && this.#options.nowMs() - toMs < STOPPED_MS;
  }

  /** Asks once, and from then on again. Never rejects. */
  async start() {
    await this.look();
    this.#again();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Asks now. Never rejects: what was known stays. */
  async look() {
    const isWhole = this.recording.toMs === null || this.#looks++ % WHOLE_LOOKS === 0;
    try {
      let known = await this.#ask(isWhole ? null : this.recording);
      for (let part = 1; known?.isCut === true && part < MAX_PARTS; part++) {
        const more = await this.#ask(known);
        if (more === null || more.toMs === known.toMs) break;
        known = more;
      }
      if (known === null) return;
      this.isKnown = true;
      this.recording = known;
    } catch {
      return;
    }
    this.#options.onChange();
  }

  /**
   * All that there is, or what is known with what has come to it; `null` where the server does not say.
   *
   * @param {Recording | null} known
   */
  async #ask(known) {
    const toMs = known?.toMs ?? null;
    const fromS = toMs === null ? 0 : Math.floor(toMs / 1000) - OVERLAP_S;
    const query = toMs === null ? "" : `from=${fromS}`;
    const reply = await this.#fetcher(this.#options.urlOf(query), { cache: "no-store" });
    const found = reply.ok ? readRecording(await reply.json()) : null;
    return found === null || known === null ? found : known.withNewer(fromS * 1000, found);
  }

  #again() {
    this.#timer = setTimeout(() => void this.#lookAgain(), LOOK_MS);
  }

  async #lookAgain() {
    if (!this.#options.isHidden()) await this.look();
    // It may have been stopped meanwhile.
    if (this.#timer !== undefined) this.#again();
  }
}
