// @ts-check
/** What a person sees and touches on the player page. All texts are set as text, never as markup. */

import { renderPosition } from "./position.js";

/** Without movement of pointer or key for this long, the controls leave the picture alone. */
const REST_MS = 3000;
/** A step with an arrow key, in seconds. */
const STEP_SECONDS = 5;

/**
 * @typedef {import("./playback.js").Playback} Playback
 * @typedef {Playback["view"]} View
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
  #shownTracks = "";
  #parts;

  /**
   * @param {Document} page
   * @param {Playback} playback
   */
  constructor(page, playback) {
    this.#playback = playback;
    this.#parts = findParts(page);
    this.#video = this.#parts.video;
    this.#listenToButtons();
    this.#listenToSliders();
    this.#listenToStage(page);
  }

  /** Shows what is. */
  render() {
    const view = this.#playback.view;
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
      resting: String(this.#isResting && view.phase === "playing" && !this.#video.paused),
    });
    this.#parts.controls.hidden = !isShown;
    this.#parts.start.hidden = !(view.phase === "idle" || view.phase === "finished");
    this.#parts.soundOnly.hidden = !(view.phase === "playing" && this.#video.videoWidth === 0);
    this.#renderMessage(view);
    this.#renderSound(view);
    renderPosition(this.#parts, this.#video, view, this.#isSeeking);
    this.#renderPlay();
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
    this.#renderTracks();
  }

  /** A choice of sound tracks, where there is one. */
  #renderTracks() {
    const { soundTrack } = this.#parts;
    const tracks = this.#playback.hls?.audioTracks ?? [];
    const names = tracks.map((track, index) => track.name || track.lang || `Sound ${index + 1}`);
    const key = JSON.stringify(names);
    if (key !== this.#shownTracks) {
      this.#shownTracks = key;
      soundTrack.replaceChildren(...names.map((name, index) => new Option(name, String(index))));
    }
    soundTrack.hidden = tracks.length < 2;
    soundTrack.value = String(this.#playback.hls?.audioTrack ?? 0);
  }

  #renderPlay() {
    const { play, fullscreen, stage } = this.#parts;
    play.setAttribute("aria-label", this.#video.paused ? "Play" : "Pause");
    play.title = this.#video.paused ? "Play (k)" : "Pause (k)";
    const isFull = stage.ownerDocument.fullscreenElement !== null;
    fullscreen.setAttribute("aria-label", isFull ? "Leave full screen" : "Full screen");
    fullscreen.hidden = !canFillScreen(stage, this.#video);
  }

  #listenToButtons() {
    const { start, play, live, mute, unmute, retry, fullscreen, soundTrack } = this.#parts;
    start.addEventListener("click", () => this.#playback.play());
    play.addEventListener("click", () => this.#togglePlay());
    live.addEventListener("click", () => this.#playback.seekToLive());
    retry.addEventListener("click", () => this.#playback.retry());
    mute.addEventListener("click", () => this.#toggleMute());
    unmute.addEventListener("click", () => this.#toggleMute());
    fullscreen.addEventListener("click", () => this.#toggleFullscreen());
    soundTrack.addEventListener("change", () => {
      const { hls } = this.#playback;
      if (hls !== null) hls.audioTrack = Number(soundTrack.value);
    });
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
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement) return;
    const isOnControl =
      event.target instanceof HTMLButtonElement || event.target instanceof HTMLInputElement;
    const isControlsOwn = event.key === " " || event.key.startsWith("Arrow");
    if (isOnControl && isControlsOwn) return;
    const act = this.#keys[event.key.toLowerCase()];
    if (act === undefined) return;
    event.preventDefault();
    this.#stir();
    act();
  }

  /** @type {Record<string, () => void>} */
  #keys = {
    " ": () => this.#togglePlay(),
    k: () => this.#togglePlay(),
    m: () => this.#toggleMute(),
    f: () => this.#toggleFullscreen(),
    l: () => this.#playback.seekToLive(),
    arrowleft: () => this.#step(-STEP_SECONDS),
    arrowright: () => this.#step(STEP_SECONDS),
  };

  #togglePlay() {
    if (this.#video.paused) this.#playback.play();
    else this.#playback.pause();
  }

  #toggleMute() {
    this.#video.muted = !this.#video.muted;
    if (!this.#video.muted && this.#video.volume === 0) this.#video.volume = 1;
  }

  /** @param {number} seconds */
  #step(seconds) {
    if (this.#playback.view.isLive !== false) return;
    this.#video.currentTime = Math.min(
      Math.max(0, this.#video.currentTime + seconds),
      this.#video.duration || 0,
    );
  }

  #toggleFullscreen() {
    const { stage } = this.#parts;
    const page = stage.ownerDocument;
    if (page.fullscreenElement !== null) page.exitFullscreen().catch(staysAsItIs);
    else if (page.fullscreenEnabled) stage.requestFullscreen().catch(staysAsItIs);
    else enterVideoFullscreen(this.#video);
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
    time: part(page, "time", HTMLElement),
    soundTrack: part(page, "sound-track", HTMLSelectElement),
    mute: part(page, "mute", HTMLButtonElement),
    volume: part(page, "volume", HTMLInputElement),
    fullscreen: part(page, "fullscreen", HTMLButtonElement),
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
