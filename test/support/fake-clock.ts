/** A clock that stands still until a test moves it. */
import type { Clock, Timer } from "../../src/base/clock.ts";

type Pending = { readonly atUs: number; readonly order: number; readonly run: () => void };

/** 2026-01-01T00:00:00Z in microseconds: where wall time begins unless a test says otherwise. */
export const FAKE_WALL_START_US = Date.UTC(2026, 0, 1) * 1000;

/** Gives `Clock` to the code under test. Timers run within `advance`, in order of time, then of their making. */
export class FakeClock implements Clock {
  #nowUs = 0;
  #wallOffsetUs: number;
  #made = 0;
  readonly #pending = new Set<Pending>();

  constructor(wallStartUs = FAKE_WALL_START_US) {
    this.#wallOffsetUs = wallStartUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  wallUs(): number {
    return this.#nowUs + this.#wallOffsetUs;
  }

  schedule(delayMs: number, run: () => void): Timer {
    const pending = {
      atUs: this.#nowUs + Math.max(0, Math.round(delayMs * 1000)),
      order: this.#made++,
      run,
    };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Timers that wait: zero when the code under test left nothing behind. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time on and runs what falls due on the way, each at its own time, also what is scheduled meanwhile. */
  advance(byMs: number): void {
    const untilUs = this.#nowUs + Math.round(byMs * 1000);
    for (let next = this.#nextDue(untilUs); next !== undefined; next = this.#nextDue(untilUs)) {
      this.#pending.delete(next);
      this.#nowUs = next.atUs;
      next.run();
    }
    this.#nowUs = untilUs;
  }

  /** Moves time on in small steps and lets promises settle between them. */
  async advanceSettling(byMs: number, stepMs = 100): Promise<void> {
    for (let left = byMs; left > 0; left -= stepMs) {
      this.advance(Math.min(stepMs, left));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets wall time jump, as a machine's does when it is set; monotonic time does not notice. */
  stepWall(byMs: number): void {
    this.#wallOffsetUs += Math.round(byMs * 1000);
  }

  #nextDue(untilUs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.atUs > untilUs) continue;
      const isSooner = next === undefined || pending.atUs < next.atUs;
      if (isSooner || (pending.atUs === next?.atUs && pending.order < next.order)) next = pending;
    }
    return next;
  }
}
