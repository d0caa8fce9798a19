import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let known: NodeJS.GCFunction | null = null;

/**
 * V8's own function, which new contexts have while a flag is on. Flags are the process's: it is not switched off again,
 * since another thread may be making its context just then.
 */
function collector(): NodeJS.GCFunction {
  if (known !== null) return known;
  setFlagsFromString("--expose-gc");
  known = runInNewContext("gc") as NodeJS.GCFunction;
  return known;
}

/**
 * Gives back what starting has used: reading and linking the modules leaves some 10 MB of garbage in each thread, which
 * an idle process would keep for good, since nothing makes it collect. Takes some 10 ms; to be called once per thread.
 */
export function returnStartupMemory(): void {
  collector()({ type: "major", execution: "sync", flavor: "last-resort" });
}

/** So much garbage of shared memory may lie about in one thread. */
const MAX_DEBT_BYTES = 64 * 1024 * 1024;

/**
 * Counts shared memory that this thread has made or was given. V8 does not see it as memory, so that garbage of it would
 * grow until something else makes V8 collect; here that is done every `MAX_DEBT_BYTES`, in pieces between other work.
 */
export class SharedMemoryDebt {
  static readonly MAX_BYTES = MAX_DEBT_BYTES;
  readonly #collect: () => void;
  #bytes = 0;

  constructor(collect: () => void = () => void collector()({ type: "major", execution: "async" })) {
    this.#collect = collect;
  }

  /** So much more is held, and will be garbage some time. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < MAX_DEBT_BYTES) return;
    this.#bytes = 0;
    this.#collect();
  }
}
