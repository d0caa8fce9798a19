import { Ring } from "./ring.ts";

/** Tasks that run at a time, and that wait for their turn. */
export type WorkLimits = { readonly running: number; readonly waiting: number };

/** Runs at most `running` tasks at a time; at most `waiting` more wait, first come, first served. */
export class BoundedWork {
  readonly #runningLimit: number;
  readonly #busy: (waiting: number) => Error;
  readonly #waiting: Ring<() => void>;
  #running = 0;

  /** `busy`: what is thrown when too many wait. */
  constructor(limits: WorkLimits, busy: (waiting: number) => Error) {
    this.#runningLimit = limits.running;
    this.#busy = busy;
    this.#waiting = new Ring(limits.waiting);
  }

  /** Tasks that run now. */
  get running(): number {
    return this.#running;
  }

  /** Runs the task when its turn comes. Throws: `busy` when too many wait; whatever the task throws. */
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
    if (!this.#waiting.push(resolve)) throw this.#busy(this.#waiting.length);
    await promise;
  }
}
