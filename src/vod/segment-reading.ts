import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { BlockPool, PooledBytes } from "./block-pool.ts";
import type { BoundedWork } from "../base/bounded-work.ts";
import { ByteLru } from "../base/byte-lru.ts";
import type { ByteLruLimits } from "../base/byte-lru.ts";

/** One track of one segment, or of another stretch of a file: its sample table and its payload. */
export type SegmentBlock = {
  readonly table: FragmentTrack;
  readonly payload: Uint8Array;
  /** The memory of the payload, to be held by who uses it; `null`: the garbage collector's. */
  readonly memory: PooledBytes | null;
};

/** What those who read files share: bounds on what is read at a time and on what is kept. */
export type SegmentReading = {
  /** Blocks that were read lately. */
  readonly blocks: BlockCache;
  readonly work: BoundedWork;
  /** Where blocks are read into. */
  readonly pool: BlockPool;
};

/** What a block takes besides its payload. Units: bytes. */
const BYTES_PER_SAMPLE = 13;
const BYTES_PER_BLOCK = 256;

/**
 * Blocks that were read lately, bounded in bytes and in number.
 *
 * A block is kept when somebody asked for it a second time before as much was read as the cache has room for. Who jumps
 * about in a large file, or plays what nobody else does, pushes nothing out, and its memory serves again at once.
 */
export class BlockCache {
  readonly #kept: ByteLru<SegmentBlock>;
  /** What was read once, by the bytes of it. */
  readonly #seen: ByteLru<null>;

  constructor(limits: ByteLruLimits) {
    this.#kept = new ByteLru(limits, ({ memory }) => memory?.release());
    this.#seen = new ByteLru(limits);
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#kept.bytes;
  }

  /** Blocks that are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** The block, held once more for the caller; counts as used now. */
  hold(key: string): SegmentBlock | undefined {
    const block = this.#kept.get(key);
    block?.memory?.retain();
    return block;
  }

  /** Keeps a block that was read, if it is wanted often: by several at this time, or again after a short while. */
  offer(key: string, block: SegmentBlock, wantedBySeveral: boolean): void {
    const bytes = block.payload.byteLength + BYTES_PER_SAMPLE * block.table.count + BYTES_PER_BLOCK;
    if (!wantedBySeveral && this.#seen.get(key) === undefined) {
      this.#seen.set(key, null, bytes);
      return;
    }
    this.#seen.delete(key);
    block.memory?.retain();
    this.#kept.set(key, block, bytes);
  }

  /** Drops every block whose key is chosen. */
  deleteWhere(isChosen: (key: string) => boolean): void {
    this.#kept.deleteWhere(isChosen);
    this.#seen.deleteWhere(isChosen);
  }
}
