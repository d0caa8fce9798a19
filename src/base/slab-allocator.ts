/** A slab has room for about as much as the last so many allocations asked for. */
const ALLOCATIONS_PER_SLAB = 24;
const MIN_SLAB_BYTES = 4 * 1024;
const MAX_SLAB_BYTES = 1024 * 1024;
/** So many slabs are open for what fits into their rests. */
const OPEN_SLABS = 2;
/** What is longer than a slab divided by this gets a slab of its own. */
const LEAST_ALLOCATIONS = 2;
const BESIDE_BYTES = 64;
/** The size of slabs follows when what is asked for is so many times more or less. */
const RESIZE_FACTOR = 2.5;
/** A slab of its own has room for at most so many eighths more than what is put into it. */
const LARGE_ROOM = 2 / 8;
/** Views begin at multiples of this. */
const ALIGNMENT_BYTES = 8;
/** Free slabs of which none was needed during so many times `ALLOCATIONS_PER_SLAB` are given up. */
const LESSONS_PER_TRIM = 32;

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

/** A slab that is being filled. */
type OpenSlab = { readonly slab: Slab; usedBytes: number };

/**
 * Memory for many short-lived byte strings of one owner, such as the payloads of one publisher, cut from slabs.
 *
 * A slab lives as long as anything cut from it, which is why owners share none. Its size follows what the owner asks
 * for, so that it is a quarter of a second of a stream whatever the bit rate; what the next picture is too long for,
 * sound fits in, and a key frame has a slab of its own. Slabs are used again once they are released: fresh memory at the
 * rate of the media would make the garbage collector run all the time. Held beyond what is in use are the two slabs that
 * are being filled, a part of the oldest one that is kept, and free ones for as much as was in use at one time lately.
 * Ownership: the bytes are the caller's, and hold anything until they are overwritten; the caller retains `lastSlab`
 * before the next call.
 */
export class SlabAllocator {
  /** Oldest first; the newest is being filled, the others take what fits into their rests. */
  readonly #open: OpenSlab[] = [];
  /** The last one with a single byte string in it; held until the next call. */
  #large: Slab | null = null;
  #lastSlab: Slab | null = null;
  readonly #free = new FreeSlabs();
  readonly #freeLarge = new FreeSlabs();
  #slabBytes = slabBytesNear(MIN_SLAB_BYTES);
  #recentCount = 0;
  #recentBytes = 0;
  #lessons = 0;

  /** Where the last allocation was cut from. */
  get lastSlab(): Slab | null {
    return this.#lastSlab;
  }

  /** Bytes of slabs that wait to be used again. */
  get freeBytes(): number {
    return this.#free.bytes + this.#freeLarge.bytes;
  }

  /** A byte string of exact size whose bytes are all to be overwritten. */
  allocate(lengthBytes: number): Uint8Array {
    this.#large?.release();
    this.#large = null;
    this.#learn(lengthBytes);
    for (const open of this.#open) {
      if (open.usedBytes + lengthBytes <= open.slab.memory.byteLength) return this.#cut(open, lengthBytes);
    }
    if (lengthBytes * LEAST_ALLOCATIONS > this.#slabBytes) return this.#ofItsOwn(lengthBytes);
    return this.#cut(this.#nextSlab(), lengthBytes);
  }

  /** For `Slab`: nobody holds it. */
  takeBack(slab: Slab): void {
    const { byteLength } = slab.memory;
    if (byteLength === this.#slabBytes) this.#free.put(slab);
    else if (byteLength * LEAST_ALLOCATIONS > this.#slabBytes) this.#freeLarge.put(slab);
  }

  #ofItsOwn(lengthBytes: number): Uint8Array {
    const mostBytes = Math.ceil(lengthBytes * (1 + LARGE_ROOM));
    const slab =
      this.#freeLarge.take(lengthBytes, mostBytes) ??
      new Slab(this, memoryOf(Math.ceil(lengthBytes * (1 + LARGE_ROOM / 2))));
    this.#large = slab;
    this.#lastSlab = slab;
    return new Uint8Array(slab.memory, 0, lengthBytes);
  }

  #nextSlab(): OpenSlab {
    if (this.#open.length === OPEN_SLABS) this.#open.shift()!.slab.release();
    const free = this.#free.take(this.#slabBytes, this.#slabBytes);
    const open = { slab: free ?? new Slab(this, memoryOf(this.#slabBytes)), usedBytes: 0 };
    this.#open.push(open);
    return open;
  }

  /**
   * The size of the next slab: a power of two that is near to what was asked for lately. What is long counts as the
   * longest that is cut from a slab, so that key frames do not change the size.
   */
  #learn(lengthBytes: number): void {
    this.#recentBytes += Math.min(lengthBytes, this.#slabBytes / LEAST_ALLOCATIONS);
    if (++this.#recentCount < ALLOCATIONS_PER_SLAB) return;
    const wantedBytes = Math.min(MAX_SLAB_BYTES, Math.max(MIN_SLAB_BYTES, this.#recentBytes));
    if (wantedBytes > this.#slabBytes * RESIZE_FACTOR || wantedBytes * RESIZE_FACTOR < this.#slabBytes) {
      this.#slabBytes = slabBytesNear(wantedBytes);
      this.#free.clear();
      this.#freeLarge.clear();
    }
    this.#recentCount = 0;
    this.#recentBytes = 0;
    if (++this.#lessons % LESSONS_PER_TRIM > 0) return;
    this.#free.trim();
    this.#freeLarge.trim();
  }

  #cut(open: OpenSlab, lengthBytes: number): Uint8Array {
    const { slab, usedBytes } = open;
    this.#lastSlab = slab;
    open.usedBytes = Math.ceil((usedBytes + lengthBytes) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return new Uint8Array(slab.memory, usedBytes, lengthBytes);
  }
}

/** Slabs that nobody holds. It has no more than were in use at one time, and gives up what was not needed for a while. */
class FreeSlabs {
  #slabs: Slab[] = [];
  #least = 0;

  get bytes(): number {
    let sum = 0;
    for (const { memory } of this.#slabs) sum += memory.byteLength;
    return sum;
  }

  put(slab: Slab): void {
    this.#slabs.push(slab);
  }

  /** The one that was freed last of those with room for so much and no more, held by the caller; `null`: there is none. */
  take(leastBytes: number, mostBytes: number): Slab | null {
    const found = this.#slabs.findLastIndex(
      ({ memory }) => memory.byteLength >= leastBytes && memory.byteLength <= mostBytes,
    );
    const slab = found < 0 ? null : this.#slabs.splice(found, 1)[0]!;
    slab?.retain();
    this.#least = Math.min(this.#least, this.#slabs.length);
    return slab;
  }

  clear(): void {
    this.#slabs = [];
    this.#least = 0;
  }

  /** Gives up those of which none was needed since the last call. */
  trim(): void {
    this.#slabs.splice(0, this.#least);
    this.#least = this.#slabs.length;
  }
}

/** A power of two, less what the system keeps beside each piece: with that it would take a page more. */
function slabBytesNear(bytes: number): number {
  return 2 ** Math.round(Math.log2(bytes)) - BESIDE_BYTES;
}

/** Memory that is not zeroed. */
function memoryOf(lengthBytes: number): ArrayBufferLike {
  return Buffer.allocUnsafeSlow(lengthBytes).buffer;
}
