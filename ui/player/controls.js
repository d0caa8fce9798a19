// @ts-check
/** What a person sees and touches on the player page. All texts are set as text, never as markup. */

import { Help } from "./help.js";
import { actionOf } from "./keys.js";
import { Menu, playerTitle } from "./menu.js";
import { renderPosition } from "./position.js";

/** Without movement of pointer or key for this long, the controls leave the picture alone. */
const REST_MS = 3000;
/** A step with an arrow key, in seconds. */
const STEP_SECONDS = 5;
/** And of the volume, of which 1 is all. */
const VOLUME_STEP = 0.1;

/**
 * @typedef {import("./playback.js").Playback} Playback
 * @typedef {Playback["view"]} View
 */

/**
 * @typedef {Omit<import("./menu.js").MenuOptions, "protocol"> & {
 *   protocol: () => { title: string, stepsBack: boolean } | null,
 *   past?: Past | null,
 * }} ControlsOptions
 */

/**
 * What is recorded, where the page has it.
 * @typedef {object} Past
 * @property {boolean} isPast what plays is recorded
 * @property {boolean} isAtEdge
 * @property {() => void} toLive
 * @property {(seconds: number) => void} step
 */

/** The controls of one player page; they live as long as it. */
export class Controls {
  #video;
  #playback;
  #isSeeking = false;
  #isResting = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #restTimer;
  #shownMessage = "";
  #parts;
  /** @type {ControlsOptions} */
  #options;
  #menu;
  #help;
  #shownTitle = "";

  /**
   * @param {Document} page
   * @param {Playback} playback
   * @param {ControlsOptions} options
   */
  constructor(page, playback, options) {
    this.#playback = playback;
    this.#options = options;
    this.#parts = findParts(page);
    this.#video = this.#parts.video;
    this.#menu = new Menu(this.#parts, playback, options);
    this.#help = new Help(this.#parts);
    this.#listenToButtons();
    this.#listenToSliders();
    this.#listenToStage(page);
  }

  /** Shows what is. */
  render() {
    const view = this.#view();
    const { stage } = this.#parts;
    const isShown = view.hasPlayed && (view.message === null || view.isLive === false);
    Object.assign(stage.dataset, {
      phase: view.phase,
      busy: String(view.isBusy),
      hasPicture: String(view.hasPlayed),
      hasMessage: String(view.message !== null),
      paused: String(this.#video.paused),
      muted: String(this.#video.muted),
      full: String(stage.ownerDocument.fullscreenElement !== null),
      resting: String(
        this.#isResting && view.phase === "playing" && !this.#video.paused && !this.#menu.isOpen,
      ),
    });
    this.#parts.controls.hidden = !isShown;
    this.#parts.start.hidden = !(view.phase === "idle" || view.phase === "finished");
    this.#parts.soundOnly.hidden = !(view.phase === "playing" && this.#video.videoWidth === 0);
    this.#renderMessage(view);
    this.#renderSound(view);
    renderPosition(this.#parts, this.#video, view, this.#isSeeking);
    this.#renderPlay();
    this.#renderWay(view);
    this.#menu.render(view);
  }

  /**
   * Says something to those who do not see it.
   *
   * @param {string} words
   */
  announce(words) {
    this.#parts.announcer.textContent = words;
  }

  /** What is recorded is shown as what is live: the timeline says where in it the picture is. @returns {View} */
  #view() {
    const { view } = this.#playback;
    const past = this.#options.past ?? null;
    if (past?.isPast !== true) return view;
    return { ...view, isLive: true, isAtEdge: past.isAtEdge, delaySeconds: null };
  }

  #goLive() {
    const past = this.#options.past ?? null;
    if (past === null) this.#playback.seekToLive();
    else past.toLive();
  }

  /** In small letters, what plays; who listens is told when it becomes another. @param {View} view */
  #renderWay(view) {
    const { way } = this.#parts;
    const title = playerTitle(this.#options.protocol(), view.isLive);
    way.hidden = title === "" || view.isLive !== true;
    way.textContent = title;
    if (title === "" || title === this.#shownTitle) return;
    if (this.#shownTitle !== "") this.announce(`Playing by ${title}.`);
    this.#shownTitle = title;
  }

  /** @param {View} view */
  #renderMessage({ message }) {
    const { card, title, detail, note, retry } = this.#parts;
    const key = JSON.stringify(message);
    // Setting the same words again would make a screen reader say them again.
    if (key === this.#shownMessage) return;
    this.#shownMessage = key;
    title.textContent = message?.title ?? "";
    detail.textContent = message?.detail ?? "";
    note.textContent = message?.note ?? "";
    retry.hidden = message?.canRetry !== true;
    card.hidden = message === null;
  }

  /** @param {View} view */
  #renderSound(view) {
    const { mute, volume, unmute } = this.#parts;
    const { muted } = this.#video;
    unmute.hidden = !(muted && view.hasSound && view.phase === "playing" && view.message === null);
    mute.hidden = !view.hasSound;
    volume.hidden = !view.hasSound;
    mute.setAttribute("aria-label", muted ? "Unmute" : "Mute");
    const loudness = muted ? 0 : this.#video.volume;
    volume.value = String(loudness);
    volume.style.setProperty("--done", `${loudness * 100}%`);
  }

  #renderPlay() {
    const { play, fullscreen, pip, stage } = this.#parts;
    play.setAttribute("aria-label", this.#video.paused ? "Play" : "Pause");
    play.title = this.#video.paused ? "Play (k)" : "Pause (k)";
    const isFull = stage.ownerDocument.fullscreenElement !== null;
    fullscreen.setAttribute("aria-label", isFull ? "Leave full screen" : "Full screen");
    fullscreen.hidden = !canFillScreen(stage, this.#video);
    const isSmall = stage.ownerDocument.pictureInPictureElement !== null;
    pip.setAttribute("aria-label", isSmall ? "Leave picture in picture" : "Picture in picture");
    pip.hidden = !stage.ownerDocument.pictureInPictureEnabled || this.#video.videoWidth === 0;
  }

  #listenToButtons() {
    const { start, play, live, mute, unmute, retry, fullscreen, pip, showHelp } = this.#parts;
    start.addEventListener("click", () => this.#playback.play());
    play.addEventListener("click", () => this.#togglePlay());
    live.addEventListener("click", () => this.#goLive());
    retry.addEventListener("click", () => this.#playback.retry());
    mute.addEventListener("click", () => this.#toggleMute());
    unmute.addEventListener("click", () => this.#toggleMute());
    fullscreen.addEventListener("click", () => this.#toggleFullscreen());
    pip.addEventListener("click", () => this.#togglePictureInPicture());
    showHelp.addEventListener("click", () => this.#help.toggle());
  }

  #listenToSliders() {
    const { seek, volume } = this.#parts;
    seek.addEventListener("input", () => {
      this.#isSeeking = true;
      this.render();
    });
    seek.addEventListener("change", () => {
      this.#isSeeking = false;
      this.#video.currentTime = Number(seek.value);
    });
    volume.addEventListener("input", () => {
      this.#video.muted = Number(volume.value) === 0;
      if (!this.#video.muted) this.#video.volume = Number(volume.value);
    });
    for (const name of ["timeupdate", "progress", "volumechange"]) {
      this.#video.addEventListener(name, () => this.render());
    }
  }

  /** @param {Document} page */
  #listenToStage(page) {
    const { stage } = this.#parts;
    stage.addEventListener("pointermove", () => this.#stir());
    stage.addEventListener("focusin", () => this.#stir());
    this.#video.addEventListener("playing", () => this.#stir());
    stage.addEventListener("pointerleave", () => this.#rest());
    this.#video.addEventListener("pointerup", (event) => this.#onTap(event));
    this.#video.addEventListener("dblclick", () => this.#toggleFullscreen());
    page.addEventListener("fullscreenchange", () => this.render());
    for (const name of ["enterpictureinpicture", "leavepictureinpicture"]) {
      this.#video.addEventListener(name, () => this.render());
    }
    page.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {PointerEvent} event */
  #onTap(event) {
    if (event.button !== 0 || !this.#playback.view.hasPlayed) return;
    // With a mouse the controls are there already; a finger calls them, or sends them away.
    if (event.pointerType === "mouse") this.#togglePlay();
    else if (this.#isResting) this.#stir();
    else this.#rest();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const action = actionOf(event, focusOf(event.target));
    // The dialog has the keys to itself, but for the one that opened it.
    if (action === null || (this.#help.isOpen && action !== "help")) return;
    event.preventDefault();
    this.#stir();
    this.#acts[action]();
  }

  /** @type {Record<import("./keys.js").KeyAction, () => void>} */
  #acts = {
    play: () => this.#togglePlay(),
    mute: () => this.#toggleMute(),
    fullscreen: () => this.#toggleFullscreen(),
    live: () => this.#goLive(),
    back: () => this.#step(-STEP_SECONDS),
    ahead: () => this.#step(STEP_SECONDS),
    louder: () => this.#changeVolume(VOLUME_STEP),
    softer: () => this.#changeVolume(-VOLUME_STEP),
    pip: () => this.#togglePictureInPicture(),
    settings: () => this.#openSettings(),
    help: () => this.#help.toggle(),
  };

  #togglePlay() {
    if (this.#video.paused) this.#playback.play();
    else this.#playback.pause();
  }

  #toggleMute() {
    this.#video.muted = !this.#video.muted;
    if (!this.#video.muted && this.#video.volume === 0) this.#video.volume = 1;
    this.announce(this.#video.muted ? "Sound off" : "Sound on");
  }

  /** @param {number} step */
  #changeVolume(step) {
    if (!this.#playback.view.hasSound) return;
    const before = this.#video.muted ? 0 : this.#video.volume;
    const volume = Math.min(1, Math.max(0, Math.round((before + step) * 100) / 100));
    this.#video.volume = volume;
    this.#video.muted = volume === 0;
    this.announce(`Volume ${Math.round(volume * 100)}%`);
  }

  #openSettings() {
    if (!this.#parts.controls.hidden) this.#menu.toggle();
  }

  #togglePictureInPicture() {
    const { pip, stage } = this.#parts;
    const page = stage.ownerDocument;
    if (page.pictureInPictureElement !== null) page.exitPictureInPicture().catch(staysAsItIs);
    else if (!pip.hidden) this.#video.requestPictureInPicture().catch(staysAsItIs);
  }

  /**
   * Within a file, or within what the live window still has.
   *
   * @param {number} seconds
   */
  #step(seconds) {
    const { isLive, edgeSeconds } = this.#playback.view;
    const { seekable, currentTime, duration } = this.#video;
    const past = this.#options.past ?? null;
    const isBeyond = isLive === true && seekable.length > 0 && currentTime + seconds < seekable.start(0);
    if (past !== null && (past.isPast || isBeyond)) {
      past.step(seconds);
      return;
    }
    if (isLive === null || seekable.length === 0) return;
    if (isLive && this.#options.protocol()?.stepsBack !== true) {
      this.announce("This way of playing has the newest picture only.");
      return;
    }
    if (isLive && edgeSeconds === null) return;
    const [first, last] = isLive ? [seekable.start(0), edgeSeconds ?? 0] : [0, duration || 0];
    this.#video.currentTime = Math.min(Math.max(first, currentTime + seconds), Math.max(first, last));
  }

  #toggleFullscreen() {
    const { stage } = this.#parts;
    const page = stage.ownerDocument;
    if (page.fullscreenElement !== null) page.exitFullscreen().catch(staysAsItIs);
    else if (page.fullscreenEnabled) this.#wholeOf(stage).requestFullscreen().catch(staysAsItIs);
    else enterVideoFullscreen(this.#video);
  }

  /** The timeline stands beside the stage. @param {HTMLElement} stage */
  #wholeOf(stage) {
    return (this.#options.past ?? null) === null ? stage : stage.ownerDocument.documentElement;
  }

  #stir() {
    this.#isResting = false;
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => this.#rest(), REST_MS);
    this.render();
  }

  #rest() {
    const { controls } = this.#parts;
    clearTimeout(this.#restTimer);
    // Who goes through the controls by keyboard must keep seeing where he is.
    if (controls.querySelector(":focus-visible") !== null) return;
    this.#isResting = true;
    this.render();
  }
}

/** A browser that refuses full screen needs no words: the picture stays. */
function staysAsItIs() {}

/** @param {EventTarget | null} target */
function focusOf(target) {
  if (target instanceof HTMLSelectElement) return "select";
  return target instanceof HTMLButtonElement || target instanceof HTMLInputElement ? "control" : "none";
}

/** @param {Document} page */
function findParts(page) {
  return {
    stage: part(page, "stage", HTMLElement),
    video: part(page, "video", HTMLVideoElement),
    start: part(page, "start", HTMLButtonElement),
    soundOnly: part(page, "sound-only", HTMLElement),
    card: part(page, "card", HTMLElement),
    title: part(page, "message-title", HTMLElement),
    detail: part(page, "message-detail", HTMLElement),
    note: part(page, "message-note", HTMLElement),
    retry: part(page, "retry", HTMLButtonElement),
    unmute: part(page, "unmute", HTMLButtonElement),
    controls: part(page, "controls", HTMLElement),
    seek: part(page, "seek", HTMLInputElement),
    play: part(page, "play", HTMLButtonElement),
    live: part(page, "live", HTMLButtonElement),
    liveLabel: part(page, "live-label", HTMLElement),
    delay: part(page, "delay", HTMLElement),
    time: part(page, "time", HTMLElement),
    way: part(page, "way", HTMLElement),
    announcer: part(page, "announcer", HTMLElement),
    mute: part(page, "mute", HTMLButtonElement),
    volume: part(page, "volume", HTMLInputElement),
    settings: part(page, "settings", HTMLButtonElement),
    pip: part(page, "pip", HTMLButtonElement),
    fullscreen: part(page, "fullscreen", HTMLButtonElement),
    menu: part(page, "menu", HTMLElement),
    stream: part(page, "stream", HTMLSelectElement),
    quality: part(page, "quality", HTMLSelectElement),
    sound: part(page, "sound", HTMLSelectElement),
    subtitles: part(page, "subtitles", HTMLSelectElement),
    playingBy: part(page, "playing-by", HTMLElement),
    showHelp: part(page, "show-help", HTMLButtonElement),
    help: part(page, "help", HTMLDialogElement),
    keys: part(page, "keys", HTMLElement),
    closeHelp: part(page, "close-help", HTMLButtonElement),
  };
}

/**
 * @template {HTMLElement} Kind
 * @param {Document} page
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
function part(page, id, kind) {
  const element = page.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${id}`);
  return element;
}

/**
 * @param {HTMLElement} stage
 * @param {HTMLVideoElement} video
 */
function canFillScreen(stage, video) {
  return stage.ownerDocument.fullscreenEnabled || "webkitEnterFullscreen" in video;
}

/**
 * The iPhone fills the screen with the video element only.
 *
 * @param {HTMLVideoElement & { webkitEnterFullscreen?: () => void }} video
 */
function enterVideoFullscreen(video) {
  video.webkitEnterFullscreen?.();
}
