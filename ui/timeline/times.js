// @ts-check
/** Times, days and lengths as people read them, by this device's clock or in UTC. */

import { clockTime, formatTime } from "../player/position.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A list of days is no longer: over a year. */
const MAX_DAYS = 400;
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * @typedef {import("./recording.js").Range} Range
 * @typedef {import("./recording.js").Recording} Recording
 */

/** One kind of clock: this device's, or that of UTC. */
export class Times {
  #isLocal;
  #offsetMs;

  /**
   * @param {boolean} isLocal
   * @param {(timeMs: number) => number} [offsetMs] of the local clock, from UTC
   */
  constructor(isLocal, offsetMs = (timeMs) => -new Date(timeMs).getTimezoneOffset() * MINUTE_MS) {
    this.#isLocal = isLocal;
    this.#offsetMs = offsetMs;
  }

  /** Of the clock that is shown, from UTC. @param {number} timeMs */
  offsetMs(timeMs) {
    return this.#isLocal ? this.#offsetMs(timeMs) : 0;
  }

  /** `14:03:07`, and `UTC` where it is that. @param {number} timeMs */
  clock(timeMs) {
    return clockTime(timeMs + this.offsetMs(timeMs), false).replace(/ UTC$/, this.#isLocal ? "" : " UTC");
  }

  /** `Mon 23 Nov`, and the year where it is another one. @param {number} timeMs @param {number} nowMs */
  day(timeMs, nowMs) {
    const date = this.#shown(timeMs);
    const year = date.getUTCFullYear();
    const words = `${WEEKDAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
    return year === this.#shown(nowMs).getUTCFullYear() ? words : `${words} ${year}`;
  }

  /** `Today`, `Yesterday`, or the day. @param {number} timeMs @param {number} nowMs */
  nearDay(timeMs, nowMs) {
    const days = Math.round((this.dayStart(nowMs) - this.dayStart(timeMs)) / DAY_MS);
    if (days === 0) return "Today";
    return days === 1 ? "Yesterday" : this.day(timeMs, nowMs);
  }

  /** What a mark of the ruler says. @param {number} timeMs @param {number} stepMs @param {number} nowMs */
  mark(timeMs, stepMs, nowMs) {
    if (timeMs === this.dayStart(timeMs)) return this.day(timeMs, nowMs);
    return this.clock(timeMs).slice(0, stepMs < MINUTE_MS ? 8 : 5);
  }

  /** When the day of a time begins. @param {number} timeMs */
  dayStart(timeMs) {
    const shownMs = Math.floor((timeMs + this.offsetMs(timeMs)) / DAY_MS) * DAY_MS;
    return shownMs - this.offsetMs(shownMs - this.offsetMs(timeMs));
  }

  /** When the day after that of a time begins; a day may have 23 hours, or 25. @param {number} timeMs */
  dayEnd(timeMs) {
    return this.dayStart(this.dayStart(timeMs) + 1.25 * DAY_MS);
  }

  /**
   * The days on which something is recorded, the newest first.
   *
   * @param {Recording} recording
   * @returns {Range[]}
   */
  days(recording) {
    /** @type {Range[]} */
    const days = [];
    let timeMs = recording.toMs;
    for (; timeMs !== null && days.length < MAX_DAYS;) {
      const day = { fromMs: this.dayStart(timeMs - 1), toMs: this.dayEnd(timeMs - 1) };
      days.push(day);
      timeMs = recording.within(-Infinity, day.fromMs).at(-1)?.toMs ?? null;
    }
    return days;
  }

  /** @param {number} timeMs */
  #shown(timeMs) {
    return new Date(timeMs + this.offsetMs(timeMs));
  }
}

/** How long something is: `12 s`, `3:20 min`, `1:02:03 h`. @param {number} lengthMs */
export function formatLength(lengthMs) {
  const seconds = Math.round(lengthMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${formatTime(seconds)} ${seconds < 3600 ? "min" : "h"}`;
}

/** `640 KB`, `3.2 MB`, `1.4 GB`. @param {number} bytes */
export function formatBytes(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
  const [amount, unit] = bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
}
