import type { Slab } from "../base/slab-allocator.ts";
import type { MediaPacket } from "../media/packet.ts";

/** Payloads that follow each other in a track and lie in the same memory, with one hold on it. */
type Run = {
  /** Index of the first of them. */
  readonly first: number;
  readonly memory: ArrayBufferLike;
  readonly slab: Slab | null;
};

/**
 * The payloads of one track of a segment, where they lie. It keeps the places and not the packets: those are some 300
 * bytes of heap each, and a live window has a thousand of them.
 *
 * Ownership: it takes over one hold on the slab of each packet, keeps one for each run, and gives all up with `release`.
 */
export class HeldPayloads {
  readonly #runs: Run[] = [];
  readonly #offsets: Uint32Array;
  readonly #sizes: Uint32Array;

  /** `sizes`: the lengths of the packets' payloads; kept. */
  constructor(packets: readonly MediaPacket[], sizes: Uint32Array) {
    this.#sizes = sizes;
    this.#offsets = new Uint32Array(packets.length);
    let last: ArrayBufferLike | null = null;
    for (let index = 0; index < packets.length; index++) {
      const { payload, slab = null } = packets[index]!;
      const memory = payload.buffer;
      this.#offsets[index] = payload.byteOffset;
      if (memory === last) slab?.release();
      else this.#runs.push({ first: index, memory, slab });
      last = memory;
    }
  }

  /**
   * The payloads from one index up to another, one behind the other, in memory of their own that has room for exactly
   * `totalBytes`. Not to be called after `release`.
   */
  concat(totalBytes: number, from = 0, to = this.#sizes.length): Uint8Array {
    const whole = new Uint8Array(totalBytes);
    let at = 0;
    for (const [number, { first, memory }] of this.#runs.entries()) {
      const end = Math.min(to, this.#runs[number + 1]?.first ?? this.#sizes.length);
      for (let index = Math.max(from, first); index < end; index++) {
        whole.set(new Uint8Array(memory, this.#offsets[index], this.#sizes[index]), at);
        at += this.#sizes[index]!;
      }
    }
    return whole;
  }

  /** They may be overwritten. */
  release(): void {
    for (const { slab } of this.#runs) slab?.release();
    this.#runs.length = 0;
  }
}
