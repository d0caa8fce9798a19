// @ts-check
/** Plays the MSE-LD socket of a live stream or a file: the page's interface around `ui/live/mse-engine.js`. */

import { MseEngine } from "../live/mse-engine.js";
import { namesOf } from "../player/choices.js";

/**
 * @typedef {import("../player/engines.js").Choice} Choice
 * @typedef {import("../player/engines.js").Engine} Engine
 * @typedef {import("../player/engines.js").EngineOptions} EngineOptions
 * @typedef {import("../player/engines.js").Failure} Failure
 * @typedef {import("../live/mse-engine.js").MseEngineOptions} MseEngineOptions
 */

/** Without a new frame for this long, it is overdue. */
const OVERDUE_MS = 3000;

/** What the server says of a bit rate that it has not measured yet. */
const UNKNOWN_KBIT = 1;

/** @implements {Engine} */
export class MseLdEngine {
  hls = null;
  isOver = false;
  isOutdated = false;
  canResume = true;
  #video;
  #options;
  #make;
  #nowMs;
  /** @type {MseEngine} */
  #engine;
  #unlisten = new AbortController();
  #isReady = false;
  #isHeld = false;
  /** Where a file begins. */
  #startSeconds;
  #newest = { utcSeconds: 0, seenMs: 0 };
  /** Chosen by the page's address or the viewer, by their place among the tracks of their kind. */
  #chosen = { video: 0, audio: 0 };

  /**
   * @param {EngineOptions} options
   * @param {(options: MseEngineOptions) => MseEngine} [make]
   * @param {() => number} [nowMs] monotonic
   */
  constructor(options, make = (given) => new MseEngine(given), nowMs = () => performance.now()) {
    this.#options = options;
    this.#video = options.video;
    this.#make = make;
    this.#nowMs = nowMs;
    this.#newest.seenMs = nowMs();
    this.#startSeconds = options.startSeconds;
    this.#chosen = {
      video: (options.startTracks?.video ?? 1) - 1,
      audio: (options.startTracks?.audio ?? 1) - 1,
    };
    const { signal } = this.#unlisten;
    this.#video.addEventListener("pause", () => this.#hold(true), { signal });
    this.#video.addEventListener("play", () => this.#hold(false), { signal });
    this.#engine = this.#open();
  }

  get isLive() {
    return this.#isReady ? this.#engine.durationSeconds === null : null;
  }

  get isGrowing() {
    if (this.isLive === false) return true;
    const utcSeconds = this.#engine.newestUtcSeconds;
    if (utcSeconds !== this.#newest.utcSeconds) this.#newest = { utcSeconds, seenMs: this.#nowMs() };
    return this.#nowMs() - this.#newest.seenMs < OVERDUE_MS;
  }

  get breaks() {
    return this.#engine.inits;
  }

  get hasSound() {
    return !this.#isReady || this.#tracks("audio").length > 0;
  }

  get edgeSeconds() {
    const { delaySeconds, targetSeconds } = this.#engine;
    return this.isLive === true
      ? this.#video.currentTime + Math.max(0, delaySeconds - targetSeconds)
      : null;
  }

  get pictureTimeMs() {
    const { newestUtcSeconds, delaySeconds } = this.#engine;
    return newestUtcSeconds === 0 || this.isLive === false
      ? null
      : (newestUtcSeconds - delaySeconds) * 1000;
  }

  /** @returns {Choice[]} */
  get choices() {
    return /** @type {const} */ (["video", "audio"]).map((kind) => ({
      kind: kind === "video" ? "quality" : "sound",
      names: namesOf(this.#tracks(kind).map(describe)),
      selected: this.#placeOf(kind),
    }));
  }

  /**
   * @param {Choice["kind"]} kind
   * @param {number} index
   */
  choose(kind, index) {
    if (kind === "subtitles") return;
    this.#chosen[kind === "quality" ? "video" : "audio"] = Math.max(0, index);
    const video = this.#tracks("video")[this.#placeOf("video")];
    const audio = this.#tracks("audio")[this.#placeOf("audio")];
    this.#engine.setTracks(`${video?.track_id ?? ""}${audio?.track_id ?? ""}`);
  }

  resumeLoad() {
    this.recoverMedia();
  }

  recoverMedia() {
    if (this.isLive === false) this.#startSeconds = this.#video.currentTime;
    this.#engine.destroy();
    this.#isReady = false;
    this.#isHeld = false;
    this.#engine = this.#open();
  }

  destroy() {
    this.#unlisten.abort();
    this.#engine.destroy();
    this.#video.playbackRate = 1;
  }

  #open() {
    const { video, url, events } = this.#options;
    const socketUrl = new URL(url);
    socketUrl.protocol = socketUrl.protocol === "https:" ? "wss:" : "ws:";
    return this.#make({
      video,
      url: socketUrl.href,
      places: { ...this.#chosen },
      startSeconds: Math.max(0, this.#startSeconds),
      events: {
        onReady: () => {
          this.#isReady = true;
          events.onReady();
        },
        onUnavailable: (reason) => events.onFailure(networkFailure(reason || "unavailable")),
        // What a file's end is, the video itself says.
        onEnd: () => (this.isOver = this.isLive === true),
        onFailure: (detail) => events.onFailure(failureOf(detail)),
        onTrouble: (detail) => events.onTrouble(detail),
      },
    });
  }

  /** A picture that stands needs no frames: the server keeps them until the viewer goes on. */
  #hold(/** @type {boolean} */ isHeld) {
    if (!this.#isReady || isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#engine.pause();
    else this.#engine.resume();
  }

  /** A number that there is no track of means the first one. */
  #placeOf(/** @type {"video" | "audio"} */ kind) {
    const place = this.#chosen[kind];
    return place < this.#tracks(kind).length ? place : 0;
  }

  #tracks(/** @type {"video" | "audio"} */ kind) {
    return this.#engine.tracks.filter(({ content }) => content === kind);
  }
}

/**
 * @param {import("../live/mse-engine.js").MseTrack & { lang?: string, height?: number, bitrate?: number }} track its
 *   bitrate is in thousands
 * @returns {import("../player/choices.js").Described}
 */
function describe({ lang = "", height = 0, bitrate = 0 }) {
  return { lang, height, bitrateInKbit: bitrate > UNKNOWN_KBIT ? bitrate : 0 };
}

/**
 * @param {string} detail
 * @returns {Failure}
 */
function failureOf(detail) {
  if (detail.startsWith("codec:")) return { kind: "codec", isAtManifest: true, detail };
  if (detail.startsWith("media:")) return { kind: "media", isAtManifest: false, detail };
  return networkFailure(detail);
}

/**
 * @param {string} detail
 * @returns {Failure}
 */
function networkFailure(detail) {
  // There is no playlist to resume: a socket that closed is opened anew.
  return { kind: "network", isAtManifest: true, detail };
}
