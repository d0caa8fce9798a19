import { strict as assert } from "node:assert";

/** Sizes of pieces: so many steps from a power of two to the next, so a piece is at most a quarter too large. */
const STEPS_PER_DOUBLING = 4;
const MIN_PIECE_BYTES = 4 * 1024;

/**
 * Bytes in memory that is used again once nobody holds them.
 *
 * Whoever keeps them says so by `retain`, and `release` when they are gone. Where somebody never releases them, the
 * memory is left to the garbage collector. The object itself serves once: the memory behind it comes back as another
 * one, so who is late with a `release` cannot give away what somebody else has by then.
 */
export class PooledBytes {
  readonly #pool: BlockPool;
  readonly #memory: ArrayBufferLike;
  readonly #bytes: Uint8Array;
  #holds = 1;

  /** For `BlockPool`; the caller of its `take` holds it first. */
  constructor(pool: BlockPool, memory: ArrayBufferLike, lengthBytes: number) {
    this.#pool = pool;
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory, 0, lengthBytes);
  }

  /** A view that is good as long as the asker holds them. */
  get bytes(): Uint8Array {
    assert(this.#holds > 0, "bytes are asked for that nobody holds any more");
    return this.#bytes;
  }

  /** One more keeps them. */
  retain(): void {
    assert(this.#holds > 0, "bytes are retained that nobody holds any more");
    this.#holds++;
  }

  /** One less does. */
  release(): void {
    assert(this.#holds > 0, "bytes are released more often than they were retained");
    if (--this.#holds === 0) this.#pool.takeBack(this.#memory);
  }
}

/**
 * Memory for what is read from files and sent. Fresh memory at the rate of the media would make the garbage collector
 * run all the time, and each of its pages would be touched for the first time; so pieces that nobody holds any more are
 * used again, the one first that came back last: it is still in the caches. At most `limitBytes` wait to be used again;
 * beyond that the size goes that was not asked for for the longest time.
 */
export class BlockPool {
  readonly #limitBytes: number;
  /** By size; the size that was asked for last is the last one. */
  readonly #free = new Map<number, ArrayBufferLike[]>();
  #freeBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes that wait to be used again. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Bytes that the caller holds; they hold anything until they are overwritten. */
  take(lengthBytes: number): PooledBytes {
    const size = sizeOfPiece(lengthBytes);
    const pieces = this.#free.get(size) ?? [];
    this.#free.delete(size);
    this.#free.set(size, pieces);
    const found = pieces.pop();
    if (found !== undefined) this.#freeBytes -= size;
    return new PooledBytes(this, found ?? Buffer.allocUnsafeSlow(size).buffer, lengthBytes);
  }

  /** For `PooledBytes`: nobody holds this memory. */
  takeBack(memory: ArrayBufferLike): void {
    const { byteLength } = memory;
    const pieces = this.#free.get(byteLength);
    if (pieces === undefined || byteLength > this.#limitBytes) return;
    pieces.push(memory);
    this.#freeBytes += byteLength;
    while (this.#freeBytes > this.#limitBytes) this.#giveUpOne();
  }

  /** Leaves one piece to the garbage collector. A size of which there is none any more is forgotten. */
  #giveUpOne(): void {
    for (const [size, pieces] of this.#free) {
      if (pieces.shift() !== undefined) {
        this.#freeBytes -= size;
        return;
      }
      this.#free.delete(size);
    }
  }
}

/** The size of the piece that so many bytes are put into. */
function sizeOfPiece(lengthBytes: number): number {
  if (lengthBytes <= MIN_PIECE_BYTES) return MIN_PIECE_BYTES;
  const step = 2 ** Math.floor(Math.log2(lengthBytes - 1)) / STEPS_PER_DOUBLING;
  return Math.ceil(lengthBytes / step) * step;
}
