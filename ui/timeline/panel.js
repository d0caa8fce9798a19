// @ts-check
/** The timeline under the picture: puts bar, days, card and clip together. All texts are set as text, never as markup. */

import { ClipPanel } from "./clip-panel.js";
import { Hover } from "./hover.js";
import { formatLength, Times } from "./times.js";
import { Track } from "./track.js";

/**
 * @typedef {import("./rewind.js").Rewind} Rewind
 * @typedef {import("./recording-watch.js").RecordingWatch} RecordingWatch
 */

/**
 * @typedef {object} PanelOptions
 * @property {Rewind} rewind
 * @property {RecordingWatch} watch
 * @property {() => number} nowMs the server's clock
 * @property {boolean} localTime
 * @property {number} exportLimitSeconds
 * @property {(resource: string) => string} urlOf something beside the page
 * @property {(words: string) => void} announce
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** What is shown first: all that there is, within these. */
const FIRST_SPAN_MS = { least: 2 * MINUTE_MS, most: HOUR_MS };
/** The timeline moves so often by itself. */
const TICK_MS = 500;

/** The timeline of one page; it lives as long as it. */
export class Panel {
  #parts;
  #options;
  #times;
  #track;
  #hover;
  #clip;
  #shownDays = "";
  #shownWords = "";

  /**
   * @param {Document} page
   * @param {PanelOptions} options
   */
  constructor(page, options) {
    const parts = findParts(page);
    this.#parts = parts;
    this.#options = options;
    this.#times = new Times(options.localTime);
    this.#track = new Track(parts, {
      times: this.#times,
      facts: this.#facts(),
      spanMs: this.#firstSpanMs(),
      events: {
        onChoose: (timeMs) => this.#goTo(timeMs),
        onHover: (timeMs, fraction) => this.#onHover(timeMs, fraction),
        onScale: () => this.render(),
        onLive: () => this.#goLive(),
      },
    });
    this.#hover = new Hover(parts, {
      words: (timeMs) => this.#times.clock(timeMs),
      pictureUrl: (timeMs) => options.urlOf(`${Math.floor(timeMs / 1000)}-preview.jpg`),
      keyFrameUrl: (timeMs) => options.urlOf(`${Math.floor(timeMs / 1000)}-preview.mp4`),
      statusOf: async (url) => (await fetch(url)).status,
    });
    this.#clip = new ClipPanel(parts, {
      times: this.#times,
      mostMs: options.exportLimitSeconds * 1000,
      recording: () => options.watch.recording,
      nowMs: options.nowMs,
      pictureMs: () => options.rewind.pictureMs,
      scale: () => this.#track.scale,
      timeAt: (clientX) => this.#track.timeAt(clientX),
      reveal: (timeMs) => this.#track.reveal(timeMs),
      urlOf: options.urlOf,
      announce: options.announce,
    });
    this.#listen();
    parts.timeline.hidden = false;
    const { startMs } = options.rewind;
    if (startMs !== null) this.#track.reveal(startMs);
    setInterval(() => page.hidden || this.render(), TICK_MS);
    this.render();
  }

  /** Shows what is. */
  render() {
    const { live, now, nowDay } = this.#parts;
    const { rewind, nowMs } = this.#options;
    this.#track?.render(this.#facts());
    this.#clip?.render();
    live.dataset["atEdge"] = String(rewind.isAtEdge);
    live.setAttribute("aria-label", rewind.isAtEdge ? "Live: this is the newest picture" : "Go live");
    const pictureMs = rewind.pictureMs;
    now.textContent = pictureMs === null ? "" : this.#times.clock(pictureMs);
    nowDay.textContent = pictureMs === null ? "" : this.#times.nearDay(pictureMs, nowMs());
    this.#renderWords();
    this.#renderDays();
    this.#renderZoom();
  }

  #facts() {
    const { watch, nowMs, rewind } = this.#options;
    const { recording, isGrowing } = watch;
    return { recording, nowMs: nowMs(), pictureMs: rewind.pictureMs, isGrowing };
  }

  #firstSpanMs() {
    const { watch, nowMs, rewind } = this.#options;
    const { fromMs } = watch.recording;
    if (rewind.startMs !== null) return FIRST_SPAN_MS.most;
    const ageMs = (nowMs() - (fromMs ?? nowMs())) * 1.15;
    return Math.min(Math.max(ageMs, FIRST_SPAN_MS.least), FIRST_SPAN_MS.most);
  }

  /** What of the recording a viewer has to know. */
  #renderWords() {
    const { recording, isGrowing } = this.#options.watch;
    let words = "";
    if (recording.toMs === null) words = "Nothing is recorded yet.";
    else if (!isGrowing) {
      const day = this.#times.nearDay(recording.toMs, this.#options.nowMs());
      words = `Recording stopped ${day === "Today" ? "at" : `${day},`} ${this.#times.clock(recording.toMs)}.`;
    }
    if (words === this.#shownWords) return;
    this.#shownWords = words;
    this.#parts.words.textContent = words;
  }

  /** The days to choose from; the one that is shown is chosen. */
  #renderDays() {
    const { day } = this.#parts;
    const { watch, nowMs } = this.#options;
    const days = this.#times.days(watch.recording);
    const key = `${this.#times.dayStart(nowMs())} ${days.map(({ fromMs }) => fromMs).join()}`;
    day.parentElement?.toggleAttribute("hidden", days.length === 0);
    if (key !== this.#shownDays) {
      this.#shownDays = key;
      day.replaceChildren(
        ...days.map(({ fromMs, toMs }) => {
          const option = document.createElement("option");
          option.value = String(fromMs);
          const parts = watch.recording.within(fromMs, toMs);
          const recordedMs = parts.reduce((sum, part) => sum + part.toMs - part.fromMs, 0);
          option.textContent = `${this.#times.nearDay(fromMs, nowMs())} (${formatLength(recordedMs)})`;
          return option;
        }),
      );
    }
    const middleMs = this.#track === undefined ? nowMs() : this.#track.scale.timeAt(0.5);
    const shown = String(this.#times.dayStart(Math.min(middleMs, nowMs())));
    if (day !== day.ownerDocument.activeElement && day.value !== shown) day.value = shown;
  }

  #renderZoom() {
    const spanMs = this.#track?.scale.spanMs ?? 0;
    for (const button of this.#parts.zooms) {
      button.setAttribute("aria-pressed", String(Math.abs(Number(button.value) * 1000 - spanMs) < 1000));
    }
  }

  #listen() {
    const { live, day, zooms } = this.#parts;
    live.addEventListener("click", () => this.#goLive());
    day.addEventListener("change", () => this.#showDay(Number(day.value)));
    for (const button of zooms) {
      button.addEventListener("click", () => this.#track.zoomTo(Number(button.value) * 1000));
    }
  }

  /** @param {number} fromMs */
  #showDay(fromMs) {
    const { watch, rewind } = this.#options;
    this.#track.showRange({ fromMs, toMs: this.#times.dayEnd(fromMs) });
    const first = watch.recording.next(fromMs);
    // A day that is chosen is played, where the picture is not in it already.
    const { pictureMs } = rewind;
    const isThere = pictureMs !== null && this.#times.dayStart(pictureMs) === fromMs;
    if (first !== null && !isThere) this.#goTo(first);
  }

  /** @param {number} timeMs */
  #goTo(timeMs) {
    const { watch, rewind, announce } = this.#options;
    const isRecorded = watch.recording.has(timeMs);
    if (!rewind.goTo(timeMs)) this.#track.follow();
    else if (isRecorded) announce(`Playing from ${this.#times.clock(timeMs)}.`);
    else announce(`Nothing is recorded then. Playing from ${this.#times.clock(rewind.startMs ?? timeMs)}.`);
    this.render();
  }

  #goLive() {
    this.#options.rewind.toLive();
    this.#track.follow();
  }

  /** @param {number | null} timeMs @param {number} fraction */
  #onHover(timeMs, fraction) {
    this.#hover.show(timeMs, fraction, this.#track.scale, this.#options.watch.recording);
  }
}

/** @param {Document} page */
function findParts(page) {
  const timeline = find(page, "timeline", HTMLElement);
  return {
    timeline,
    live: find(page, "timeline-live", HTMLButtonElement),
    now: find(page, "timeline-now", HTMLElement),
    nowDay: find(page, "timeline-day-shown", HTMLElement),
    words: find(page, "timeline-words", HTMLElement),
    day: find(page, "timeline-day", HTMLSelectElement),
    zooms: [...timeline.querySelectorAll("button[data-zoom]")].filter(
      (element) => element instanceof HTMLButtonElement,
    ),
    track: find(page, "track", HTMLElement),
    bars: find(page, "track-bars", HTMLElement),
    marks: find(page, "track-marks", HTMLElement),
    head: find(page, "track-head", HTMLElement),
    edge: find(page, "track-edge", HTMLElement),
    hover: find(page, "track-hover", HTMLElement),
    picture: find(page, "track-picture", HTMLImageElement),
    keyFrame: find(page, "track-key-frame", HTMLVideoElement),
    hoverTime: find(page, "track-hover-time", HTMLElement),
    clip: find(page, "clip", HTMLButtonElement),
    clipBar: find(page, "clip-bar", HTMLElement),
    clipRange: find(page, "clip-range", HTMLElement),
    clipFrom: find(page, "clip-from", HTMLElement),
    clipTo: find(page, "clip-to", HTMLElement),
    clipWords: find(page, "clip-words", HTMLElement),
    clipFromHere: find(page, "clip-from-here", HTMLButtonElement),
    clipToHere: find(page, "clip-to-here", HTMLButtonElement),
    save: find(page, "clip-save", HTMLButtonElement),
    cancel: find(page, "clip-cancel", HTMLButtonElement),
    progress: find(page, "clip-progress", HTMLProgressElement),
  };
}

/**
 * @template {HTMLElement} Kind
 * @param {Document} page
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
function find(page, id, kind) {
  const element = page.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${id}`);
  return element;
}
