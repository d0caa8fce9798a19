import { addressCounters } from "./shared-address-counter.ts";
import type { ThreadShares } from "./messages.ts";

/** Makes the memory that so many threads see. */
export function makeShares(threads: number): ThreadShares {
  const counters = (): Int32Array =>
    new Int32Array(new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT));
  return {
    beats: counters(),
    heldKib: counters(),
    viewers: counters(),
    rtmpAddresses: addressCounters(threads),
    httpAddresses: addressCounters(threads),
  };
}
