import { systemClock } from "../../base/clock.ts";
import type { Timer } from "../../base/clock.ts";

/** From one beat to the next. Units: milliseconds. */
export const BEAT_MS = 500;

/** Beats whose lateness is remembered: one minute. */
const REMEMBERED = 120;

/**
 * Shows that a thread's event loop turns: it beats at once and twice a second, and remembers how late each beat was. An idle thread is
 * woken no more often than that, which a sampling timer would do.
 */
export class Heart {
  readonly #beat: () => void;
  readonly #latenessMs = new Float64Array(REMEMBERED);
  #beats = 0;
  #dueUs = 0;
  #timer: Timer | null = null;

  /** Beats at once: a thread that hangs soon after has lived, and is missed. */
  constructor(beat: () => void) {
    this.#beat = beat;
    beat();
    this.#schedule();
  }

  /** The quantile of how late the beats of the last minute were, e.g. 0.99; 0 before the first. Units: milliseconds. */
  latenessMs(quantile: number): number {
    const known = this.#latenessMs.slice(0, Math.min(this.#beats, REMEMBERED)).sort();
    return known[Math.min(known.length - 1, Math.floor(known.length * quantile))] ?? 0;
  }

  /** Beats no more. */
  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#dueUs = systemClock.nowUs() + BEAT_MS * 1000;
    this.#timer = systemClock.schedule(BEAT_MS, () => {
      this.#latenessMs[this.#beats % REMEMBERED] = Math.max(0, (systemClock.nowUs() - this.#dueUs) / 1000);
      this.#beats++;
      this.#beat();
      this.#schedule();
    });
  }
}
