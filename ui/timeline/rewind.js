// @ts-check
/** Goes from what is live to what is recorded and back: decides what plays, and has `Playback` play it. */

import { placeFor } from "./place.js";

/** @typedef {import("./place.js").Place} Place */

/**
 * What of `Playback` this needs.
 * @typedef {object} Player
 * @property {{ pictureTimeMs: number | null, isAtEdge: boolean, edgeSeconds: number | null }} view
 * @property {(timeMs: number) => number | null} placeOf on the video's clock; `null` where what plays does not have it
 * @property {(seconds: number) => void} seekTo
 * @property {() => void} seekToLive
 * @property {() => void} reopen
 */

/**
 * @typedef {object} RewindOptions
 * @property {() => import("./recording.js").Recording} recording
 * @property {() => number} nowMs the server's clock
 * @property {() => boolean} canSeekAtStart the player that plays can begin anywhere in a playlist
 * @property {(text: string) => void} log
 */

/** Nearer to the newest picture than this is live, in milliseconds. */
const LIVE_MS = 8000;
/** A player that begins so near to where it should has arrived. */
const ARRIVED_MS = 8000;
/** A playlist that grows is left for the live one when it is so long and its end is reached. */
const LONG_MS = 3 * 3_600_000;
/** The way back to live is without a new player as long as the playlist is no longer than this. */
const SHORT_MS = 15 * 60_000;

/** What plays now: `null` is live. */
export class Rewind {
  #options;
  /** @type {Player | null} */
  #player = null;
  /** @type {Place | null} */
  #place = null;
  /** Where it began, and then where it is. */
  #atMs = 0;
  /** A player was made, and its picture has not been seen. */
  #isArriving = false;

  /** @param {RewindOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** @param {Player} player */
  attach(player) {
    this.#player = player;
  }

  /** What plays is recorded; the newest picture may be reached all the same. */
  get isPast() {
    return this.#place !== null;
  }

  /** The playlist that plays; `null`: the live one. */
  get place() {
    return this.#place;
  }

  /** Where a player that is made now begins; `null`: at the live edge. Milliseconds since 1970. */
  get startMs() {
    return this.#place === null ? null : this.#atMs;
  }

  get isAtEdge() {
    const grows = this.#place === null || this.#place.toMs === null;
    return grows && this.#player?.view.isAtEdge === true;
  }

  /** Where the picture is; where it will be, while a player is made. `null`: not known. Milliseconds since 1970. */
  get pictureMs() {
    return this.#player?.view.pictureTimeMs ?? this.startMs;
  }

  /**
   * Plays from a time on, or from the next recorded one.
   *
   * @param {number} timeMs
   * @returns {boolean} `false`: it went to what is live, for nothing is recorded from there on
   */
  goTo(timeMs) {
    const { recording, nowMs, log } = this.#options;
    const startMs = recording().next(timeMs);
    if (startMs === null || startMs > nowMs() - LIVE_MS) {
      this.toLive();
      return false;
    }
    this.#atMs = startMs;
    const seconds = this.#place === null ? null : (this.#player?.placeOf(startMs) ?? null);
    if (seconds !== null) this.#player?.seekTo(seconds);
    else {
      this.#open(startMs);
      log(`to ${new Date(startMs).toISOString()}, ${this.#place?.stem}`);
      this.#player?.reopen();
    }
    return true;
  }

  /** What the page begins with; the player is not made yet. @param {number} timeMs */
  beginAt(timeMs) {
    const { recording, nowMs } = this.#options;
    const startMs = recording().next(timeMs);
    if (startMs === null || startMs > nowMs() - LIVE_MS) return;
    this.#open(startMs);
  }

  /** To the newest picture. */
  toLive() {
    const place = this.#place;
    const isShort =
      place !== null && place.toMs === null && this.#options.nowMs() - place.fromMs < SHORT_MS;
    if (place === null || (isShort && (this.#player?.view.edgeSeconds ?? null) !== null)) {
      this.#player?.seekToLive();
      return;
    }
    this.#place = null;
    this.#options.log("back to what is live");
    this.#player?.reopen();
  }

  /** What plays has come to its end: what was recorded behind it follows, or what is live. */
  onEnded() {
    const { toMs } = this.#place ?? { toMs: null };
    if (toMs !== null) this.goTo(Math.max(toMs, this.#atMs));
  }

  /** To be called while it plays. @param {number} seconds on the video's clock */
  look(seconds) {
    const timeMs = this.#player?.view.pictureTimeMs ?? null;
    if (this.#place === null || timeMs === null) return;
    const offMs = this.#atMs - timeMs;
    const isElsewhere = this.#isArriving && Math.abs(offMs) > ARRIVED_MS;
    this.#isArriving = false;
    // Some players begin what grows at its newest picture, whatever they are told.
    if (isElsewhere) {
      this.#player?.seekTo(Math.max(0, seconds + offMs / 1000));
      return;
    }
    this.#atMs = timeMs;
    const isLong = this.#options.nowMs() - this.#place.fromMs > LONG_MS;
    if (isLong && this.isAtEdge) this.toLive();
  }

  /** @param {number} timeMs */
  #open(timeMs) {
    const leadMs = this.#options.canSeekAtStart() ? undefined : 0;
    this.#atMs = timeMs;
    this.#place = placeFor(timeMs, this.#options.nowMs(), leadMs);
    this.#isArriving = true;
  }
}
