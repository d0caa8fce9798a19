// @ts-check
/** Where a viewer of a file is: what the server is asked for, and where the picture begins. */

/** Between two seeks that the server is told of, in milliseconds: it closes who sends commands without pause. */
const SEEK_PAUSE_MS = 250;
/** The picture is moved over a gap up to this, in seconds: to a first frame that is shown a little later. */
const MAX_GAP_SECONDS = 0.5;
/** So near to where it was moved, it was moved there. */
const SAME_SECONDS = 0.001;

/**
 * @typedef {object} FileParts
 * @property {HTMLVideoElement} video
 * @property {number} durationSeconds
 * @property {(command: string) => void} say to the server
 */

/** One viewer's place in a file. */
export class FilePosition {
  durationSeconds;
  #video;
  #say;
  /** Seeks that the server has not answered: what comes before its answer is of another place. */
  #unanswered = 0;
  /** Where the picture is to be. */
  #wantedSeconds = 0;
  /** Where the picture was moved to by this. */
  #movedTo = NaN;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #seeksAgain = false;
  #onSeeking = () => this.#noticeSeek();

  /** @param {FileParts} parts */
  constructor({ video, durationSeconds, say }) {
    this.#video = video;
    this.durationSeconds = durationSeconds;
    this.#say = say;
    video.addEventListener("seeking", this.#onSeeking);
  }

  /** What comes is of a place that was left. */
  get isElsewhere() {
    return this.#unanswered > 0 || this.#seeksAgain;
  }

  /** Where the picture is, or is to be, in seconds. */
  get seconds() {
    return this.isElsewhere ? this.#wantedSeconds : this.#video.currentTime;
  }

  /**
   * Asks for media from a time on; at once, or a moment later where it has just been asked.
   *
   * @param {number} seconds
   */
  seek(seconds) {
    this.#wantedSeconds = seconds;
    if (this.#timer !== undefined) {
      this.#seeksAgain = true;
      return;
    }
    this.#unanswered++;
    this.#say(`play_from=${Math.max(0, seconds).toFixed(3)}`);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#seeksAgain) return;
      this.#seeksAgain = false;
      this.seek(this.#wantedSeconds);
    }, SEEK_PAUSE_MS);
  }

  /** The server says that it has sought. */
  answered() {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
  }

  /** A new socket knows of nothing that was asked before. */
  reconnected() {
    const { seconds } = this;
    this.#unanswered = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#seeksAgain = false;
    this.seek(seconds);
  }

  /**
   * The first media is there: the picture goes to the wanted time, or to the first picture after it.
   *
   * @param {number} startSeconds of the media
   */
  begin(startSeconds) {
    this.#move(Math.max(this.#wantedSeconds, startSeconds));
  }

  /**
   * Media is there: a picture that waits just in front of it is moved there.
   *
   * @param {number} startSeconds of the media
   */
  closeGap(startSeconds) {
    const gapSeconds = startSeconds - this.#video.currentTime;
    if (gapSeconds > SAME_SECONDS && gapSeconds < MAX_GAP_SECONDS) this.#move(startSeconds);
  }

  close() {
    clearTimeout(this.#timer);
    this.#video.removeEventListener("seeking", this.#onSeeking);
  }

  /** @param {number} seconds */
  #move(seconds) {
    if (Math.abs(this.#video.currentTime - seconds) < SAME_SECONDS) return;
    this.#movedTo = seconds;
    this.#video.currentTime = seconds;
  }

  /** What the server sends follows the viewer, also where there is media already: its clock is that of the picture. */
  #noticeSeek() {
    const { currentTime } = this.#video;
    const isOwn = Math.abs(currentTime - this.#movedTo) < SAME_SECONDS;
    this.#movedTo = NaN;
    if (!isOwn) this.seek(currentTime);
  }
}
