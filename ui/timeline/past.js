// @ts-check
/** What of the player page is about what is recorded; loaded where its address asks for that. */

import { resourceUrl } from "../player/options.js";
import { Panel } from "./panel.js";
import { RecordingWatch } from "./recording-watch.js";
import { Rewind } from "./rewind.js";

/**
 * @typedef {import("../player/options.js").PlayerOptions} PlayerOptions
 * @typedef {import("../player/playback.js").Playback} Playback
 */

/**
 * @typedef {object} PastOptions
 * @property {PlayerOptions} options
 * @property {import("../player/server-clock.js").ServerClock} clock
 * @property {() => boolean} canSeekAtStart the player that plays can begin anywhere in a playlist
 * @property {(text: string) => void} log
 */

/** Seconds since 1970 at which nothing is recorded. */
const FAR_S = 9_000_000_000;

/** What is recorded of one stream, on its page. */
export class Past {
  #options;
  /** @type {Panel | null} */
  #panel = null;
  rewind;
  #watch;

  /** @param {PastOptions} options */
  constructor(options) {
    this.#options = options;
    const nowMs = () => options.clock.nowMs();
    this.#watch = new RecordingWatch({
      urlOf: (query) => this.#urlOf("recording_status.json", query),
      nowMs,
      isHidden: () => document.hidden,
      onChange: () => this.#panel?.render(),
    });
    this.rewind = new Rewind({
      recording: () => this.#watch.recording,
      nowMs,
      canSeekAtStart: options.canSeekAtStart,
      log: options.log,
    });
  }

  /**
   * Finds out what is recorded, and where it is to begin. Never rejects.
   *
   * @returns {Promise<boolean>} `false`: the server keeps no archive of this
   */
  async open() {
    const { options, clock } = this.#options;
    // A stream that is not on air has no clock, but every answer has a date: this one is about nothing, and short.
    const isAsked = clock.ask(this.#urlOf("recording_status.json", `from=${FAR_S}`));
    await this.#watch.start();
    await isAsked;
    if (!this.#watch.isKnown) {
      this.#watch.stop();
      return false;
    }
    const { fromMs, agoSeconds } = options;
    if (fromMs !== null) this.rewind.beginAt(fromMs);
    else if (agoSeconds !== null) this.rewind.beginAt(clock.nowMs() - agoSeconds * 1000);
    return true;
  }

  /**
   * The player is made.
   *
   * @param {Playback} playback
   * @param {HTMLVideoElement} video
   * @param {(words: string) => void} announce
   */
  async attach(playback, video, announce) {
    const { rewind } = this;
    rewind.attach(playback);
    video.addEventListener("ended", () => rewind.onEnded());
    video.addEventListener("timeupdate", () => rewind.look(video.currentTime));
    const { options, clock } = this.#options;
    if (!options.dvr) return;
    await loadStyle();
    this.#panel = new Panel(document, {
      rewind,
      watch: this.#watch,
      nowMs: () => clock.nowMs(),
      localTime: options.localTime,
      exportLimitSeconds: options.exportLimitSeconds,
      urlOf: (resource) => this.#urlOf(resource, ""),
      announce,
    });
  }

  get isPast() {
    return this.rewind.isPast;
  }

  get isAtEdge() {
    return this.rewind.isAtEdge;
  }

  toLive() {
    this.rewind.toLive();
  }

  /** @param {number} seconds */
  step(seconds) {
    const { pictureMs } = this.rewind;
    if (pictureMs !== null) this.rewind.goTo(pictureMs + seconds * 1000);
  }

  /** @param {string} resource @param {string} query */
  #urlOf(resource, query) {
    const url = new URL(resourceUrl(location.href, resource, this.#options.options.carried));
    for (const [name, value] of new URLSearchParams(query)) url.searchParams.set(name, value);
    return url.href;
  }
}

/** Never rejects: without it the page is plain, and works. */
function loadStyle() {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = "/-/ui/timeline/timeline.css";
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
}
