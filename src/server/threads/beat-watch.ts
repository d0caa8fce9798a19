import { BEAT_MS } from "./heart.ts";

/** An event loop that stands still for so long has hung. Units: milliseconds. */
export const STUCK_MS = 10_000;

/**
 * How long the event loops of other threads have stood still, counted in beats of the thread that looks. A process that
 * was suspended, or a machine that was, so costs one beat at most, however long it slept.
 */
export class BeatWatch {
  readonly #beats: Int32Array;
  readonly #seen: Int32Array;
  readonly #missed: number[];

  /** `beats`: one counter per thread, 0 where none runs. Shared; only read here. */
  constructor(beats: Int32Array) {
    this.#beats = beats;
    this.#seen = new Int32Array(beats.length);
    this.#missed = Array.from(beats, () => 0);
  }

  /** Looks at all counters; to be called with every beat of one's own. */
  observe(): void {
    for (let thread = 0; thread < this.#beats.length; thread++) {
      const beats = Atomics.load(this.#beats, thread);
      const stands = beats !== 0 && beats === this.#seen[thread];
      this.#missed[thread] = stands ? this.#missed[thread]! + 1 : 0;
      this.#seen[thread] = beats;
    }
  }

  /** Counts anew for a thread: what it missed before does not matter any more. */
  forgive(thread: number): void {
    this.#missed[thread] = 0;
  }

  /** How long a thread has not beaten; 0 where none runs. Units: milliseconds. */
  silentMs(thread: number): number {
    return (this.#missed[thread] ?? 0) * BEAT_MS;
  }
}
