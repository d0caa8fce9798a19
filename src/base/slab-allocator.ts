/** How the memory is made. */
export type SlabAllocatorOptions = {
  /** Slabs are SharedArrayBuffers, so that other threads can read what is in them without a copy. */
  readonly isShared?: boolean;
};

/** A slab has room for about as much as the last so many allocations asked for. */
const ALLOCATIONS_PER_SLAB = 32;
const MIN_SLAB_BYTES = 4 * 1024;
const MAX_SLAB_BYTES = 1024 * 1024;
/** What is longer than a slab divided by this gets memory of its own: no more than that is lost at a slab's end. */
const LEAST_ALLOCATIONS = 4;
/** Views begin at multiples of this. */
const ALIGNMENT_BYTES = 8;

/**
 * Memory for many short-lived byte strings of one owner, such as the payloads of one publisher, cut from slabs.
 *
 * A slab lives as long as anything cut from it, which is why owners share none. Its size follows what the owner asks
 * for, so that it is half a second of a stream whatever the bit rate. Held beyond what is in use are, at most, the slab
 * that is being filled and a part of the oldest one that is kept.
 * Ownership: the bytes are the caller's, and hold anything until they are overwritten.
 */
export class SlabAllocator {
  readonly #isShared: boolean;
  #slab: ArrayBufferLike | null = null;
  #slabBytes = MIN_SLAB_BYTES;
  #usedBytes = 0;
  #recentCount = 0;
  #recentBytes = 0;

  constructor(options: SlabAllocatorOptions = {}) {
    this.#isShared = options.isShared ?? false;
  }

  /** A byte string of exact size whose bytes are all to be overwritten. */
  allocate(lengthBytes: number): Uint8Array {
    this.#learn(lengthBytes);
    const slab = this.#slab;
    if (slab !== null && this.#usedBytes + lengthBytes <= slab.byteLength)
      return this.#cut(slab, lengthBytes);
    if (lengthBytes * LEAST_ALLOCATIONS > this.#slabBytes) return new Uint8Array(this.#memory(lengthBytes));
    this.#usedBytes = 0;
    this.#slab = this.#memory(this.#slabBytes);
    return this.#cut(this.#slab, lengthBytes);
  }

  /** The size of the next slab: the power of two that is nearest to what was asked for lately. */
  #learn(lengthBytes: number): void {
    this.#recentBytes += lengthBytes;
    if (++this.#recentCount < ALLOCATIONS_PER_SLAB) return;
    const wantedBytes = Math.min(MAX_SLAB_BYTES, Math.max(MIN_SLAB_BYTES, this.#recentBytes));
    this.#slabBytes = 2 ** Math.round(Math.log2(wantedBytes));
    this.#recentCount = 0;
    this.#recentBytes = 0;
  }

  #cut(slab: ArrayBufferLike, lengthBytes: number): Uint8Array {
    const view = new Uint8Array(slab, this.#usedBytes, lengthBytes);
    this.#usedBytes = Math.ceil((this.#usedBytes + lengthBytes) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return view;
  }

  /** Memory that is not zeroed where that can be had. */
  #memory(lengthBytes: number): ArrayBufferLike {
    return this.#isShared ? new SharedArrayBuffer(lengthBytes) : Buffer.allocUnsafeSlow(lengthBytes).buffer;
  }
}
