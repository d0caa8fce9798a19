import { Ring } from "../../base/ring.ts";
import { objectErrors } from "./errors.ts";

/** How many run at a time, and how many more wait. */
export type TurnLimits = { readonly running: number; readonly waiting: number };

/** Runs reads a few at a time, first come, first served. */
export class Turns {
  readonly #limit: number;
  readonly #waiting: Ring<() => void>;
  #running = 0;

  constructor(limits: TurnLimits) {
    this.#limit = limits.running;
    this.#waiting = new Ring(limits.waiting);
  }

  /** Runs the task when its turn comes. Throws: OBJECT_READS_BUSY when too many wait; whatever the task throws. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running++;
    else await this.#turn();
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** Resolves when one that has finished hands its place over. */
  async #turn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#waiting.push(resolve))
      throw objectErrors.error("OBJECT_READS_BUSY", { waiting: this.#waiting.length });
    await promise;
  }
}
