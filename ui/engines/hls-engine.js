// @ts-check
/** Plays HLS and low-latency HLS with hls.js. */

import { namesOf } from "../player/choices.js";

/**
 * @typedef {import("../player/engines.js").Choice} Choice
 * @typedef {import("../player/engines.js").Engine} Engine
 * @typedef {import("../player/engines.js").EngineOptions} EngineOptions
 * @typedef {import("../player/engines.js").Failure} Failure
 * @typedef {typeof import("hls.js").default} HlsClass
 */

/** What lies behind the playing position is kept this long, in seconds: enough to step back, and bounded. */
const BACK_BUFFER_SECONDS = 30;

/** A low-latency player that fell behind comes nearer at this speed: a change that nobody hears. */
const CATCH_UP_RATE = 1.05;

/** A playlist is overdue when it did not grow for this many target durations (RFC 8216 6.2.2 asks for 1.5). */
const OVERDUE_TARGETS = 3;

/** Details that mean: the browser has no decoder for this. */
const CODEC_DETAILS = new Set([
  "manifestIncompatibleCodecsError",
  "bufferAddCodecError",
  "bufferIncompatibleCodecsError",
]);

/** @implements {Engine} */
export class HlsJsEngine {
  #events;
  #sawLive = false;
  hasSound = true;
  /** @type {import("hls.js").LevelDetails | null} */
  #details = null;

  /**
   * @param {HlsClass} HlsJs
   * @param {EngineOptions} options
   */
  constructor(HlsJs, { video, url, startSeconds, events, startTracks }) {
    this.#events = events;
    const hls = new HlsJs({
      startPosition: startSeconds,
      backBufferLength: BACK_BUFFER_SECONDS,
      maxLiveSyncPlaybackRate: CATCH_UP_RATE,
    });
    /** @type {import("hls.js").default} */
    this.hls = hls;
    hls.on(HlsJs.Events.MANIFEST_PARSED, () => {
      this.#begin(startTracks);
      events.onReady();
    });
    hls.on(HlsJs.Events.LEVEL_UPDATED, (_event, { details }) => {
      this.#details = details;
      this.#sawLive ||= details.live;
    });
    hls.on(HlsJs.Events.BUFFER_CREATED, (_event, { tracks }) => {
      this.hasSound = "audio" in tracks || "audiovideo" in tracks;
    });
    hls.on(HlsJs.Events.ERROR, (_event, data) => this.#onError(data));
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  get isLive() {
    return this.#details === null ? null : this.#sawLive;
  }

  get isGrowing() {
    const details = this.#details;
    if (details === null || !details.live) return true;
    // With parts it changes several times a second.
    const targetSeconds =
      details.partTarget > 0 ? Math.min(1, details.targetduration) : details.targetduration;
    return details.age < OVERDUE_TARGETS * targetSeconds;
  }

  get isOver() {
    return this.#sawLive && this.#details?.live === false;
  }

  get edgeSeconds() {
    return this.#sawLive ? this.hls.liveSyncPosition : null;
  }

  get pictureTimeMs() {
    return this.hls.playingDate?.getTime() ?? null;
  }

  /** @returns {Choice[]} */
  get choices() {
    const { hls } = this;
    return [
      { kind: "quality", names: namesOf(hls.levels), selected: hls.manualLevel },
      { kind: "sound", names: namesOf(hls.audioTracks), selected: hls.audioTrack },
      { kind: "subtitles", names: namesOf(hls.subtitleTracks), selected: hls.subtitleTrack },
    ];
  }

  /**
   * @param {Choice["kind"]} kind
   * @param {number} index
   */
  choose(kind, index) {
    if (kind === "quality") this.hls.nextLevel = index;
    else if (kind === "sound") this.hls.audioTrack = index;
    else this.hls.subtitleTrack = index;
  }

  resumeLoad() {
    this.hls.startLoad();
  }

  recoverMedia() {
    this.hls.recoverMediaError();
  }

  destroy() {
    this.hls.destroy();
  }

  /** Levels are ordered by their bitrate: which track one is, its address says. */
  #begin(/** @type {import("../player/engines.js").TrackNumbers | undefined} */ tracks) {
    const video = tracks?.video ?? 0;
    if (video > 0) {
      const wanted = new RegExp(`/tracks-v${video}(?!\\d)`);
      const level = this.hls.levels.findIndex(({ url }) => url.some((address) => wanted.test(address)));
      if (level >= 0) this.hls.startLevel = level;
    }
    const sound = (tracks?.audio ?? 0) - 1;
    if (sound >= 0 && sound < this.hls.audioTracks.length) this.hls.audioTrack = sound;
  }

  /** @param {import("hls.js").ErrorData} data */
  #onError(data) {
    const detail = data.details;
    if (!data.fatal) {
      this.#events.onTrouble(detail);
      return;
    }
    const isAtManifest = detail.startsWith("manifest");
    this.#events.onFailure({ kind: kindOf(data.type, detail), isAtManifest, detail });
  }
}

/**
 * @param {string} type
 * @param {string} detail
 * @returns {Failure["kind"]}
 */
function kindOf(type, detail) {
  if (CODEC_DETAILS.has(detail)) return "codec";
  if (type === "networkError") return "network";
  return type === "mediaError" ? "media" : "other";
}
