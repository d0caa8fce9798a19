import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../base/clock.ts";

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

const LOOK_MS = 2000;
/** What an idle thread never has: it is looked at when it has 32 MiB, see `heapFlags`. */
const BUSY_HEAP_BYTES = 36 * 1024 * 1024;
/** With less memory V8 decides how far heaps grow. */
const MIN_LIMIT_BYTES = 1024 * 1024 * 1024;
/** By how much more than what is in use, before a heap is looked at as a whole. */
const GROWTH_FLAG = "--heap-growing-percent=100";

/**
 * Lets heaps grow to twice what is in use once this thread's is that of a busy server, where there is a gigabyte. By itself V8
 * looks at 41 MB of which 32 are in use: a thousand connections that wait for a verdict for 300 ms are enough to get it there
 * again, and each look stops the thread for 5 to 15 ms, which viewers of other streams wait. The flag is the process's, and the
 * first busy thread sets it for all. Runs until then.
 */
export function letBusyHeapGrow(
  clock: Clock,
  limitBytes: number,
  heap = { usedBytes: () => getHeapStatistics().used_heap_size, setFlag: setFlagsFromString },
): void {
  if (limitBytes < MIN_LIMIT_BYTES) return;
  clock.schedule(LOOK_MS, () => {
    if (heap.usedBytes() < BUSY_HEAP_BYTES) letBusyHeapGrow(clock, limitBytes, heap);
    else heap.setFlag(GROWTH_FLAG);
  });
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
