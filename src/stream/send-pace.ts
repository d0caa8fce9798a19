import { Delivery } from "./delivery.ts";
import type { SendWindow } from "./rules.ts";

/** Window per viewer of the thread: keeps its writes, of some 9 us each, at about a tenth of a core. */
const WINDOW_MS_PER_VIEWER = 0.09;

/** The window grows to this many times what timers are late: a loop that is behind catches up by fewer writes. */
const WINDOW_PER_LATENESS = 4;

/** How much of the smoothed lateness the newest timer is. */
const LATENESS_SHARE = 0.125;

/** Lateness that every loop has now and then; it widens nothing. */
const USUAL_LATENESS_MS = 5;

/** The widest window that the load alone makes. Units: milliseconds. */
export const MAX_AUTO_WINDOW_MS = 350;

/** Something that waits for the end of the turn. */
export type TurnTask = { endOfTurn(): void };

/**
 * How fast one thread may write to its viewers: it counts them, takes note of how late timers fire, and gathers what
 * is to be done at the end of the turn of the event loop that is running. One object per thread.
 */
export class SendPace {
  /** What became of it. */
  readonly delivery = new Delivery();
  readonly #defer: (run: () => void) => void;
  readonly #deferFar: (run: () => void) => void;
  #viewers = 0;
  #lateMs = 0;
  #tasks: TurnTask[] = [];

  /**
   * `defer`: calls back once what one read brought is taken in; `deferFar`: once all that could be read in this turn of
   * the loop is.
   */
  constructor(
    defer: (run: () => void) => void = queueMicrotask,
    deferFar: (run: () => void) => void = (run) => void setImmediate(run),
  ) {
    this.#defer = defer;
    this.#deferFar = deferFar;
  }

  /** Viewers of the thread that are written to, over all streams and formats; not those who fell back. */
  get viewers(): number {
    return this.#viewers;
  }

  /** A viewer came. */
  joined(): void {
    this.#viewers++;
  }

  /** A viewer left. */
  left(): void {
    this.#viewers--;
  }

  /** A timer fired so much behind its time. */
  noteLateness(lateUs: number): void {
    const lateMs = Math.max(0, lateUs / 1000);
    this.#lateMs += (lateMs - this.#lateMs) * LATENESS_SHARE;
  }

  /** How long media is collected under a window. Units: milliseconds; 0 sends each frame at once. */
  windowMs(window: SendWindow): number {
    if (window !== "auto") return window;
    const forWritesMs = this.#viewers * WINDOW_MS_PER_VIEWER;
    const forLatenessMs = this.#lateMs > USUAL_LATENESS_MS ? this.#lateMs * WINDOW_PER_LATENESS : 0;
    return Math.min(MAX_AUTO_WINDOW_MS, Math.max(forWritesMs, forLatenessMs));
  }

  /** Runs a task when all that was there to be read is taken in, in however many reads; for windows. */
  afterReads(task: TurnTask): void {
    this.#deferFar(() => task.endOfTurn());
  }

  /** Runs a task at the end of this turn, when all that one read brought is there. */
  atEndOfTurn(task: TurnTask): void {
    this.#tasks.push(task);
    if (this.#tasks.length > 1) return;
    this.#defer(() => {
      const tasks = this.#tasks;
      this.#tasks = [];
      for (const one of tasks) one.endOfTurn();
    });
  }
}
