// @ts-check
/** What stands above the timeline while one points at it: the time, and a picture of it where the server makes them. */

import { roughTime } from "./scale.js";

/**
 * @typedef {object} HoverParts
 * @property {HTMLElement} hover
 * @property {HTMLImageElement} picture
 * @property {HTMLElement} hoverTime
 */

/**
 * @typedef {object} HoverOptions
 * @property {(timeMs: number) => string} pictureUrl
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
    parts.picture.addEventListener("load", () => (parts.picture.hidden = false));
    parts.picture.addEventListener("error", () => void this.#onError());
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
    if (!isRecorded || this.#isOff) {
      this.#setUrl("");
      return;
    }
    const rough = roughTime(timeMs, scale);
    // Close behind a gap the picture is that of the time itself.
    const wantedMs = recording.has(rough - 1000) ? rough : timeMs;
    this.#timer = setTimeout(() => this.#setUrl(this.#options.pictureUrl(wantedMs)), REST_MS);
  }

  /** @param {string} url */
  #setUrl(url) {
    if (url === this.#url) return;
    this.#url = url;
    const { picture } = this.#parts;
    if (url === "") {
      picture.hidden = true;
      picture.removeAttribute("src");
    } else picture.src = url;
  }

  async #onError() {
    this.#parts.picture.hidden = true;
    const url = this.#url;
    if (url === "") return;
    this.#url = "";
    this.#isOff ||= (await this.#options.statusOf(url)) === NOT_IMPLEMENTED;
  }
}
