// @ts-check
/** Chooses a clip with two handles, and saves it. */

import { clipBefore, clipResource, moveEnd } from "./clip.js";
import { save } from "./save.js";
import { formatBytes, formatLength } from "./times.js";
import { place } from "./track.js";

/**
 * @typedef {import("./recording.js").Range} Range
 * @typedef {import("./recording.js").Recording} Recording
 */

/**
 * @typedef {object} ClipParts
 * @property {HTMLButtonElement} clip opens and closes it
 * @property {HTMLElement} clipBar
 * @property {HTMLElement} clipRange
 * @property {HTMLElement} clipFrom handle
 * @property {HTMLElement} clipTo handle
 * @property {HTMLElement} clipWords
 * @property {HTMLButtonElement} clipFromHere
 * @property {HTMLButtonElement} clipToHere
 * @property {HTMLButtonElement} save
 * @property {HTMLButtonElement} cancel
 * @property {HTMLProgressElement} progress
 */

/**
 * @typedef {object} ClipOptions
 * @property {import("./times.js").Times} times
 * @property {number} mostMs the longest clip
 * @property {() => Recording} recording
 * @property {() => number} nowMs
 * @property {() => number | null} pictureMs
 * @property {() => import("./scale.js").Scale} scale
 * @property {(clientX: number) => number} timeAt
 * @property {(timeMs: number) => void} reveal
 * @property {(resource: string) => string} urlOf
 * @property {(words: string) => void} announce
 */

/** A step of a handle by key, and with Shift, or by a page. */
const STEP_MS = 1000;
const LONG_STEP_MS = 10_000;

/** The clip of one page. */
export class ClipPanel {
  #parts;
  #options;
  /** @type {Range | null} */
  #clip = null;
  /** @type {AbortController | null} */
  #saving = null;

  /**
   * @param {ClipParts} parts
   * @param {ClipOptions} options
   */
  constructor(parts, options) {
    this.#parts = parts;
    this.#options = options;
    parts.clip.addEventListener("click", () => this.toggle());
    parts.save.addEventListener("click", () => void this.#save());
    parts.cancel.addEventListener("click", () => this.#saving?.abort());
    parts.clipFromHere.addEventListener("click", () => this.#moveHere("from"));
    parts.clipToHere.addEventListener("click", () => this.#moveHere("to"));
    this.#listenToHandle(parts.clipFrom, "from");
    this.#listenToHandle(parts.clipTo, "to");
    this.render();
  }

  /** What is chosen; `null`: nothing. */
  get range() {
    return this.#clip;
  }

  /** Begins a clip, or leaves it. */
  toggle() {
    const { recording, pictureMs, nowMs, scale, reveal } = this.#options;
    if (this.#clip === null) {
      const bounds = this.#bounds();
      if (bounds === null) return;
      const atMs = Math.min(pictureMs() ?? nowMs(), recording().toMs ?? nowMs());
      this.#clip = clipBefore(atMs, scale().spanMs, bounds);
      reveal(this.#clip.fromMs);
    } else {
      this.#saving?.abort();
      this.#clip = null;
    }
    this.#say("");
    this.render();
    if (this.#clip !== null) this.#parts.clipFrom.focus();
  }

  /** Sets one end to where the picture is; begins a clip where there is none. @param {"from" | "to"} end */
  #moveHere(end) {
    const atMs = this.#options.pictureMs();
    if (atMs !== null) this.#move(end, atMs);
  }

  /** Shows what is. */
  render() {
    const { clip, clipBar, clipRange, clipFrom, clipTo, save: button } = this.#parts;
    const range = this.#clip;
    clip.setAttribute("aria-expanded", String(range !== null));
    clip.disabled = this.#options.recording().isEmpty;
    for (const element of [clipBar, clipRange, clipFrom, clipTo]) element.hidden = range === null;
    if (range === null) return;
    const scale = this.#options.scale();
    const [from, to] = [scale.fractionOf(range.fromMs), scale.fractionOf(range.toMs)];
    const [left, right] = [Math.min(1, Math.max(0, from)), Math.min(1, Math.max(0, to))];
    place(clipRange, left);
    clipRange.style.setProperty("width", `${((right - left) * 100).toFixed(3)}%`);
    this.#renderHandle(clipFrom, from, range.fromMs);
    this.#renderHandle(clipTo, to, range.toMs);
    button.disabled = this.#saving !== null || this.#recordedMs(range) === 0;
  }

  /**
   * @param {HTMLElement} handle
   * @param {number} fraction
   * @param {number} timeMs
   */
  #renderHandle(handle, fraction, timeMs) {
    const { times, recording, nowMs } = this.#options;
    handle.hidden = fraction < -0.01 || fraction > 1.01;
    place(handle, Math.min(1, Math.max(0, fraction)));
    handle.setAttribute("aria-valuemin", String(Math.floor((recording().fromMs ?? 0) / 1000)));
    handle.setAttribute("aria-valuemax", String(Math.floor(nowMs() / 1000)));
    handle.setAttribute("aria-valuenow", String(timeMs / 1000));
    handle.setAttribute("aria-valuetext", `${times.nearDay(timeMs, nowMs())}, ${times.clock(timeMs)}`);
  }

  /** What the clip is, in words. */
  #describe() {
    const range = this.#clip;
    if (range === null) return "";
    const { times, recording } = this.#options;
    const recordedMs = this.#recordedMs(range);
    const words = `${times.clock(range.fromMs)} to ${times.clock(range.toMs)}, ${formatLength(range.toMs - range.fromMs)}`;
    if (recordedMs === 0) return `${words}: nothing is recorded there.`;
    const { bytes, durationMs } = recording();
    return durationMs > 0 && bytes > 0
      ? `${words}, about ${formatBytes((bytes * recordedMs) / durationMs)}`
      : words;
  }

  /** @param {HTMLElement} handle @param {"from" | "to"} end */
  #listenToHandle(handle, end) {
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    handle.addEventListener("pointermove", (event) => {
      event.stopPropagation();
      if (handle.hasPointerCapture(event.pointerId)) this.#move(end, this.#options.timeAt(event.clientX));
    });
    handle.addEventListener("pointerup", (event) => event.stopPropagation());
    handle.addEventListener("keydown", (event) => this.#onKey(event, end));
  }

  /** @param {KeyboardEvent} event @param {"from" | "to"} end */
  #onKey(event, end) {
    const range = this.#clip;
    if (range === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const stepMs = event.shiftKey ? LONG_STEP_MS : STEP_MS;
    const steps = new Map([
      ["ArrowLeft", -stepMs],
      ["ArrowRight", stepMs],
      ["ArrowDown", -stepMs],
      ["ArrowUp", stepMs],
      ["PageDown", -LONG_STEP_MS],
      ["PageUp", LONG_STEP_MS],
    ]);
    const byMs = steps.get(event.key);
    if (byMs === undefined && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (byMs === undefined) {
      this.toggle();
      this.#parts.clip.focus();
    } else {
      const timeMs = (end === "from" ? range.fromMs : range.toMs) + byMs;
      this.#move(end, timeMs);
      this.#options.reveal(timeMs);
    }
  }

  /** @param {"from" | "to"} end @param {number} timeMs */
  #move(end, timeMs) {
    const bounds = this.#bounds();
    if (this.#clip === null || bounds === null) return;
    this.#clip = moveEnd(this.#clip, end, timeMs, bounds);
    this.#say("");
    this.render();
  }

  /** @returns {import("./clip.js").ClipBounds | null} */
  #bounds() {
    const { fromMs, toMs } = this.#options.recording();
    return fromMs === null || toMs === null ? null : { fromMs, toMs, mostMs: this.#options.mostMs };
  }

  /** @param {Range} range */
  #recordedMs({ fromMs, toMs }) {
    const parts = this.#options.recording().within(fromMs, toMs);
    return parts.reduce((sum, part) => sum + part.toMs - part.fromMs, 0);
  }

  /** Beside the clip, or in place of what it is. @param {string} words */
  #say(words) {
    this.#parts.clipWords.textContent = words === "" ? this.#describe() : words;
  }

  async #save() {
    const range = this.#clip;
    if (range === null || this.#saving !== null) return;
    const saving = new AbortController();
    this.#saving = saving;
    this.#showProgress(true);
    const resource = clipResource(range);
    const ended = await save({
      url: this.#options.urlOf(resource),
      signal: saving.signal,
      onProgress: (bytes, wholeBytes) => this.#progress(bytes, wholeBytes),
      offer: (url) => offer(url, resource),
    });
    this.#saving = null;
    this.#showProgress(false);
    this.#say(wordsOf(ended));
    this.#options.announce(wordsOf(ended));
    this.render();
  }

  /** @param {boolean} isSaving */
  #showProgress(isSaving) {
    const { save: button, cancel, progress } = this.#parts;
    progress.removeAttribute("value");
    progress.hidden = !isSaving;
    cancel.hidden = !isSaving;
    button.hidden = isSaving;
    (isSaving ? cancel : button).focus();
    if (isSaving) this.#say("The server prepares the file.");
  }

  /** @param {number} bytes @param {number | null} wholeBytes */
  #progress(bytes, wholeBytes) {
    const { progress } = this.#parts;
    if (wholeBytes === null) return;
    progress.max = wholeBytes;
    progress.value = bytes;
    this.#say(`${formatBytes(bytes)} of ${formatBytes(wholeBytes)}`);
  }
}

/** @param {import("./save.js").SaveEnd} ended */
function wordsOf(ended) {
  switch (ended.end) {
    case "saved":
      return "The clip is saved.";
    case "cancelled":
      return "The download was cancelled.";
    case "handed-over":
      return "The browser saves it: it is too large to be shown here.";
    case "failed":
      return `The clip could not be saved: ${ended.reason}`;
  }
}

/**
 * Has the browser save what is at an address.
 *
 * @param {string} url
 * @param {string} fileName
 */
function offer(url, fileName) {
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has begun to read it by then.
  if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
