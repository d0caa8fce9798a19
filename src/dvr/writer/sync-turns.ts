import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import type { WorkLimits } from "../../base/bounded-work.ts";

/** So long a sync may take, from when it was due, before it is said that the disk is slow. Units: milliseconds. */
const LATE_MS = 10_000;

/** How soon it is said again. Units: milliseconds. */
const TELL_AGAIN_MS = 3_600_000;

/** The syncs of a thread's recordings, some at a time. Says when the disk is too slow to keep what `fsync` promises. */
export class SyncTurns {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #work: BoundedWork;
  #due = 0;
  #toldUs = -Infinity;

  constructor({ clock, log, limits }: { clock: Clock; log: Logger; limits: WorkLimits }) {
    this.#clock = clock;
    this.#log = log;
    this.#work = new BoundedWork(limits, vodBusy);
  }

  /** Runs the task when its turn comes. Throws: VOD_BUSY when too many wait; whatever the task throws. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const dueUs = this.#clock.nowUs();
    this.#due++;
    try {
      return await this.#work.run(task);
    } finally {
      this.#due--;
      this.#tellIfLate((this.#clock.nowUs() - dueUs) / 1000);
    }
  }

  #tellIfLate(tookMs: number): void {
    const nowUs = this.#clock.nowUs();
    if (tookMs < LATE_MS || nowUs - this.#toldUs < TELL_AGAIN_MS * 1000) return;
    this.#toldUs = nowUs;
    this.#log.warn(
      "the disk is too slow for fsync: when the power fails, so much of recordings may be lost",
      {
        tookMs: Math.round(tookMs),
        waiting: this.#due,
      },
    );
  }
}
