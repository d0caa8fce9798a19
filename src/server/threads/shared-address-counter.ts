import { hashText } from "../../base/hash.ts";
import type { AddressLimit } from "../../base/address-counter.ts";

/** Two rows of counters per thread: an address is counted in both, and the smaller sum is believed. */
const BASES = [0x811c9dc5, 0x9e3779b9] as const;
const ROWS = BASES.length;
const SLOTS = 8192;
const THREAD_COUNTERS = ROWS * SLOTS;

/** Shared memory for the counters of so many threads: 64 KiB each. */
export function addressCounters(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(threads * THREAD_COUNTERS * Int32Array.BYTES_PER_ELEMENT));
}

/** Takes the connections of a thread that is gone out of the count. */
export function forgetAddresses(counters: Int32Array, thread: number): void {
  counters.fill(0, thread * THREAD_COUNTERS, (thread + 1) * THREAD_COUNTERS);
}

/**
 * `AddressCounter` for several threads that accept connections of the same listeners.
 *
 * Counters are found by hashes of the address, so that the table has one size for any number of addresses and needs no
 * lock; two addresses that share a counter in both rows count as one, which overrates them, and with 50 000 addresses
 * by some ten connections at most. Two threads that admit the last connection in the same microsecond go over by one.
 */
export class SharedAddressCounter implements AddressLimit {
  /** May change: a lower one refuses newcomers and closes nobody. */
  limit: number;
  readonly #counters: Int32Array;
  readonly #thread: number;
  readonly #threads: number;

  /** `counters`: of `addressCounters`, the same for all threads. */
  constructor(counters: Int32Array, thread: number, limit: number) {
    this.#counters = counters;
    this.#thread = thread;
    this.#threads = counters.length / THREAD_COUNTERS;
    this.limit = limit;
  }

  /** Connections of one address over all threads. */
  countOf(address: string): number {
    return Math.min(this.#sum(slotOf(address, 0)), this.#sum(slotOf(address, 1)));
  }

  acquire(address: string): boolean {
    if (this.countOf(address) >= this.limit) return false;
    this.#add(address, 1);
    return true;
  }

  release(address: string): void {
    this.#add(address, -1);
  }

  #add(address: string, count: number): void {
    for (let row = 0; row < ROWS; row++) {
      Atomics.add(this.#counters, this.#thread * THREAD_COUNTERS + slotOf(address, row), count);
    }
  }

  #sum(slot: number): number {
    let sum = 0;
    for (let thread = 0; thread < this.#threads; thread++) {
      sum += Atomics.load(this.#counters, thread * THREAD_COUNTERS + slot);
    }
    return sum;
  }
}

function slotOf(address: string, row: number): number {
  return row * SLOTS + (hashText(address, BASES[row]) % SLOTS);
}
