// @ts-check
/**
 * What stands above the timeline while one points at it: the time and a picture of it; where the server makes none, a video
 * of its key frame alone.
 */

import { roughTime } from "./scale.js";

/**
 * @typedef {object} HoverParts
 * @property {HTMLElement} hover
 * @property {HTMLImageElement} picture
 * @property {HTMLVideoElement} keyFrame
 * @property {HTMLElement} hoverTime
 */

/**
 * @typedef {object} HoverOptions
 * @property {(timeMs: number) => string} pictureUrl
 * @property {(timeMs: number) => string} keyFrameUrl
 * @property {(timeMs: number) => string} words
 * @property {(url: string) => Promise<number>} statusOf asks for the HTTP status of an address
 */

/** A picture is asked for when the pointer rests for so long. */
const REST_MS = 120;
/** This server makes no pictures (RFC 9110 section 15.6.2). */
const NOT_IMPLEMENTED = 501;

/** The card of one page. */
export class Hover {
  #parts;
  #options;
  #url = "";
  /** What is pointed at, where it is recorded. @type {number | null} */
  #wantedMs = null;
  /** The server makes no pictures: the browser has to. */
  #isOff = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HoverParts} parts
   * @param {HoverOptions} options
   */
  constructor(parts, options) {
    this.#parts = parts;
    this.#options = options;
    const { picture, keyFrame } = parts;
    picture.addEventListener("load", () => (picture.hidden = false));
    picture.addEventListener("error", () => void this.#onError());
    keyFrame.addEventListener("loadeddata", () => (keyFrame.hidden = false));
    keyFrame.addEventListener("error", () => (keyFrame.hidden = true));
  }

  /**
   * @param {number | null} timeMs `null`: nothing is pointed at
   * @param {number} fraction where
   * @param {import("./scale.js").Scale} scale
   * @param {import("./recording.js").Recording} recording
   */
  show(timeMs, fraction, scale, recording) {
    const { hover, hoverTime } = this.#parts;
    clearTimeout(this.#timer);
    hover.hidden = timeMs === null;
    if (timeMs === null) return;
    hover.style.setProperty("--at", String(fraction));
    const isRecorded = recording.has(timeMs);
    hoverTime.textContent = isRecorded
      ? this.#options.words(timeMs)
      : `${this.#options.words(timeMs)}, not recorded`;
    if (!isRecorded) {
      this.#want(null);
      return;
    }
    const rough = roughTime(timeMs, scale);
    // Close behind a gap the picture is that of the time itself.
    const wantedMs = recording.has(rough - 1000) ? rough : timeMs;
    this.#timer = setTimeout(() => this.#want(wantedMs), REST_MS);
  }

  /** @param {number | null} timeMs */
  #want(timeMs) {
    this.#wantedMs = timeMs;
    const { pictureUrl, keyFrameUrl } = this.#options;
    const url = timeMs === null ? "" : (this.#isOff ? keyFrameUrl : pictureUrl)(timeMs);
    if (url === this.#url) return;
    this.#url = url;
    const { picture, keyFrame } = this.#parts;
    const element = this.#isOff ? keyFrame : picture;
    if (url !== "") {
      element.src = url;
      return;
    }
    element.hidden = true;
    element.removeAttribute("src");
    // What was on its way is not wanted any more.
    if (element === keyFrame) keyFrame.load();
  }

  async #onError() {
    this.#parts.picture.hidden = true;
    const url = this.#url;
    if (url === "") return;
    this.#url = "";
    if (this.#isOff || (await this.#options.statusOf(url)) !== NOT_IMPLEMENTED) return;
    this.#isOff = true;
    this.#want(this.#wantedMs);
  }
}
