// @ts-check
/** The bar of time: what is recorded, where the picture is, and what fingers, pointers and keys do to it. */

import { barsOf, marksOf, Scale, SPAN_MS } from "./scale.js";

/**
 * @typedef {import("./recording.js").Range} Range
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./times.js").Times} Times
 */

/**
 * @typedef {object} TrackParts
 * @property {HTMLElement} track
 * @property {HTMLElement} bars
 * @property {HTMLElement} marks
 * @property {HTMLElement} head where the picture is
 * @property {HTMLElement} edge where the newest picture is
 */

/**
 * What is to be shown.
 * @typedef {object} TrackFacts
 * @property {Recording} recording
 * @property {number} nowMs
 * @property {number | null} pictureMs
 * @property {boolean} isGrowing what is newest is on its way to the archive
 */

/**
 * @typedef {object} TrackEvents
 * @property {(timeMs: number) => void} onChoose a time is to be played
 * @property {(timeMs: number | null, fraction: number) => void} onHover a time is pointed at; `null`: none is
 * @property {() => void} onScale other times are shown
 * @property {() => void} onLive to the newest picture
 */

/** A pointer that moved so far moves what is shown, and chooses nothing. Pixels. */
const DRAG_PX = 6;
/** Between two marks there is room for their words. Pixels. */
const MARK_PX = 84;
/** What the words of a mark need at the right end. Pixels. */
const WORDS_PX = 46;
/** Keys choose a time when no other follows for so long. */
const KEY_REST_MS = 500;
/** A turn of the wheel, and a press of a key or button, shows so much more or less. */
const WHEEL_FACTOR = 1.2;
/** What is shown may reach so far, as a part of its length, beyond what is recorded and now. */
const MARGIN = 0.06;
/** Where the newest picture stands while the timeline goes with it. */
const FOLLOW_AT = 0.94;

/** The bar of one page. */
export class Track {
  #parts;
  #times;
  #events;
  #scale;
  /** @type {TrackFacts} */
  #facts;
  /** What is shown goes with the clock. */
  #isFollowing = true;
  /** @type {Map<number, { startPx: number, atPx: number }>} */
  #pointers = new Map();
  #isDragged = false;
  /** Where keys have gone. @type {number | null} */
  #cursorMs = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #keyTimer;
  #shownBars = "";
  #shownMarks = "";

  /**
   * @param {TrackParts} parts
   * @param {{ times: Times, facts: TrackFacts, spanMs: number, events: TrackEvents }} options
   */
  constructor(parts, { times, facts, spanMs, events }) {
    this.#parts = parts;
    this.#times = times;
    this.#facts = facts;
    this.#events = events;
    this.#scale = new Scale(facts.nowMs, spanMs).withAt(facts.nowMs, FOLLOW_AT);
    this.#listen();
    new ResizeObserver(() => this.#draw()).observe(parts.track);
  }

  get scale() {
    return this.#scale;
  }

  /** Shows what is. @param {TrackFacts} facts */
  render(facts) {
    this.#facts = facts;
    if (this.#isFollowing) this.#scale = this.#scale.withAt(facts.nowMs, FOLLOW_AT);
    this.#draw();
  }

  /** Goes with the clock again. */
  follow() {
    this.#isFollowing = true;
    this.#setScale(this.#scale.withAt(this.#facts.nowMs, FOLLOW_AT), true);
  }

  /** Has a time in view, in the middle where it was not. @param {number} timeMs */
  reveal(timeMs) {
    if (!this.#scale.shows(timeMs)) this.#setScale(this.#scale.withAt(timeMs, 0.5));
  }

  /** @param {Range} range */
  showRange({ fromMs, toMs }) {
    this.#setScale(new Scale(fromMs, toMs - fromMs));
  }

  /** @param {number} spanMs around the picture, where it is in view */
  zoomTo(spanMs) {
    const { pictureMs } = this.#facts;
    const fraction = this.#isFollowing
      ? FOLLOW_AT
      : pictureMs !== null && this.#scale.shows(pictureMs)
        ? this.#scale.fractionOf(pictureMs)
        : 0.5;
    this.#setScale(this.#scale.zoomTo(spanMs, fraction), this.#isFollowing);
  }

  /** A time at a place of the window. @param {number} clientX */
  timeAt(clientX) {
    return this.#scale.timeAt(this.#fractionAt(clientX));
  }

  /**
   * @param {Scale} scale
   * @param {boolean} [goesOn] with the clock
   */
  #setScale(scale, goesOn = false) {
    const { recording, nowMs } = this.#facts;
    const margin = scale.spanMs * MARGIN;
    const bounds = { fromMs: (recording.fromMs ?? nowMs) - margin, toMs: nowMs + margin };
    this.#isFollowing = goesOn;
    this.#scale = goesOn
      ? scale
      : scale.spanMs > bounds.toMs - bounds.fromMs
        ? scale
        : scale.keptWithin(bounds);
    this.#draw();
    this.#events.onScale();
  }

  #draw() {
    const { track, head, edge } = this.#parts;
    const { recording, nowMs, pictureMs, isGrowing } = this.#facts;
    const scale = this.#scale;
    const widthPx = track.clientWidth;
    const ranges = recording.within(scale.fromMs, scale.toMs);
    if (isGrowing) ranges.push({ fromMs: recording.toMs ?? nowMs, toMs: nowMs });
    const bars = barsOf(ranges, scale, widthPx);
    this.#shownBars = redraw(
      this.#parts.bars,
      this.#shownBars,
      bars.map(({ from, to }) => ({
        left: from,
        width: to - from,
        text: "",
      })),
    );
    const { stepMs, timesMs } = marksOf(scale, widthPx / MARK_PX, (timeMs) => this.#times.offsetMs(timeMs));
    this.#shownMarks = redraw(
      this.#parts.marks,
      this.#shownMarks,
      // One whose words would be cut off says nothing.
      timesMs
        .filter((timeMs) => scale.fractionOf(timeMs) * widthPx < widthPx - WORDS_PX)
        .map((timeMs) => ({
          left: scale.fractionOf(timeMs),
          width: null,
          text: this.#times.mark(timeMs, stepMs, nowMs),
        })),
    );
    edge.hidden = !scale.shows(nowMs);
    place(edge, scale.fractionOf(nowMs));
    const shownMs = this.#cursorMs ?? pictureMs;
    head.hidden = shownMs === null || !scale.shows(shownMs);
    if (shownMs !== null) place(head, scale.fractionOf(shownMs));
    this.#describe(shownMs ?? nowMs);
  }

  /** For those who do not see it. @param {number} timeMs */
  #describe(timeMs) {
    const { track } = this.#parts;
    const { recording, nowMs } = this.#facts;
    const isRecorded = recording.has(timeMs) || timeMs > (recording.toMs ?? nowMs);
    track.setAttribute("aria-valuemin", String(Math.floor((recording.fromMs ?? nowMs) / 1000)));
    track.setAttribute("aria-valuemax", String(Math.floor(nowMs / 1000)));
    track.setAttribute("aria-valuenow", String(Math.floor(timeMs / 1000)));
    const words = `${this.#times.nearDay(timeMs, nowMs)}, ${this.#times.clock(timeMs)}`;
    track.setAttribute("aria-valuetext", isRecorded ? words : `${words}, not recorded`);
  }

  #listen() {
    const { track } = this.#parts;
    track.addEventListener("pointerdown", (event) => this.#onDown(event));
    track.addEventListener("pointermove", (event) => this.#onMove(event));
    track.addEventListener("pointerup", (event) => this.#onUp(event));
    track.addEventListener("pointercancel", (event) => this.#forget(event));
    track.addEventListener("pointerleave", () => this.#events.onHover(null, 0));
    track.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    track.addEventListener("keydown", (event) => this.#onKey(event));
    track.addEventListener("blur", () => this.#settleKeys());
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (event.button !== 0) return;
    this.#parts.track.setPointerCapture(event.pointerId);
    if (this.#pointers.size === 0) this.#isDragged = false;
    this.#pointers.set(event.pointerId, { startPx: event.clientX, atPx: event.clientX });
    this.#hover(event.clientX);
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    const held = this.#pointers.get(event.pointerId);
    if (held === undefined) {
      this.#hover(event.clientX);
      return;
    }
    const before = [...this.#pointers.values()].map(({ atPx }) => atPx);
    const movedPx = event.clientX - held.atPx;
    if (Math.abs(event.clientX - held.startPx) >= DRAG_PX || this.#pointers.size > 1)
      this.#isDragged = true;
    held.atPx = event.clientX;
    if (!this.#isDragged) return;
    if (this.#pointers.size === 1) this.#setScale(this.#scale.moveBy(-movedPx / this.#widthPx));
    else
      this.#pinch(
        before,
        [...this.#pointers.values()].map(({ atPx }) => atPx),
      );
    this.#events.onHover(null, 0);
  }

  /**
   * Two fingers: what is under them stays there.
   *
   * @param {readonly number[]} before
   * @param {readonly number[]} after
   */
  #pinch([a = 0, b = 0], [c = 0, d = 0]) {
    const [apartBefore, apartAfter] = [Math.abs(a - b), Math.max(10, Math.abs(c - d))];
    const moved = this.#scale.moveBy(-((c + d) / 2 - (a + b) / 2) / this.#widthPx);
    this.#setScale(moved.zoomTo((moved.spanMs * apartBefore) / apartAfter, this.#fractionAt((c + d) / 2)));
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    const isChoice = this.#pointers.size === 1 && !this.#isDragged && this.#pointers.has(event.pointerId);
    this.#forget(event);
    if (isChoice) this.#choose(this.timeAt(event.clientX));
    if (event.pointerType !== "mouse") this.#events.onHover(null, 0);
  }

  /** @param {PointerEvent} event */
  #forget(event) {
    this.#pointers.delete(event.pointerId);
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    event.preventDefault();
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const turn = isSideways ? event.deltaX || event.deltaY : event.deltaY;
    if (isSideways) this.#setScale(this.#scale.moveBy(Math.sign(turn) * 0.08));
    else {
      const factor = turn > 0 ? WHEEL_FACTOR : 1 / WHEEL_FACTOR;
      const fraction = this.#isFollowing ? FOLLOW_AT : this.#fractionAt(event.clientX);
      this.#setScale(this.#scale.zoomTo(this.#scale.spanMs * factor, fraction), this.#isFollowing);
    }
    this.#hover(event.clientX);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.#keys[event.key];
    if (act === undefined) return;
    // The player has other uses for them.
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** @type {Readonly<Record<string, () => void>>} */
  #keys = {
    ArrowLeft: () => this.#moveCursor(-1 / 60),
    ArrowRight: () => this.#moveCursor(1 / 60),
    PageUp: () => this.#moveCursor(1 / 6),
    PageDown: () => this.#moveCursor(-1 / 6),
    ArrowUp: () => this.zoomTo(this.#scale.spanMs / 2),
    ArrowDown: () => this.zoomTo(this.#scale.spanMs * 2),
    "+": () => this.zoomTo(this.#scale.spanMs / 2),
    "-": () => this.zoomTo(this.#scale.spanMs * 2),
    Home: () => this.#setCursor(this.#facts.recording.fromMs ?? this.#facts.nowMs),
    End: () => {
      this.#dropCursor();
      this.#events.onLive();
    },
    Enter: () => this.#settleKeys(),
    " ": () => this.#settleKeys(),
    Escape: () => this.#dropCursor(),
  };

  /** @param {number} part of what is shown */
  #moveCursor(part) {
    const { pictureMs, nowMs, recording } = this.#facts;
    const fromMs = this.#cursorMs ?? pictureMs ?? nowMs;
    const stepMs = Math.max(1000, Math.abs(part) * this.#scale.spanMs) * Math.sign(part);
    this.#setCursor(Math.min(Math.max(fromMs + stepMs, recording.fromMs ?? nowMs), nowMs));
  }

  /** @param {number} timeMs */
  #setCursor(timeMs) {
    this.#cursorMs = timeMs;
    clearTimeout(this.#keyTimer);
    this.#keyTimer = setTimeout(() => this.#settleKeys(), KEY_REST_MS);
    this.#isFollowing = false;
    this.reveal(timeMs);
    this.#draw();
    this.#events.onHover(timeMs, this.#scale.fractionOf(timeMs));
  }

  #settleKeys() {
    const timeMs = this.#cursorMs;
    this.#dropCursor();
    if (timeMs !== null) this.#choose(timeMs);
  }

  #dropCursor() {
    clearTimeout(this.#keyTimer);
    this.#cursorMs = null;
    this.#events.onHover(null, 0);
    this.#draw();
  }

  /** @param {number} timeMs */
  #choose(timeMs) {
    this.#isFollowing = false;
    this.#events.onChoose(Math.min(timeMs, this.#facts.nowMs));
  }

  /** @param {number} clientX */
  #hover(clientX) {
    const fraction = this.#fractionAt(clientX);
    this.#events.onHover(this.#scale.timeAt(fraction), fraction);
  }

  /** @param {number} clientX */
  #fractionAt(clientX) {
    const { left } = this.#parts.track.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / this.#widthPx));
  }

  get #widthPx() {
    return Math.max(1, this.#parts.track.clientWidth);
  }
}

/** What may be shown at least and at most, for those who offer it. */
export { SPAN_MS };

/**
 * @param {HTMLElement} element
 * @param {number} fraction
 */
export function place(element, fraction) {
  element.style.setProperty("left", `${(fraction * 100).toFixed(3)}%`);
}

/**
 * Children that stand side by side; those that are there are used again.
 *
 * @param {HTMLElement} into
 * @param {string} shown what was drawn
 * @param {readonly { left: number, width: number | null, text: string }[]} items
 * @returns {string} what is drawn now
 */
function redraw(into, shown, items) {
  const key = items
    .map(({ left, width, text }) => `${left.toFixed(5)} ${width?.toFixed(5)} ${text}`)
    .join();
  if (key === shown) return shown;
  for (const [i, { left, width, text }] of items.entries()) {
    const child = into.children[i] ?? into.appendChild(document.createElement("span"));
    if (!(child instanceof HTMLElement)) continue;
    if (child.textContent !== text) child.textContent = text;
    place(child, left);
    if (width !== null) child.style.setProperty("width", `${(width * 100).toFixed(3)}%`);
  }
  while (into.children.length > items.length) into.lastElementChild?.remove();
  return key;
}
