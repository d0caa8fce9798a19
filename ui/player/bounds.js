// @ts-check
/**
 * Where the address says that playback begins and ends: `ago`, `from`, `to`, `play_duration`. Without an archive it can go
 * back as far as the live window reaches.
 */

/**
 * @typedef {object} BoundsOptions
 * @property {number | null} agoSeconds
 * @property {number | null} fromMs
 * @property {number | null} toMs
 * @property {number | null} playSeconds
 */

/**
 * What a look sees.
 * @typedef {object} Seen
 * @property {boolean | null} isLive
 * @property {number | null} edgeSeconds on the video's clock
 * @property {number | null} pictureTimeMs of the picture that is shown
 */

/** What is nearer to the wanted beginning than this needs no words, in seconds. */
const NEAR_SECONDS = 3;
/** The oldest media of a live window go while one looks: so far from them it begins, in seconds. */
const MARGIN_SECONDS = 2;
/** A step of the clock that is longer is a jump, and was not played. */
const LONGEST_STEP_SECONDS = 2;

/** Begins and ends playback where the address says. */
export class Bounds {
  #options;
  #hasBegun;
  #playedSeconds = 0;
  #lastSeconds = NaN;
  #isPastEnd = false;

  /** @param {BoundsOptions} options */
  constructor(options) {
    this.#options = options;
    this.#hasBegun = options.agoSeconds === null && options.fromMs === null;
  }

  /**
   * To be called while it plays.
   *
   * @param {HTMLVideoElement} video
   * @param {Seen} seen
   * @returns {string | null} what to tell the viewer, where it did something
   */
  look(video, seen) {
    if (!this.#hasBegun && seen.isLive !== null) {
      const words = this.#begin(video, seen);
      if (words !== null) return words;
    }
    return this.#end(video, seen);
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {Seen} seen
   */
  #begin(video, { isLive, edgeSeconds, pictureTimeMs }) {
    if (isLive === false) {
      this.#hasBegun = true;
      return null;
    }
    const { agoSeconds, fromMs } = this.#options;
    if (edgeSeconds === null || video.seekable.length === 0) return null;
    if (fromMs !== null && pictureTimeMs === null) return null;
    this.#hasBegun = true;
    const wanted =
      fromMs === null
        ? edgeSeconds - (agoSeconds ?? 0)
        : video.currentTime + (fromMs - /** @type {number} */ (pictureTimeMs)) / 1000;
    const oldest = Math.min(video.seekable.start(0) + MARGIN_SECONDS, edgeSeconds);
    const target = Math.min(Math.max(wanted, oldest), edgeSeconds);
    video.currentTime = target;
    this.#lastSeconds = target;
    if (Math.abs(target - wanted) <= NEAR_SECONDS) return null;
    return target === oldest
      ? "The server keeps no archive of this stream: this is the oldest that there is."
      : "The time that was asked for has not come yet: this is the newest that there is.";
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {Seen} seen
   */
  #end(video, { pictureTimeMs }) {
    const { toMs, playSeconds } = this.#options;
    const step = video.currentTime - this.#lastSeconds;
    this.#lastSeconds = video.currentTime;
    if (video.paused) return null;
    if (step > 0 && step < LONGEST_STEP_SECONDS) this.#playedSeconds += step;
    if (playSeconds !== null && this.#playedSeconds >= playSeconds) {
      // Who presses play again gets as much again.
      this.#playedSeconds = 0;
      video.pause();
      return "The time that this page may play for is over.";
    }
    const isPastEnd = toMs !== null && pictureTimeMs !== null && pictureTimeMs >= toMs;
    const isReached = isPastEnd && !this.#isPastEnd;
    this.#isPastEnd = isPastEnd;
    if (!isReached) return null;
    video.pause();
    return "The end that the address asks for is reached.";
  }
}
