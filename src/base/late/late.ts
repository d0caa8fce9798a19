/** Modules that most processes never need: loaded when they are first asked for, so that an idle process stays small. */
import { messageOf } from "../errors.ts";
import { lateErrors } from "./errors.ts";

/**
 * Runs `use` with what is loaded: at once when it is there, and otherwise when it has come, in the order of the calls.
 * Throws and rejects with what `use` does; rejects with LATE_NOT_LOADED, LATE_TOO_MANY.
 */
export type Late<Module> = <Result>(
  use: (module: Module) => Promise<Result> | Result,
) => Promise<Result> | Result;

/** What may be told of a module. */
export type LateOptions = {
  /** Uses that wait at a time. Stops a disk that hangs from filling the memory with those who ask. */
  readonly maxWaiting?: number;
};

const MAX_WAITING = 10_000;

/**
 * What `load` gives, loaded once for all who ask; a load that failed is tried again for the next one who asks.
 *
 * `part`: what it is, for people, such as `DASH`. `load`: most often `() => import("./reply.ts")`.
 */
export function late<Module>(
  part: string,
  load: () => Promise<Module>,
  options: LateOptions = {},
): Late<Module> {
  const loader = new Loader(part, load, options.maxWaiting ?? MAX_WAITING);
  return (use) => (loader.loaded === null ? loader.wait(use) : use(loader.loaded.module));
}

class Loader<Module> {
  /** In a box, for a module may be any value. */
  loaded: { readonly module: Module } | null = null;
  readonly #part: string;
  readonly #load: () => Promise<Module>;
  readonly #maxWaiting: number;
  #loading: Promise<Module> | null = null;
  #waiting = 0;

  constructor(part: string, load: () => Promise<Module>, maxWaiting: number) {
    this.#part = part;
    this.#load = load;
    this.#maxWaiting = maxWaiting;
  }

  async wait<Result>(use: (module: Module) => Promise<Result> | Result): Promise<Result> {
    if (this.#waiting >= this.#maxWaiting)
      throw lateErrors.error("LATE_TOO_MANY", { part: this.#part, limit: this.#maxWaiting });
    const loading = (this.#loading ??= this.#begin());
    this.#waiting++;
    let module: Module;
    try {
      module = await loading;
    } finally {
      this.#waiting--;
      // Of those who waited the first one clears it; it may be another one's by the time the next one comes.
      if (this.#loading === loading) this.#loading = null;
    }
    return await use(module);
  }

  async #begin(): Promise<Module> {
    try {
      const module = await this.#load();
      this.loaded = { module };
      return module;
    } catch (caught) {
      throw lateErrors.error("LATE_NOT_LOADED", { part: this.#part, reason: messageOf(caught) }, caught);
    }
  }
}
