// @ts-check
/**
 * Plays the MSE-LD socket of a live stream with as little delay as the network allows: frames go into Media Source
 * Extensions as they come, and the playing position follows the newest of them. Of a file it plays what is asked for, from
 * any time on to the end.
 */

import { TrackBuffer } from "./mse-buffer.js";
import { FilePosition } from "./mse-file.js";

/**
 * A track as the server describes it.
 * @typedef {object} MseTrack
 * @property {string} track_id
 * @property {"video" | "audio"} content
 * @property {string} mime what `MediaSource.isTypeSupported` is asked
 */

/**
 * @typedef {object} MseEngineEvents
 * @property {() => void} onReady media is there: `play()` makes sense now
 * @property {(reason: string) => void} onUnavailable the server has nothing to play, and says why
 * @property {() => void} [onEnd] the stream has ended; it plays no further. Of a file: all media up to its end is there
 * @property {(detail: string) => void} onFailure it plays no further; told once
 * @property {(detail: string) => void} onTrouble something that the engine mends by itself
 */

/**
 * @typedef {object} MseEngineOptions
 * @property {HTMLVideoElement} video
 * @property {string} url of the socket: `ws://HOST/NAME/mse_ld`
 * @property {MseEngineEvents} events
 * @property {number} [startSeconds] where a file begins; 0 unless given
 * @property {TrackPlaces} [places] which tracks to begin with
 * @property {typeof MediaSource} [MediaSource]
 * @property {typeof WebSocket} [WebSocket]
 */

/**
 * Which tracks are wanted, by their place among those of their kind, from 0. One that there is not, or that the browser
 * cannot play, means the first that it can.
 * @typedef {{ video: number, audio: number }} TrackPlaces
 */

/** Place of a fragment's track and time. */
const TRACK_BYTE = 47;
const UTC_SECONDS_AT = 92;

/** Media between the playing position and the newest frame, in seconds: at first, and at most after stalls. */
const FIRST_TARGET_SECONDS = 0.2;
const MAX_TARGET_SECONDS = 1.5;
/** A stall raises the target by so much. */
const TARGET_STEP_SECONDS = 0.08;
/** Further behind than this the position jumps; nearer, playback is a little faster or slower. */
const JUMP_SECONDS = 1;
const MAX_RATE = 1.1;
const MIN_RATE = 0.9;
/** So far around the target nothing is done. */
const SLACK_SECONDS = 0.04;

/** As the server chooses. @type {Readonly<TrackPlaces>} */
const FIRST_PLACES = { video: 0, audio: 0 };

/** States of a socket. */
const CONNECTING = 0;
const OPEN = 1;
/** Commands kept for a socket that is not open yet. */
const MAX_UNSAID = 16;
/** The stream has ended. */
const NORMAL = 1000;
/** The server goes, or asks to try again later. */
const RECONNECT_CODES = [1001, 1013];
/** Attempts without any media in between, and the longest time between two of them. */
const MAX_RECONNECTS = 6;
const MAX_RECONNECT_SECONDS = 10;

export class MseEngine {
  #video;
  #events;
  #MediaSource;
  /** @type {MediaSource | null} */
  #source = null;
  /** @type {WebSocket} */
  #socket;
  /** By the track number in the fragments. @type {Map<number, TrackBuffer>} */
  #buffers = new Map();
  /** Why no tracks were asked for again: the choice was made once. */
  #hasChosen = false;
  #isReady = false;
  #isOver = false;
  #target = FIRST_TARGET_SECONDS;
  /** Of the media source. */
  #url = "";
  #Socket;
  #address;
  /** What was said before the socket was open. @type {string[]} */
  #unsaid = [];
  /** The choice in force, for a socket that comes after this one. */
  #choice = "";
  #isPaused = false;
  #reconnects = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reconnectTimer;
  #isFinished = false;
  /** Of a file. @type {FilePosition | null} */
  #file = null;
  #startAt;
  #places;
  /** All media up to the file's end has come. */
  #isAtEnd = false;
  /** @type {ReturnType<typeof setInterval>} */
  #timer;
  #onWaiting = () => this.#stalled();
  /** Stalls after the first picture. */
  stalls = 0;
  /** Init messages: one at the beginning, and one wherever the stream broke off or its tracks became others. */
  inits = 0;
  /** UTC of the newest picture in seconds, as the server's clock has it. */
  newestUtcSeconds = 0;
  /** All tracks of the stream. @type {readonly MseTrack[]} */
  tracks = [];

  /** @param {MseEngineOptions} options */
  constructor({ video, url, events, startSeconds = 0, ...given }) {
    this.#video = video;
    this.#startAt = startSeconds;
    this.#places = given.places ?? FIRST_PLACES;
    this.#events = events;
    this.#MediaSource = given.MediaSource ?? MediaSource;
    this.#Socket = given.WebSocket ?? WebSocket;
    this.#address = url;
    this.#socket = this.#connect();
    video.addEventListener("waiting", this.#onWaiting);
    this.#timer = setInterval(() => this.#follow(), 100);
  }

  /** Seconds between the playing position and the newest frame that is there. */
  get delaySeconds() {
    const end = this.#endSeconds();
    return end === null ? 0 : end - this.#video.currentTime;
  }

  /** What it holds back to play without a stall, in seconds. */
  get targetSeconds() {
    return this.#target;
  }

  /** How long a file is; `null` for a live stream, and before it is known. */
  get durationSeconds() {
    return this.#file?.durationSeconds ?? null;
  }

  /** @param {string} tracks such as `v1a2` */
  setTracks(tracks) {
    this.#hasChosen = true;
    this.#choice = `set_tracks=${tracks}`;
    this.#say(this.#choice);
    // The server does not know where exactly the picture is.
    this.#file?.seek(this.#file.seconds);
  }

  pause() {
    this.#isPaused = true;
    this.#say("pause");
  }

  resume() {
    this.#isPaused = false;
    this.#say("resume");
  }

  /** A socket that is not open yet would throw. @param {string} command */
  #say(command) {
    if (this.#socket.readyState === OPEN) this.#socket.send(command);
    else if (this.#socket.readyState === CONNECTING && this.#unsaid.length < MAX_UNSAID)
      this.#unsaid.push(command);
  }

  #connect() {
    const socket = new this.#Socket(this.#address);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      for (const command of this.#unsaid.splice(0)) socket.send(command);
    });
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", ({ code, reason }) => this.#closed(code, reason));
    return socket;
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    if (this.#isOver || this.#isFinished) return;
    if (code === NORMAL) {
      this.#isFinished = true;
      this.#events.onEnd?.();
    } else if (RECONNECT_CODES.includes(code) && this.#reconnects < MAX_RECONNECTS) {
      const seconds = Math.min(MAX_RECONNECT_SECONDS, 2 ** this.#reconnects++);
      this.#events.onTrouble(`closed: ${code} ${reason}; connecting again`);
      this.#reconnectTimer = setTimeout(() => {
        this.#unsaid = [this.#choice, this.#isPaused ? "pause" : ""].filter((command) => command !== "");
        this.#socket = this.#connect();
        this.#file?.reconnected();
      }, seconds * 1000);
    } else this.#fail(`closed: ${code} ${reason}`);
  }

  destroy() {
    this.#isOver = true;
    clearInterval(this.#timer);
    clearTimeout(this.#reconnectTimer);
    this.#video.removeEventListener("waiting", this.#onWaiting);
    this.#file?.close();
    this.#socket.close();
    for (const buffer of this.#buffers.values()) buffer.close();
    this.#buffers.clear();
    this.#source = null;
    this.#video.removeAttribute("src");
    this.#video.load();
    if (this.#url !== "") URL.revokeObjectURL(this.#url);
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    if (this.#isOver || this.#isFinished) return;
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "mse_init_segment") this.#begin(message);
      else if (message.type === "event") this.#hear(message);
      else if (message.type === "error")
        this.#events.onTrouble(`refused: ${message.code ?? ""} ${message.reason ?? ""}`);
      return;
    }
    this.#reconnects = 0;
    if (this.#file?.isElsewhere === true) return;
    const bytes = new DataView(data);
    const buffer = this.#buffers.get(bytes.getUint8(TRACK_BYTE));
    // Sound may be ahead: what a viewer sees is the picture.
    if (buffer?.kind === "video" || this.#buffers.size === 1) {
      this.newestUtcSeconds = bytes.getUint32(UTC_SECONDS_AT) + bytes.getUint32(UTC_SECONDS_AT + 4) / 1e6;
    }
    buffer?.append(data);
  }

  /** @param {{ event: string, reason?: string }} message */
  #hear({ event, reason = "" }) {
    if (event === "stream_unavailable") this.#events.onUnavailable(reason);
    else if (event === "seeked") this.#file?.answered();
    else if (event === "recordings_ended" && this.#file?.isElsewhere === false) {
      this.#isAtEnd = true;
      this.#endWhenDone();
    }
  }

  /** A source that is told its end while a buffer takes something would throw. */
  #endWhenDone() {
    const isDone = [...this.#buffers.values()].every((buffer) => buffer.isIdle);
    if (
      !this.#isAtEnd ||
      this.#file?.isElsewhere === true ||
      !isDone ||
      this.#source?.readyState !== "open"
    )
      return;
    this.#source.endOfStream();
    this.#events.onEnd?.();
  }

  /**
   * Whether an init message is that of the place in a file where the viewer wants to be.
   *
   * @param {number | undefined} durationSeconds
   */
  #isOfPlace(durationSeconds) {
    if (durationSeconds === undefined) return true;
    if (this.#file === null) {
      const say = (/** @type {string} */ command) => this.#say(command);
      this.#file = new FilePosition({ video: this.#video, durationSeconds, say });
      if (this.#startAt > 0) this.#file.seek(this.#startAt);
    }
    this.#isAtEnd = false;
    return !this.#file.isElsewhere;
  }

  /**
   * @param {{
   *   metadata: { tracks: MseTrack[], duration?: number },
   *   tracks: (MseTrack & { id: number, payload: string })[],
   * }} message
   */
  #begin({ metadata, tracks }) {
    if (!this.#isOfPlace(metadata.duration)) return;
    this.tracks = metadata.tracks;
    this.inits++;
    const canPlay = (/** @type {string} */ mime) => this.#MediaSource.isTypeSupported(mime);
    const wanted = chooseTracks(metadata.tracks, canPlay, this.#places);
    const given = tracks.map((track) => track.track_id).join("");
    if (wanted === "") {
      this.#fail("codec: this browser plays none of the tracks");
      return;
    }
    const isAsChosen = this.#places === FIRST_PLACES && tracks.every(({ mime }) => canPlay(mime));
    // What was chosen may be gone; a kind that is there is not left out for that.
    const isIncomplete = wanted.length > given.length && this.#choice !== `set_tracks=${wanted}`;
    if (wanted !== given && (isIncomplete || (!isAsChosen && !this.#hasChosen))) {
      this.setTracks(wanted);
      return;
    }
    if (this.#file === null) this.#buffers.forEach((buffer) => buffer.clear());
    else this.#buffers.forEach((buffer) => buffer.forget());
    if (this.#hasBuffersFor(tracks)) this.#initialise(tracks);
    else this.#open(tracks);
  }

  /** @param {readonly MseTrack[]} tracks */
  #hasBuffersFor(tracks) {
    const kinds = [...this.#buffers.values()].map(({ kind }) => kind);
    // One that has ended opens again with the next media.
    return (
      (this.#source?.readyState ?? "closed") !== "closed" &&
      tracks.map(({ content }) => content).join() === kinds.join()
    );
  }

  /** A media source takes its buffers at the beginning only: other kinds of tracks need another one. */
  #open(/** @type {(MseTrack & { id: number, payload: string })[]} */ tracks) {
    this.#buffers.forEach((buffer) => buffer.close());
    this.#buffers.clear();
    this.#isReady = false;
    const source = new this.#MediaSource();
    this.#source = source;
    if (this.#url !== "") URL.revokeObjectURL(this.#url);
    this.#url = URL.createObjectURL(source);
    this.#video.src = this.#url;
    for (const { id, content } of tracks) this.#buffers.set(id, new TrackBuffer(content, this.#hooks()));
    this.#initialise(tracks);
    const opened = () => {
      if (this.#source !== source) return;
      if (this.#file !== null) source.duration = this.#file.durationSeconds;
      for (const { id, mime } of tracks) this.#buffers.get(id)?.attach(source.addSourceBuffer(mime));
    };
    source.addEventListener("sourceopen", opened, { once: true });
  }

  /** @param {(MseTrack & { id: number, payload: string })[]} tracks */
  #initialise(tracks) {
    const buffers = [...this.#buffers.values()];
    this.#buffers.clear();
    tracks.forEach(({ id, mime, payload }, i) => {
      const buffer = /** @type {TrackBuffer} */ (buffers[i]);
      this.#buffers.set(id, buffer);
      buffer.begin(
        mime,
        Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0)),
      );
    });
  }

  #hooks() {
    return {
      playedSeconds: () => this.#video.currentTime,
      onAppended: () => {
        this.#follow();
        this.#endWhenDone();
      },
      onFailure: (/** @type {string} */ detail) => this.#fail(detail),
    };
  }

  /** Where all tracks have media up to; `null` while one has none. */
  #endSeconds() {
    let end = Infinity;
    for (const buffer of this.#buffers.values()) end = Math.min(end, buffer.endSeconds ?? -1);
    return end < 0 || end === Infinity ? null : end;
  }

  /** Keeps the playing position so far behind the newest frame as the target says. */
  #follow() {
    const end = this.#endSeconds();
    if (end === null || this.#isOver) return;
    const video = this.#video;
    if (this.#file !== null) {
      this.#followFile(this.#file);
      return;
    }
    const delay = end - video.currentTime;
    if (!this.#isReady) {
      this.#isReady = true;
      video.currentTime = Math.max(this.#startSeconds(), end - this.#target);
      this.#events.onReady();
      return;
    }
    if (video.paused || video.seeking) return;
    if (delay > this.#target + JUMP_SECONDS || delay < -SLACK_SECONDS) {
      if (end - this.#target < this.#startSeconds()) return;
      this.#events.onTrouble(`jumped by ${(delay - this.#target).toFixed(2)} s`);
      video.currentTime = end - this.#target;
      return;
    }
    const late = delay - this.#target;
    video.playbackRate = Math.abs(late) < SLACK_SECONDS ? 1 : rateFor(late);
  }

  /** A file is played as it is: the position is moved only to where its media begins. */
  #followFile(/** @type {FilePosition} */ file) {
    if (file.isElsewhere) return;
    if (this.#isReady) {
      file.closeGap(this.#startSeconds());
      return;
    }
    this.#isReady = true;
    file.begin(this.#startSeconds());
    this.#events.onReady();
  }

  /** Where the newest stretch that all tracks have begins. */
  #startSeconds() {
    let start = 0;
    for (const buffer of this.#buffers.values()) start = Math.max(start, buffer.startSeconds ?? 0);
    return start;
  }

  #stalled() {
    if (!this.#isReady || this.#video.seeking || this.#video.currentTime === 0 || this.#isOver) return;
    this.stalls++;
    this.#target = Math.min(MAX_TARGET_SECONDS, this.#target + TARGET_STEP_SECONDS);
    this.#events.onTrouble("stalled");
  }

  /** @param {string} detail */
  #fail(detail) {
    if (this.#isOver || this.#isFinished) return;
    this.#isFinished = true;
    this.#events.onFailure(detail);
  }
}

/**
 * The choice of tracks that a browser can play, one of each kind, as `set_tracks` takes it; the empty text when it can
 * play none.
 *
 * @param {readonly MseTrack[]} tracks
 * @param {(mime: string) => boolean} isSupported
 * @param {TrackPlaces} [places]
 */
export function chooseTracks(tracks, isSupported, places = FIRST_PLACES) {
  const chosen = (/** @type {"video" | "audio"} */ kind) => {
    const all = tracks.filter(({ content }) => content === kind);
    const wanted = all[places[kind]];
    const track =
      wanted !== undefined && isSupported(wanted.mime) ? wanted : all.find(({ mime }) => isSupported(mime));
    return track?.track_id ?? "";
  };
  return chosen("video") + chosen("audio");
}

/**
 * How fast to play when the position is so many seconds later than it should be: within a tenth of the usual speed.
 *
 * @param {number} lateSeconds
 */
export function rateFor(lateSeconds) {
  const rate = 1 + lateSeconds / 2;
  return Math.min(MAX_RATE, Math.max(MIN_RATE, Math.round(rate * 100) / 100));
}
