// @ts-check
/** Whether the picture moves: the video element's clock and events, watched from outside. */

/** A picture that moved within this time still moves: its clock is looked at twice a second. */
const MOVING_MS = 1000;

/** What is known of the picture. Counters never go back. */
export class Picture {
  #video;
  #nowMs;
  #lastTime = 0;
  #movedMs = -Infinity;
  #waitingSinceMs = 0;
  #isBuffering = false;
  /** There was a picture since the last start. */
  isFlowing = false;
  hasPlayed = false;
  /** `waiting` events between the first picture and the next start, without those of seeking: stalls as seen. */
  waits = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => number} nowMs
   */
  constructor(video, nowMs) {
    this.#video = video;
    this.#nowMs = nowMs;
    this.#waitingSinceMs = nowMs();
    video.addEventListener("waiting", () => this.#onWaiting());
    video.addEventListener("playing", () => this.#onPlaying());
  }

  /** Moved within the last second. */
  get isMoving() {
    return this.#nowMs() - this.#movedMs < MOVING_MS;
  }

  /** Has run out of data, as the video element says. */
  get isBuffering() {
    return this.#isBuffering && !this.#video.paused;
  }

  /** For how long there was a reason to move, and no movement, in milliseconds. */
  get stuckMs() {
    return this.#nowMs() - this.#waitingSinceMs;
  }

  /**
   * Looks at the clock; to be called twice a second.
   *
   * @param {boolean} isWanted it should move
   * @returns {boolean} it moved since the last look
   */
  look(isWanted) {
    const { currentTime, paused, readyState } = this.#video;
    const hasMoved = currentTime !== this.#lastTime && !paused && readyState > 2;
    this.#lastTime = currentTime;
    if (hasMoved) this.#movedMs = this.#nowMs();
    if (hasMoved || !isWanted) this.expect();
    return hasMoved;
  }

  /** From now on there is a reason to move: patience begins anew. */
  expect() {
    this.#waitingSinceMs = this.#nowMs();
  }

  /** A new start: what is missing until the next picture is no stall. */
  restart() {
    this.isFlowing = false;
    this.expect();
  }

  #onWaiting() {
    this.#isBuffering = true;
    if (this.isFlowing && !this.#video.seeking) this.waits++;
  }

  #onPlaying() {
    this.#isBuffering = false;
    this.isFlowing = true;
    this.hasPlayed = true;
    this.expect();
  }
}
