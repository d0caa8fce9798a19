import { parsePlainHead } from "./plain-request.ts";
import type { PlainHead } from "./plain-request.ts";

/** Slots, and the longest head that is kept: 1 MB of bytes at most, and as much again of what was read from them. */
const SLOTS = 512;
const MAX_KEPT_BYTES = 2 * 1024;

/** Of a head's bytes, the place is found from those in which the heads of players differ: from its beginning on. */
const SAMPLED_BYTES = 96;
const SAMPLE_STEP = 3;

/**
 * Remembers heads that were read lately. A player asks for its playlist with the same bytes again and again, and bytes
 * that are equal mean the same: comparing them costs a tenth of reading them.
 */
export class HeadMemory {
  readonly #slots: (PlainHead | null)[] = Array.from({ length: SLOTS }, () => null);

  /** The head that was kept of these bytes, when they are one whole request; the bytes are not kept. */
  find(bytes: Uint8Array): PlainHead | null {
    if (bytes.length > MAX_KEPT_BYTES) return null;
    const kept = this.#slots[slotOf(bytes)]!;
    return kept !== null && kept.isAllOf(bytes) ? kept : null;
  }

  /** What `parsePlainHead` gives for the whole chunk's first request. */
  read(chunk: Buffer): PlainHead | null {
    if (chunk.length > MAX_KEPT_BYTES) return parsePlainHead(chunk, 0);
    const slot = slotOf(chunk);
    const kept = this.#slots[slot]!;
    if (kept !== null && kept.isAllOf(chunk)) return kept;
    const head = parsePlainHead(chunk, 0);
    if (head?.endOffset !== chunk.length) return head;
    // Of a copy: what was put back into a socket is a view of a whole read.
    const own = parsePlainHead(Buffer.from(chunk), 0);
    this.#slots[slot] = own;
    return own;
  }
}

function slotOf(chunk: Uint8Array): number {
  let hash = chunk.length;
  const end = Math.min(chunk.length, SAMPLED_BYTES);
  for (let i = 5; i < end; i += SAMPLE_STEP) hash = (Math.imul(hash, 31) + chunk[i]!) | 0;
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
