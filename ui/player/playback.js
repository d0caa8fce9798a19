// @ts-check
/**
 * Keeps a stream playing: starts it, notices when it stops, finds out why, waits, and starts it again. It touches the
 * video element and the engine only; what a person sees is `controls.js`.
 */

import { messageFor } from "./messages.js";
import { playIfAllowed } from "./permission.js";
import { Picture } from "./picture.js";
import { Budget, pollDelayMs, ServerWatch } from "./recovery.js";
import { rescueOf } from "./rescue.js";
import { situationOf } from "./situation.js";
import { Stalls } from "./stalls.js";
import { Wishes } from "./wishes.js";

/**
 * @typedef {import("./engines.js").Engine} Engine
 * @typedef {import("./engines.js").EngineEvents} EngineEvents
 * @typedef {import("./engines.js").Failure} Failure
 * @typedef {import("./messages.js").Message} Message
 * @typedef {import("./probe.js").Probe} Probe
 * @typedef {import("./situation.js").Phase} Phase
 */

/** @type {Record<Phase, readonly Phase[]>} */
const LEGAL = {
  idle: ["starting", "absent", "unplayable", "broken"],
  starting: ["starting", "idle", "playing", "absent", "unplayable", "broken", "finished"],
  playing: ["starting", "idle", "absent", "unplayable", "broken", "finished"],
  absent: ["starting"],
  unplayable: ["starting"],
  broken: ["starting"],
  finished: ["starting", "playing", "absent", "unplayable", "broken"],
};

const MINUTE_MS = 60_000;
const TICK_MS = 500;
/** A live viewer further behind than this was asleep, in seconds. */
const FAR_BEHIND_SECONDS = 10;
/** Not further behind than this counts as live, in seconds. */
const AT_EDGE_SECONDS = 6;
/** A new player of the same kind is tried once; if that fails as well soon after, one of another kind. */
const TRIES_OF_A_KIND = 1;
/** So many stalls in a minute are too many for a kind of player that gives up smoothness for nearness. */
const MAX_STALLS = 4;
/** So many changes of a stream's tracks in a minute are followed at once. */
const MAX_CHANGES = 4;
/** The pause after too many failures. */
const BROKEN_PAUSE_MS = 30_000;

/**
 * @typedef {object} PlaybackOptions
 * @property {HTMLVideoElement} video
 * @property {string} name
 * @property {(startSeconds: number, events: EngineEvents) => Engine | null} createEngine
 * @property {(signal: AbortSignal) => Promise<Probe>} probe
 * @property {(codec: string) => boolean} canDecode
 * @property {(why: string) => boolean} fallBack the next engine will be of another kind; `false`: there is none
 * @property {() => void} beginAnew the next engine will be of the first kind again
 * @property {() => boolean} isImpatient the present kind is one that stalls easily, and there are calmer ones
 * @property {() => boolean} [mayStayBehind] the viewer wants to be where he is, be it far behind what is live
 * @property {() => number} serverMs the server's clock, in milliseconds since 1970
 * @property {() => boolean} isOnline
 * @property {() => boolean} isHidden
 * @property {() => number} nowMs monotonic
 * @property {(text: string) => void} log
 * @property {() => void} onChange something that is shown may have changed
 */

/** The player's behaviour; lives as long as its page. */
export class Playback {
  #options;
  #video;
  #picture;
  #watch;
  /** @type {Engine | null} */
  #engine = null;
  #heeded = new AbortController();
  /** @type {Phase} */
  #phase = "idle";
  /** @type {Probe | null} */
  #probe = null;
  /** @type {Message | null} */
  #message = null;
  #wantsPlay = false;
  #wasLive = false;
  #startSeconds = -1;
  #jumpedMs = -Infinity;
  /** When the stream, or the way to it, was last seen to stand. */
  #overdueMs = -Infinity;
  /** Engines in a row that were given up before they had a picture. */
  #fruitless = 0;
  #wishes = new Wishes();
  /** @type {{ tick?: ReturnType<typeof setInterval>, restart?: ReturnType<typeof setTimeout> }} */
  #timers = {};
  #budgets = {
    resumeLoad: new Budget(3, MINUTE_MS),
    recoverMedia: new Budget(2, MINUTE_MS),
    restart: new Budget(5, MINUTE_MS),
    sameKind: new Budget(TRIES_OF_A_KIND, MINUTE_MS),
    stall: new Budget(MAX_STALLS, MINUTE_MS),
    change: new Budget(MAX_CHANGES, MINUTE_MS),
  };
  #stalls = new Stalls(0);
  #bufferStalls = 0;
  #recoveries = 0;

  /** @param {PlaybackOptions} options */
  constructor(options) {
    const { video } = options;
    this.#options = options;
    this.#video = video;
    this.#picture = new Picture(video, options.nowMs);
    this.#watch = new ServerWatch(options.probe);
    video.addEventListener("playing", () => this.#onPicture());
    video.addEventListener("pause", () => this.#onPause());
    video.addEventListener("ended", () => this.#onEnded());
    for (const name of ["play", "waiting", "volumechange", "durationchange", "seeked", "resize"]) {
      video.addEventListener(name, () => options.onChange());
    }
  }

  /** The engine's hls.js, while there is one. */
  get hls() {
    return this.#engine?.hls ?? null;
  }

  /** What is to be shown, as plain data. */
  get view() {
    const behindSeconds = this.#behindSeconds();
    const isWaiting = this.#phase === "starting" || this.#picture.isBuffering;
    return {
      phase: this.#phase,
      message: this.#message,
      isLive: this.#engine?.isLive ?? (this.#wasLive ? true : null),
      isAtEdge: this.#phase === "playing" && behindSeconds !== null && behindSeconds < AT_EDGE_SECONDS,
      behindSeconds,
      isBusy: isWaiting && this.#message === null,
      hasPlayed: this.#picture.hasPlayed,
      hasSound: this.#engine?.hasSound ?? true,
      choices: this.#engine?.choices ?? [],
      edgeSeconds: this.#engine?.edgeSeconds ?? null,
      pictureTimeMs: this.#engine?.pictureTimeMs ?? null,
      delaySeconds: this.#delaySeconds(),
      waits: this.#picture.waits,
      bufferStalls: this.#bufferStalls,
      recoveries: this.#recoveries,
    };
  }

  /** Begins to play, or goes on: the answer to a click as well as to the page's opening. */
  play() {
    this.#wantsPlay = true;
    if (this.#phase === "absent") this.#watch.poke();
    else if (this.#engine === null) this.#start();
    else if (this.#phase === "finished") this.#replay();
    else if (this.#isFarBehind()) this.seekToLive();
    else void this.#startVideo();
  }

  /** Stops the picture; the stream stays loaded. */
  pause() {
    this.#wantsPlay = false;
    this.#video.pause();
    this.#options.onChange();
  }

  /**
   * The viewer chooses a quality, a sound track or subtitles.
   *
   * @param {import("./engines.js").Choice["kind"]} kind
   * @param {number} index
   */
  choose(kind, index) {
    const names = this.#engine?.choices.find((choice) => choice.kind === kind)?.names ?? [];
    this.#wishes.note(kind, index, names);
    this.#engine?.choose(kind, index);
    this.#options.onChange();
  }

  /** Tries again now, whatever the last answer was. */
  retry() {
    this.#wantsPlay = true;
    this.#options.beginAnew();
    for (const budget of Object.values(this.#budgets)) budget.refill();
    this.#fruitless = 0;
    this.#start();
  }

  /** Goes to the newest picture of a live stream, and plays. */
  seekToLive() {
    const edgeSeconds = this.#engine?.edgeSeconds ?? null;
    if (edgeSeconds === null) return;
    this.#options.log(`to the live edge, ${(edgeSeconds - this.#video.currentTime).toFixed(1)} s ahead`);
    this.#jumpedMs = this.#options.nowMs();
    this.#video.currentTime = edgeSeconds;
    this.#wantsPlay = true;
    void this.#startVideo();
    this.#options.onChange();
  }

  /** Plays something else: what `createEngine` makes now, from where that says. */
  reopen() {
    this.#wantsPlay = true;
    this.#drop();
    this.#wasLive = false;
    this.#startSeconds = -1;
    this.#picture.restart();
    this.#options.beginAnew();
    this.#fruitless = 0;
    this.#start();
  }

  /** Goes to another place of what plays, and plays on. @param {number} seconds on the video's clock */
  seekTo(seconds) {
    this.#jumpedMs = this.#options.nowMs();
    this.#video.currentTime = seconds;
    if (this.#phase === "finished") this.#moveTo("playing");
    this.#wantsPlay = true;
    void this.#startVideo();
    this.#options.onChange();
  }

  /** Where a time is on the video's clock; `null` where what plays does not have it. @param {number} timeMs */
  placeOf(timeMs) {
    return this.#engine?.placeOf?.(timeMs) ?? null;
  }

  /** The page is seen again, or the network is back: looks at once instead of at the next timer. */
  poke() {
    this.#watch.poke();
    if (this.#phase !== "playing" || !this.#wantsPlay) return;
    if (this.#isFarBehind()) this.seekToLive();
    else if (this.#video.paused) void this.#startVideo();
  }

  // From here on: what happens by itself.

  #start() {
    this.#drop();
    this.#moveTo("starting");
    this.#timers.tick ??= setInterval(() => this.#tick(), TICK_MS);
    const heeded = new AbortController();
    this.#heeded = heeded;
    const engine = this.#options.createEngine(this.#startSeconds, this.#listenUntil(heeded.signal));
    // It may have failed while it was made, and something else may have begun.
    if (heeded.signal.aborted) engine?.destroy();
    else this.#engine = engine;
    this.#budgets.stall.refill();
    this.#stalls = new Stalls(this.#picture.waits);
    this.#wishes.begin();
    if (engine === null) this.#becomeUnplayable();
  }

  /**
   * What an engine says is heeded while it is the present one.
   *
   * @param {AbortSignal} signal
   * @returns {EngineEvents}
   */
  #listenUntil(signal) {
    return {
      onReady: () => signal.aborted || this.#onReady(),
      onFailure: (failure) => signal.aborted || this.#onFailure(failure),
      onTrouble: (detail) => {
        if (!signal.aborted && detail === "bufferStalledError") this.#bufferStalls++;
      },
    };
  }

  #onReady() {
    if (this.#wantsPlay) void this.#startVideo();
    else if (this.#phase === "starting") this.#moveTo("idle");
  }

  /** Lets go of the engine and of every timer that belongs to it; remembers where it was. */
  #drop() {
    this.#watch.stop();
    clearTimeout(this.#timers.restart);
    this.#noteStart();
    this.#heeded.abort();
    const engine = this.#engine;
    this.#engine = null;
    engine?.destroy();
  }

  #noteLive() {
    this.#wasLive ||= this.#engine?.isLive === true;
    return this.#wasLive;
  }

  /** A file goes on where its last picture was; a live stream at its edge. */
  #noteStart() {
    if (this.#noteLive()) this.#startSeconds = -1;
    else if (this.#picture.isFlowing) this.#startSeconds = this.#video.currentTime;
  }

  async #startVideo() {
    const engine = this.#engine;
    const isAllowed = await playIfAllowed(this.#video, this.#options.log);
    if (isAllowed || engine !== this.#engine) return;
    this.#wantsPlay = false;
    if (this.#phase === "starting" || this.#phase === "playing") this.#moveTo("idle");
  }

  /** At its end a video begins anew by itself; after a step back from there it goes on. */
  #replay() {
    this.#moveTo("playing");
    void this.#startVideo();
  }

  #onPicture() {
    this.#wantsPlay = true;
    this.#fruitless = 0;
    if (this.#phase === "idle") this.#moveTo("starting");
    if (this.#phase === "starting" || this.#phase === "finished") this.#moveTo("playing");
    else this.#options.onChange();
  }

  #onPause() {
    // A muted video in a hidden tab is paused by the browser to save power; that is not the viewer's wish.
    const isPowerSaving = this.#options.isHidden() && this.#video.muted;
    if (!this.#video.ended && !isPowerSaving) this.#wantsPlay = false;
    this.#options.onChange();
  }

  #onEnded() {
    if (this.#phase === "absent" || this.#engine === null) return;
    if (this.#noteLive()) this.#watchServer(null);
    else if (this.#phase === "starting" || this.#phase === "playing") this.#moveTo("finished");
  }

  /** @param {Failure} failure */
  #onFailure(failure) {
    this.#options.log(`${failure.kind} failure: ${failure.detail}`);
    // While the server is being asked, what is buffered may fail as well; the answer leads on from there.
    if (this.#phase === "absent") return;
    if (failure.kind === "network") this.#watchServer(failure);
    else if (failure.kind === "codec") this.#onCodecFailure(failure.detail);
    else if (failure.kind === "media" && this.#take("recoverMedia") > 0) this.#recoverMedia();
    else this.#restart();
  }

  #recoverMedia() {
    if (this.#engine?.canResume === false) this.#startAfresh();
    else this.#recover("recoverMedia");
  }

  /** @param {string} detail */
  #onCodecFailure(detail) {
    if (!this.#startOtherKind(detail)) this.#becomeUnplayable();
  }

  /**
   * Goes on with another kind of player at once, where there is one.
   *
   * @param {string} why
   */
  #startOtherKind(why) {
    if (!this.#options.fallBack(why)) return false;
    this.#recoveries++;
    this.#start();
    return true;
  }

  /** @param {"resumeLoad" | "recoverMedia" | "restart" | "sameKind" | "stall" | "change"} step */
  #take(step) {
    return this.#budgets[step].take(this.#options.nowMs());
  }

  /** @param {"resumeLoad" | "recoverMedia"} step */
  #recover(step) {
    this.#options.log(`recovering: ${step}`);
    this.#recoveries++;
    this.#noteStart();
    this.#moveTo("starting");
    this.#engine?.[step]();
    if (this.#wantsPlay) void this.#startVideo();
  }

  /** A new engine: at once the first time, after a growing pause when that was not long ago. */
  #restart() {
    const attempt = this.#take("restart");
    if (attempt === 0) {
      this.#breakOff();
      return;
    }
    this.#options.log(`recovering: a new player, attempt ${attempt}`);
    this.#recoveries++;
    if (this.#take("sameKind") === 0 && this.#options.fallBack("it keeps failing")) {
      this.#budgets.sameKind.refill();
    }
    this.#drop();
    this.#moveTo("starting");
    const delayMs = attempt === 1 ? 0 : pollDelayMs(attempt - 2);
    this.#timers.restart = setTimeout(() => this.#start(), delayMs);
  }

  #breakOff() {
    this.#options.log(`too many failures: the next attempt is in ${BROKEN_PAUSE_MS / 1000} s`);
    this.#drop();
    this.#moveTo("broken");
    this.#timers.restart = setTimeout(() => this.#start(), BROKEN_PAUSE_MS);
  }

  /** No decoder: waits for the stream to become another one. */
  #becomeUnplayable() {
    this.#drop();
    this.#moveTo("unplayable");
    this.#watch.start((probe) => {
      const codecs = probe.codecs.join();
      const refused = this.#probe?.codecs.join() ?? "";
      const isAnother = codecs !== "" && refused !== "" && codecs !== refused;
      if (isAnother) {
        this.#options.beginAnew();
        this.#start();
      } else if (refused === "") this.#hear(probe);
      return !isAnother;
    });
  }

  /**
   * Asks the server until the stream is there.
   *
   * @param {Failure | null} failure what stopped the engine; `null` where the stream came to its end
   */
  #watchServer(failure) {
    const wasLive = this.#noteLive();
    const mustGrow = failure !== null && !failure.isAtManifest && this.#engine?.canResume === false;
    let wasGone = false;
    /** @type {string | null} */
    let newest = null;
    this.#moveTo("absent");
    this.#watch.start((probe, attempt) => {
      const isThere = probe.finding === "there";
      wasGone ||= !isThere;
      const stands = isThere && mustGrow && !wasGone && (newest === null || newest === probe.newest);
      newest = probe.newest;
      const isBack = (isThere && !stands) || (probe.finding === "ended" && !wasLive);
      if (isBack && mustGrow && !wasGone) this.#goOn();
      else if (isBack) this.#comeBack(failure, attempt);
      else if (probe.finding === "off" && this.#startOtherKind("it is switched off here")) return false;
      else this.#hear(probe);
      return !isBack;
    });
  }

  /**
   * @param {Failure | null} failure
   * @param {number} attempt
   */
  #comeBack(failure, attempt) {
    this.#options.log(attempt === 0 ? "the server has the stream" : "the stream is back");
    if (attempt > 0) this.#options.beginAnew();
    if (attempt > 0 || failure === null) this.#start();
    else if (!failure.isAtManifest && this.#take("resumeLoad") > 0) this.#recover("resumeLoad");
    else this.#restart();
  }

  /** The stream moves again, and the engine cannot go on where it broke off. */
  #goOn() {
    this.#options.log("the stream moves");
    if (this.#take("resumeLoad") > 0) this.#startAfresh();
    else this.#restart();
  }

  /** A new engine of the same kind, for no fault of the one before. */
  #startAfresh() {
    this.#recoveries++;
    this.#start();
  }

  /** @param {Probe | null} probe */
  #hear(probe) {
    this.#probe = probe;
    this.#refreshMessage();
  }

  #tick() {
    const isAsleep = this.#video.paused && this.#options.isHidden();
    const hasMoved = this.#picture.look(this.#wantsPlay && !isAsleep);
    // After a recovery without a gap in the picture there is no `playing` event.
    if (hasMoved && this.#phase === "starting") this.#onPicture();
    this.#lookAfterEngine();
    this.#calmDown();
    this.#refreshMessage();
  }

  #lookAfterEngine() {
    const engine = this.#engine;
    if (engine === null || (this.#phase !== "starting" && this.#phase !== "playing")) return;
    if (!engine.isGrowing || !this.#options.isOnline()) this.#overdueMs = this.#options.nowMs();
    this.#wishes.tell(engine);
    // Who has paused keeps the picture that he sees.
    const isOutdated = engine.isOutdated && this.#wantsPlay;
    if (!isOutdated || this.#take("change") === 0) this.#freeWhenStuck(engine, this.#phase);
    else {
      this.#options.log("what follows the stream's break wants a new player");
      this.#startAfresh();
    }
  }

  /**
   * @param {Engine} engine
   * @param {"starting" | "playing"} phase
   */
  #freeWhenStuck(engine, phase) {
    const nowMs = this.#options.nowMs();
    const rescue = rescueOf({
      phase,
      stuckMs: this.#picture.stuckMs,
      growingMs: nowMs - this.#overdueMs,
      jumpedMs: nowMs - this.#jumpedMs,
      isLive: engine.isLive,
      isOver: engine.isOver,
      isFarBehind: this.#isFarBehind(),
    });
    if (rescue === "over") this.#watchServer(null);
    else if (rescue === "jump") this.seekToLive();
    else if (rescue === "anew") this.#giveUpEngine(phase);
  }

  /**
   * Another engine of the kind, then one of another kind, and when there is none left, a button.
   *
   * @param {"starting" | "playing"} phase
   */
  #giveUpEngine(phase) {
    this.#options.log("no picture, though the stream goes on");
    if (phase === "playing" || this.#fruitless++ === 0) this.#restart();
    else if (!this.#startOtherKind("no picture came")) this.#breakOff();
  }

  /** A kind of player that stalls again and again makes room for a calmer one; a file is played as calmly by each. */
  #calmDown() {
    const { breaks = 0, isGrowing = true } = this.#engine ?? {};
    const nowMs = this.#options.nowMs();
    const stalls = this.#stalls.look({ waits: this.#picture.waits, breaks, isGrowing, nowMs });
    const mayBeCalmer = this.#options.isImpatient() && this.#engine?.isLive !== false;
    if (this.#phase !== "playing" || !mayBeCalmer || this.#options.isHidden()) return;
    for (let i = 0; i < stalls; i++) {
      if (this.#take("stall") > 0) continue;
      this.#startOtherKind("it stalls too often");
      return;
    }
  }

  /** Between the picture's arrival at the server and now; of a live stream only. */
  #delaySeconds() {
    const timeMs = this.#engine?.isLive === true ? this.#engine.pictureTimeMs : null;
    return timeMs === null ? null : Math.max(0, (this.#options.serverMs() - timeMs) / 1000);
  }

  #behindSeconds() {
    const edgeSeconds = this.#engine?.edgeSeconds ?? null;
    return edgeSeconds === null ? null : Math.max(0, edgeSeconds - this.#video.currentTime);
  }

  #isFarBehind() {
    if (this.#options.mayStayBehind?.() === true) return false;
    return (this.#behindSeconds() ?? 0) > FAR_BEHIND_SECONDS;
  }

  #refreshMessage() {
    const situation = situationOf({
      phase: this.#phase,
      finding: this.#probe?.finding ?? null,
      stuckMs: this.#picture.stuckMs,
      isMoving: this.#picture.isMoving,
      isOnline: this.#options.isOnline(),
      isOverdue: this.#engine?.isLive === true && !this.#engine.isGrowing,
    });
    if (situation !== "same") this.#say(situation);
    this.#options.onChange();
  }

  /** @param {import("./messages.js").Situation | null} situation */
  #say(situation) {
    const { name, canDecode, log } = this.#options;
    const { status, reason, codecs } = this.#probe ?? { status: 0, reason: "", codecs: [] };
    const undecodable = codecs.filter((codec) => !canDecode(codec));
    const message = situation && messageFor(situation, { name, status, reason, codecs: undecodable });
    if (message !== null && message.title !== this.#message?.title) log(message.title);
    this.#message = message;
  }

  /** @param {Phase} next */
  #moveTo(next) {
    if (!LEGAL[this.#phase].includes(next)) throw new Error(`no way from ${this.#phase} to ${next}`);
    this.#phase = next;
    this.#probe = null;
    if (next === "starting") this.#picture.restart();
    this.#refreshMessage();
  }
}
