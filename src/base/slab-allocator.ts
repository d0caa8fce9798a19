/** A slab has room for about as much as the last so many allocations asked for. */
const ALLOCATIONS_PER_SLAB = 32;
const MIN_SLAB_BYTES = 4 * 1024;
const MAX_SLAB_BYTES = 1024 * 1024;
/** What is longer than a slab divided by this gets memory of its own: no more than that is lost at a slab's end. */
const LEAST_ALLOCATIONS = 4;
/** The size of slabs follows when what is asked for is so many times more or less. */
const RESIZE_FACTOR = 2.5;
/** Views begin at multiples of this. */
const ALIGNMENT_BYTES = 8;
/** Free slabs of which none was needed while so many were taken are given up. */
const TAKES_PER_TRIM = 32;

/**
 * A piece of memory with many byte strings in it, which is used again when nobody holds any of them any more.
 *
 * Whoever keeps bytes of it for longer than the call in which they were given says so by `retain`, and `release` when
 * they are gone. Where somebody keeps bytes and does not say so, `abandon` leaves the slab to the garbage collector.
 */
export class Slab {
  readonly memory: ArrayBufferLike;
  readonly #owner: SlabAllocator;
  #holds = 1;
  #isAbandoned = false;

  /** For `SlabAllocator`, which holds it first. */
  constructor(owner: SlabAllocator, memory: ArrayBufferLike) {
    this.#owner = owner;
    this.memory = memory;
  }

  /** One more keeps bytes of it. */
  retain(): void {
    this.#holds++;
  }

  /** One less does. */
  release(): void {
    if (--this.#holds === 0 && !this.#isAbandoned) this.#owner.takeBack(this);
  }

  /** It is never used again: somebody may see its bytes for as long as he likes. */
  abandon(): void {
    this.#isAbandoned = true;
  }
}

/**
 * Memory for many short-lived byte strings of one owner, such as the payloads of one publisher, cut from slabs.
 *
 * A slab lives as long as anything cut from it, which is why owners share none. Its size follows what the owner asks
 * for, so that it is half a second of a stream whatever the bit rate. Slabs are used again once they are released: fresh
 * memory at the rate of the media would make the garbage collector run all the time. Held beyond what is in use are the slab that is being filled, a part of the oldest
 * one that is kept, and free ones for as much as was in use at one time lately.
 * Ownership: the bytes are the caller's, and hold anything until they are overwritten.
 */
export class SlabAllocator {
  #slab: Slab | null = null;
  #lastSlab: Slab | null = null;
  #free: Slab[] = [];
  #leastFree = 0;
  #takes = 0;
  #slabBytes = MIN_SLAB_BYTES;
  #usedBytes = 0;
  #recentCount = 0;
  #recentBytes = 0;

  /** Where the last allocation was cut from, `null` when it has memory of its own. */
  get lastSlab(): Slab | null {
    return this.#lastSlab;
  }

  /** Bytes of slabs that wait to be used again. */
  get freeBytes(): number {
    let sum = 0;
    for (const { memory } of this.#free) sum += memory.byteLength;
    return sum;
  }

  /** A byte string of exact size whose bytes are all to be overwritten. */
  allocate(lengthBytes: number): Uint8Array {
    this.#learn(lengthBytes);
    const slab = this.#slab;
    if (slab !== null && this.#usedBytes + lengthBytes <= slab.memory.byteLength)
      return this.#cut(slab, lengthBytes);
    if (lengthBytes * LEAST_ALLOCATIONS > this.#slabBytes) {
      this.#lastSlab = null;
      return new Uint8Array(memoryOf(lengthBytes));
    }
    return this.#cut(this.#nextSlab(), lengthBytes);
  }

  /** For `Slab`: nobody holds it. */
  takeBack(slab: Slab): void {
    if (slab.memory.byteLength === this.#slabBytes) this.#free.push(slab);
  }

  #nextSlab(): Slab {
    this.#slab?.release();
    this.#usedBytes = 0;
    const free = this.#free.pop();
    free?.retain();
    this.#slab = free ?? new Slab(this, memoryOf(this.#slabBytes));
    this.#trim();
    return this.#slab;
  }

  #trim(): void {
    this.#leastFree = Math.min(this.#leastFree, this.#free.length);
    if (++this.#takes < TAKES_PER_TRIM) return;
    this.#free.splice(0, this.#leastFree);
    this.#leastFree = this.#free.length;
    this.#takes = 0;
  }

  /** The size of the next slab: a power of two that is near to what was asked for lately. */
  #learn(lengthBytes: number): void {
    this.#recentBytes += lengthBytes;
    if (++this.#recentCount < ALLOCATIONS_PER_SLAB) return;
    const wantedBytes = Math.min(MAX_SLAB_BYTES, Math.max(MIN_SLAB_BYTES, this.#recentBytes));
    // A size that changed with every key frame would make slabs of the other size useless.
    if (wantedBytes > this.#slabBytes * RESIZE_FACTOR || wantedBytes * RESIZE_FACTOR < this.#slabBytes) {
      this.#slabBytes = 2 ** Math.round(Math.log2(wantedBytes));
      this.#free = [];
      this.#leastFree = 0;
    }
    this.#recentCount = 0;
    this.#recentBytes = 0;
  }

  #cut(slab: Slab, lengthBytes: number): Uint8Array {
    this.#lastSlab = slab;
    const view = new Uint8Array(slab.memory, this.#usedBytes, lengthBytes);
    this.#usedBytes = Math.ceil((this.#usedBytes + lengthBytes) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return view;
  }
}

/** Memory that is not zeroed. */
function memoryOf(lengthBytes: number): ArrayBufferLike {
  return Buffer.allocUnsafeSlow(lengthBytes).buffer;
}
