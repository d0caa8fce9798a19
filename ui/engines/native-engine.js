// @ts-check
/** The browser's own HLS, where there are no Media Source Extensions (older iOS). */

/**
 * @typedef {import("../player/engines.js").Engine} Engine
 * @typedef {import("../player/engines.js").EngineOptions} EngineOptions
 * @typedef {import("../player/engines.js").Failure} Failure
 */

/** @implements {Engine} */
export class NativeEngine {
  hls = null;
  breaks = 0;
  isOutdated = false;
  canResume = true;
  isGrowing = true;
  isOver = false;
  hasSound = true;
  /** Sound tracks and subtitles are in the browser's own menus. */
  /** @type {import("../player/engines.js").Choice[]} */
  choices = [];
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

  /** Safari knows the time of its first picture. */
  get pictureTimeMs() {
    const video = /** @type {HTMLVideoElement & { getStartDate?: () => Date }} */ (this.#video);
    const startMs = video.getStartDate?.().getTime() ?? NaN;
    return Number.isNaN(startMs) ? null : startMs + video.currentTime * 1000;
  }

  choose() {}

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
