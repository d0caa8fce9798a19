import type { Clock, Timer } from "../../base/clock.ts";

/** Rests end at multiples of this, so that many connections wake with one timer. Units: milliseconds. */
const GRID_MS = 10;

/** Who rests. */
export type Rester = { wake(): void };

/**
 * Connections that are not read for a moment. One timer for all of them; each is in it at most once.
 *
 * Bounded by the connections themselves.
 */
export class ReadingRests<Who extends Rester> {
  readonly #clock: Clock;
  /** Who wakes at which multiple of the grid. */
  readonly #due = new Map<number, Set<Who>>();
  readonly #dueOf = new Map<Who, number>();
  #timer: Timer | null = null;
  #timerDue = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Connections that rest. */
  get size(): number {
    return this.#dueOf.size;
  }

  /** Wakes somebody after `restMs`, rounded up to the grid. */
  add(who: Who, restMs: number): void {
    this.remove(who);
    const nowMs = this.#clock.nowUs() / 1000;
    const due = Math.ceil((nowMs + restMs) / GRID_MS);
    let together = this.#due.get(due);
    if (together === undefined) this.#due.set(due, (together = new Set()));
    together.add(who);
    this.#dueOf.set(who, due);
    if (due < this.#timerDue) this.#arm(due, nowMs);
  }

  /** Forgets somebody; nothing happens when it does not rest. */
  remove(who: Who): void {
    const due = this.#dueOf.get(who);
    if (due === undefined) return;
    this.#dueOf.delete(who);
    const together = this.#due.get(due);
    together?.delete(who);
    if (together?.size === 0) this.#due.delete(due);
  }

  /** Wakes nobody any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerDue = Infinity;
    this.#due.clear();
    this.#dueOf.clear();
  }

  #arm(due: number, nowMs: number): void {
    this.#timer?.cancel();
    this.#timerDue = due;
    const delayMs = Math.max(1, Math.ceil(due * GRID_MS - nowMs));
    this.#timer = this.#clock.schedule(delayMs, () => this.#wake());
  }

  #wake(): void {
    this.#timer = null;
    this.#timerDue = Infinity;
    const nowMs = this.#clock.nowUs() / 1000;
    // A timer may fire a little early; another one for the rest would be too late.
    const reached = Math.floor((nowMs + 1) / GRID_MS);
    let next = Infinity;
    const woken: Who[] = [];
    for (const [due, together] of this.#due) {
      if (due > reached) next = Math.min(next, due);
      else woken.push(...together);
    }
    for (const who of woken) this.remove(who);
    if (next !== Infinity) this.#arm(next, nowMs);
    for (const who of woken) who.wake();
  }
}
