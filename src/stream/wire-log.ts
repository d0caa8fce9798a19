import type { WireRoom } from "./wire-format.ts";

const MIN_SLAB_BYTES = 32 * 1024;
const MAX_SLAB_BYTES = 1024 * 1024;
/** Slabs are sized in steps of this. */
const SLAB_STEP_BYTES = 32 * 1024;

type Slab = {
  readonly bytes: Buffer;
  /** Place in the log of the slab's first byte. */
  readonly start: number;
  usedBytes: number;
};

/**
 * The bytes of one stream in one wire format: append-only, in slabs, addressed by how many bytes came before.
 *
 * What is asked for in one piece lies in one slab. Ownership: views are shared by all who read and never written to;
 * whoever still holds one keeps its slab in memory, the log itself forgets slabs by `dropBefore`.
 */
export class WireLog implements WireRoom {
  offset = 0;
  #slabs: Slab[] = [];
  #endBytes = 0;
  #slabBytes = MIN_SLAB_BYTES;

  /** The place behind the last byte. */
  get end(): number {
    return this.#endBytes;
  }

  /** Bytes of the slabs that the log holds, used or not. */
  get heldBytes(): number {
    let sum = 0;
    for (const slab of this.#slabs) sum += slab.bytes.byteLength;
    return sum;
  }

  /** Sizes the slabs from the next one on: some seconds of the stream. */
  sizeSlabs(wantedBytes: number): void {
    const steps = Math.ceil(wantedBytes / SLAB_STEP_BYTES);
    this.#slabBytes = Math.min(MAX_SLAB_BYTES, Math.max(MIN_SLAB_BYTES, steps * SLAB_STEP_BYTES));
  }

  reserve(lengthBytes: number): Uint8Array {
    let slab = this.#slabs.at(-1);
    if (slab === undefined || slab.bytes.byteLength - slab.usedBytes < lengthBytes) {
      slab = this.#addSlab(lengthBytes);
    }
    this.offset = slab.usedBytes;
    slab.usedBytes += lengthBytes;
    this.#endBytes += lengthBytes;
    return slab.bytes;
  }

  /** Appends a copy of bytes. */
  append(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.reserve(bytes.byteLength).set(bytes, this.offset);
  }

  /**
   * Begins a new slab unless this one still has so much room. Called between flushes, it keeps the next one in one
   * piece, and thus one write.
   */
  makeRoom(lengthBytes: number): void {
    const slab = this.#slabs.at(-1);
    if (slab === undefined || slab.bytes.byteLength - slab.usedBytes >= lengthBytes) return;
    if (lengthBytes * 4 <= this.#slabBytes) this.#addSlab(lengthBytes);
  }

  /** The bytes between two places, in as few pieces as they lie in. */
  views(from: number, to: number): Buffer[] {
    const views: Buffer[] = [];
    for (const { bytes, start, usedBytes } of this.#slabs) {
      const first = Math.max(from, start);
      const last = Math.min(to, start + usedBytes);
      if (first < last) views.push(bytes.subarray(first - start, last - start));
    }
    return views;
  }

  /** Forgets the slabs that lie before a place as a whole. */
  dropBefore(place: number): void {
    const isGone = ({ start, usedBytes }: Slab): boolean => start + usedBytes <= place;
    let gone = 0;
    while (gone < this.#slabs.length - 1 && isGone(this.#slabs[gone]!)) gone++;
    if (gone > 0) this.#slabs.splice(0, gone);
  }

  /** Forgets everything; places count on. */
  clear(): void {
    this.#slabs = [];
  }

  #addSlab(leastBytes: number): Slab {
    // Not from the shared pool, which would tie unrelated memory to it; every byte is written before it is read.
    const bytes = Buffer.allocUnsafeSlow(Math.max(leastBytes, this.#slabBytes));
    const slab = { bytes, start: this.#endBytes, usedBytes: 0 };
    this.#slabs.push(slab);
    return slab;
  }
}
