import { randomBytes } from "node:crypto";
import { addressCounters } from "./shared-address-counter.ts";
import type { ThreadShares } from "./messages.ts";

/** As OpenSSL has them: a name, a key of HMAC and one of AES. */
const TICKET_KEYS_BYTES = 48;

/** Makes the memory that so many threads see. */
export function makeShares(threads: number): ThreadShares {
  const counters = (count = threads): Int32Array =>
    new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
  return {
    beats: counters(threads + 1),
    draining: counters(1),
    heldKib: counters(),
    viewers: counters(),
    rtmpAddresses: addressCounters(threads),
    httpAddresses: addressCounters(threads),
    ticketKeys: randomBytes(TICKET_KEYS_BYTES),
  };
}

/** Which of `beats` is the control thread's: the one behind those of the media threads. */
export function controlBeat({ beats }: Pick<ThreadShares, "beats">): number {
  return beats.length - 1;
}
