import type { RandomAccess } from "../../containers/mp4/random-access.ts";

/** A block of an object, and what is wanted of it. */
export type ObjectBlock = {
  readonly index: number;
  /** Where it begins in the object. */
  readonly offset: number;
  /** All of it. */
  readonly bytes: number;
  /** What is wanted, from the block's beginning. */
  readonly from: number;
  readonly to: number;
};

/** What a `CachedObject` is made of. */
export type CachedObjectOptions = {
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly blockBytes: number;
  /** Gives exactly the bytes that are wanted of a block; they are only read. */
  readonly readBlock: (block: ObjectBlock) => Promise<Uint8Array>;
};

/** An object that is read like a file on a disk: it fits where a `ByteSource` of the room `vod` does. */
export class CachedObject implements RandomAccess {
  /** The key of the object. */
  readonly path: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #options: CachedObjectOptions;

  constructor(options: CachedObjectOptions) {
    this.path = options.key;
    this.version = options.version;
    this.sizeBytes = options.sizeBytes;
    this.modifiedMs = options.modifiedMs;
    this.#options = options;
  }

  /** Reads bytes from any place. Ownership: the caller's. Throws what `ObjectStore.get` throws, OBJECT_READS_BUSY. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    return bytes.subarray(0, await this.readInto(offset, [bytes]));
  }

  /**
   * Reads what lies from `offset` on into the targets, one after the other. Returns: the bytes that were read, fewer than
   * there is room for only where the object ends. When it rejects, nothing writes to the targets any more.
   */
  async readInto(offset: number, targets: readonly Uint8Array[]): Promise<number> {
    const room = targets.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const end = Math.min(this.sizeBytes, offset + room);
    if (end <= offset) return 0;
    const reads = this.#blocksOf(offset, end).map(async (block) => {
      const bytes = await this.#options.readBlock(block);
      scatter(bytes, targets, block.offset + block.from - offset);
    });
    const results = await Promise.allSettled(reads);
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    return end - offset;
  }

  /** Nothing is held: there is nothing to give back. */
  release(): void {}

  #blocksOf(from: number, to: number): ObjectBlock[] {
    const { blockBytes, sizeBytes } = this.#options;
    const blocks: ObjectBlock[] = [];
    for (let index = Math.floor(from / blockBytes); index * blockBytes < to; index++) {
      const offset = index * blockBytes;
      const bytes = Math.min(blockBytes, sizeBytes - offset);
      const wanted = { from: Math.max(0, from - offset), to: Math.min(bytes, to - offset) };
      blocks.push({ index, offset, bytes, ...wanted });
    }
    return blocks;
  }
}

/** Copies bytes to where they belong in targets that are thought of as one behind the other. */
function scatter(bytes: Uint8Array, targets: readonly Uint8Array[], at: number): void {
  let start = 0;
  let copied = 0;
  for (const target of targets) {
    const inside = at + copied - start;
    if (copied < bytes.byteLength && inside < target.byteLength) {
      const room = Math.min(bytes.byteLength - copied, target.byteLength - inside);
      target.set(bytes.subarray(copied, copied + room), inside);
      copied += room;
    }
    start += target.byteLength;
  }
}
