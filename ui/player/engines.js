// @ts-check
/**
 * The two ways to play a playlist: hls.js where the browser has Media Source Extensions, else the browser's own HLS
 * (older iOS). Both look the same from outside; neither decides what to do about a failure.
 */

/**
 * @typedef {import("hls.js").default} Hls
 * @typedef {typeof import("hls.js").default} HlsClass
 */

/**
 * A failure after which the engine plays no further by itself.
 * @typedef {object} Failure
 * @property {"network" | "media" | "codec" | "other"} kind
 * @property {boolean} isAtManifest nothing was loaded yet, so there is nothing to resume
 * @property {string} detail the engine's word for it, for the log
 */

/**
 * @typedef {object} EngineEvents
 * @property {() => void} onReady the playlist is read: `play()` makes sense now
 * @property {(failure: Failure) => void} onFailure
 * @property {(detail: string) => void} onTrouble something the engine mends by itself, e.g. `bufferStalledError`
 */

/**
 * @typedef {object} Engine
 * @property {Hls | null} hls
 * @property {boolean | null} isLive was live at any time; `null` until a playlist is read
 * @property {boolean} isGrowing the newest playlist is not overdue
 * @property {boolean} isOver was live, and its playlist says that nothing follows
 * @property {boolean} hasSound as far as is known
 * @property {number | null} edgeSeconds where a viewer of a live stream should be, on the video's clock
 * @property {() => void} resumeLoad goes on loading after a network failure
 * @property {() => void} recoverMedia builds the decoder anew after a media failure
 * @property {() => void} destroy
 */

/**
 * @typedef {object} EngineOptions
 * @property {HTMLVideoElement} video
 * @property {string} url
 * @property {number} startSeconds where to begin; -1 for the live edge or the beginning
 * @property {EngineEvents} events
 */

/** What lies behind the playing position is kept this long, in seconds: enough to step back, and bounded. */
const BACK_BUFFER_SECONDS = 30;

/** A playlist is overdue when it did not grow for this many target durations (RFC 8216 6.2.2 asks for 1.5). */
const OVERDUE_TARGETS = 3;

/** Details that mean: the browser has no decoder for this. */
const CODEC_DETAILS = new Set([
  "manifestIncompatibleCodecsError",
  "bufferAddCodecError",
  "bufferIncompatibleCodecsError",
]);

/**
 * Makes the engine that this browser can use, or `null` where it can use none.
 *
 * @param {EngineOptions} options
 * @param {HlsClass | undefined} HlsJs
 * @returns {Engine | null}
 */
export function createEngine(options, HlsJs) {
  if (HlsJs?.isSupported() === true) return new HlsJsEngine(HlsJs, options);
  if (options.video.canPlayType("application/vnd.apple.mpegurl") !== "") return new NativeEngine(options);
  return null;
}

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
  constructor(HlsJs, { video, url, startSeconds, events }) {
    this.#events = events;
    const hls = new HlsJs({ startPosition: startSeconds, backBufferLength: BACK_BUFFER_SECONDS });
    /** @type {Hls} */
    this.hls = hls;
    hls.on(HlsJs.Events.MANIFEST_PARSED, () => events.onReady());
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
    return details === null || !details.live || details.age < OVERDUE_TARGETS * details.targetduration;
  }

  get isOver() {
    return this.#sawLive && this.#details?.live === false;
  }

  get edgeSeconds() {
    return this.#sawLive ? this.hls.liveSyncPosition : null;
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

/** @implements {Engine} */
export class NativeEngine {
  hls = null;
  isGrowing = true;
  isOver = false;
  hasSound = true;
  #video;
  #url;
  #unlisten = new AbortController();

  /** @param {EngineOptions} options */
  constructor({ video, url, startSeconds, events }) {
    this.#video = video;
    this.#url = url;
    const { signal } = this.#unlisten;
    video.addEventListener("error", () => events.onFailure(failureOf(video.error)), { signal });
    video.addEventListener("stalled", () => events.onTrouble("stalled"), { signal });
    video.addEventListener(
      "loadedmetadata",
      () => {
        if (startSeconds >= 0) video.currentTime = startSeconds;
        events.onReady();
      },
      { signal },
    );
    video.src = url;
  }

  get isLive() {
    return this.#video.readyState === 0 ? null : this.#video.duration === Infinity;
  }

  get edgeSeconds() {
    const { seekable } = this.#video;
    return this.isLive === true && seekable.length > 0 ? seekable.end(seekable.length - 1) : null;
  }

  resumeLoad() {
    this.#video.src = this.#url;
  }

  recoverMedia() {
    this.#video.src = this.#url;
  }

  destroy() {
    this.#unlisten.abort();
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}

/**
 * @param {MediaError | null} error
 * @returns {Failure}
 */
function failureOf(error) {
  const code = error?.code ?? 0;
  const detail = `video error ${code}`;
  if (code === 3) return { kind: "media", isAtManifest: false, detail };
  // MEDIA_ERR_SRC_NOT_SUPPORTED is what a 404 gives as well: only asking the server tells them apart.
  return { kind: "network", isAtManifest: code === 4, detail };
}
