import { Ring } from "../base/ring.ts";
import { vodErrors } from "./errors.ts";

/** Tasks that run at a time, and that wait for their turn. */
export type WorkLimits = { readonly running: number; readonly waiting: number };

/** Runs at most `running` tasks at a time; at most `waiting` more wait, first come, first served. */
export class BoundedWork {
  readonly #runningLimit: number;
  readonly #waiting: Ring<() => void>;
  #running = 0;

  constructor(limits: WorkLimits) {
    this.#runningLimit = limits.running;
    this.#waiting = new Ring(limits.waiting);
  }

  /** Tasks that run now. */
  get running(): number {
    return this.#running;
  }

  /** Runs the task when its turn comes. Throws: VOD_BUSY when too many wait; whatever the task throws. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#runningLimit) await this.#turn();
    else this.#running++;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** Resolves when a finished task hands its place over. */
  async #turn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#waiting.push(resolve)) {
      throw vodErrors.error("VOD_BUSY", { reason: `${this.#waiting.length} reads wait already` });
    }
    await promise;
  }
}
