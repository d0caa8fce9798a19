import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import type { WorkLimits } from "../../base/bounded-work.ts";
import { blockName, blockPrefix, blockTrailer, readBlockFile, TRAILER_BYTES } from "./block-file.ts";
import type { BlockDisk } from "./blocks-storage.ts";
import { CachedObject } from "./cached-object.ts";
import type { ObjectBlock } from "./cached-object.ts";
import { objectErrors } from "./errors.ts";
import type { ObjectFacts, ObjectStore } from "./object-store.ts";

/** What a range cache needs. */
export type RangeCacheOptions = {
  readonly disk: BlockDisk;
  /** Of the disk, in all; files are counted in the units in which disks give room. */
  readonly bytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<RangeCacheLimits>;
};

/** Bounds of a range cache besides its bytes on the disk. */
export type RangeCacheLimits = {
  readonly blockBytes: number;
  /** Blocks that are kept: some hundred bytes of memory each. */
  readonly blocks: number;
  /** Reads from stores. */
  readonly reads: WorkLimits;
  /** Memory of blocks that are given and not yet written; what is beyond is not kept. */
  readonly unwrittenBytes: number;
};

/** How a range cache is doing. */
export type RangeCacheStats = {
  readonly bytes: number;
  readonly blocks: number;
  readonly hits: number;
  readonly misses: number;
  /** Blocks whose file was not what it should be. */
  readonly damaged: number;
  /** Whether the disk takes blocks now. */
  readonly isUsable: boolean;
};

const DEFAULTS: RangeCacheLimits = {
  blockBytes: 2 ** 20,
  blocks: 262_144,
  reads: { running: 8, waiting: 4096 },
  unwrittenBytes: 16 * 2 ** 20,
};
/** What disks give room in. */
const DISK_UNIT = 4096;
/** How long a disk that failed is left alone. */
const UNUSABLE_US = 60_000_000;

type Entry = {
  /** Of the disk. */
  readonly bytes: number;
  /** It was written, or read and found right, by this process. */
  isVerified: boolean;
};

/**
 * Reads objects in blocks of a mebibyte that stay on a disk: bounded in bytes, what was not used for the longest time
 * goes first. Who asks for a block that is being read waits for that. A disk that is full or fails is done without.
 */
export class RangeCache {
  readonly #options: RangeCacheOptions;
  readonly #limits: RangeCacheLimits;
  /** In order of use. */
  readonly #blocks = new Map<string, Entry>();
  readonly #reading = new Map<string, Promise<Uint8Array>>();
  /** Blocks that are not on the disk yet, or will not be: given from memory, and written once only. */
  readonly #unwritten = new Map<string, Uint8Array>();
  readonly #writing = new Set<Promise<void>>();
  readonly #turns: BoundedWork;
  #bytes = 0;
  #unwrittenBytes = 0;
  #unusableUntilUs = -Infinity;
  #isOpened = false;
  #opening: Promise<void> | null = null;
  #hits = 0;
  #misses = 0;
  #damaged = 0;

  private constructor(options: RangeCacheOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULTS, ...options.limits };
    this.#turns = new BoundedWork(this.#limits.reads, (waiting) =>
      objectErrors.error("OBJECT_READS_BUSY", { waiting }),
    );
  }

  /** Makes a cache of what lies on its disk. A disk that cannot be used is no error: it is tried again later. */
  static async open(options: RangeCacheOptions): Promise<RangeCache> {
    const cache = new RangeCache(options);
    await cache.#reopen();
    return cache;
  }

  /** Opens an object for reading; `null` when there is none. Throws what `ObjectStore.head` throws. */
  async openObject(store: ObjectStore, key: string): Promise<CachedObject | null> {
    const facts = await store.head(key);
    return facts === null ? null : this.object(store, facts);
  }

  /** An object of which `head` or `list` said what it is. `blockBytes`: for who reads only a little of it. */
  object(store: ObjectStore, facts: ObjectFacts, blockBytes = this.#limits.blockBytes): CachedObject {
    const { key, bytes, etag, modifiedMs } = facts;
    const version = etag ?? `${bytes.toString(36)}-${modifiedMs.toString(36)}`;
    const prefix = blockPrefix({ location: store.location, key, version, bytes, blockBytes });
    return new CachedObject({
      key,
      version,
      sizeBytes: bytes,
      modifiedMs,
      blockBytes,
      readBlock: async (block) => await this.#read(blockName(prefix, block.index), block, { store, facts }),
    });
  }

  /** Resolves when no block waits to be written. */
  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.allSettled(this.#writing);
  }

  stats(): RangeCacheStats {
    return {
      bytes: this.#bytes,
      blocks: this.#blocks.size,
      hits: this.#hits,
      misses: this.#misses,
      damaged: this.#damaged,
      isUsable: this.#isUsable(),
    };
  }

  async #reopen(): Promise<void> {
    this.#opening ??= this.#openDisk().finally(() => {
      this.#opening = null;
    });
    await this.#opening;
  }

  async #openDisk(): Promise<void> {
    try {
      const found = await this.#options.disk.open();
      for (const { name, bytes } of found.toSorted((a, b) => a.modifiedMs - b.modifiedMs))
        this.#add(name, { bytes: roomOf(bytes), isVerified: false });
      this.#isOpened = true;
      await this.#makeRoom(0);
    } catch (caught) {
      this.#failDisk(caught);
    }
  }

  #isUsable(): boolean {
    return this.#isOpened && this.#options.clock.nowUs() >= this.#unusableUntilUs;
  }

  async #read(
    name: string,
    block: ObjectBlock,
    from: { readonly store: ObjectStore; readonly facts: ObjectFacts },
  ): Promise<Uint8Array> {
    const unwritten = this.#unwritten.get(name);
    const kept = unwritten?.subarray(block.from, block.to) ?? (await this.#readKept(name, block));
    if (kept !== null) {
      this.#hits++;
      return kept;
    }
    let reading = this.#reading.get(name);
    if (reading === undefined) {
      this.#misses++;
      reading = this.#fetch(name, block, from).finally(() => this.#reading.delete(name));
      this.#reading.set(name, reading);
    }
    return (await reading).subarray(block.from, block.to);
  }

  /** What is wanted of a block, from the disk; `null` when it is not there as it should be. */
  async #readKept(name: string, block: ObjectBlock): Promise<Uint8Array | null> {
    const entry = this.#blocks.get(name);
    if (entry === undefined) return null;
    this.#blocks.delete(name);
    this.#blocks.set(name, entry);
    try {
      const bytes = entry.isVerified
        ? await this.#readVerified(name, block)
        : await this.#readWhole(name, entry, block);
      if (bytes !== null) return bytes;
      this.#damaged++;
      if (this.#blocks.get(name) === entry) await this.#drop(name, entry);
    } catch (caught) {
      this.#failDisk(caught);
    }
    return null;
  }

  async #readVerified(name: string, { from, to }: ObjectBlock): Promise<Uint8Array | null> {
    const bytes = Buffer.allocUnsafe(to - from);
    const bytesRead = await this.#options.disk.readPart(name, from, bytes);
    return bytesRead === bytes.byteLength ? bytes : null;
  }

  async #readWhole(name: string, entry: Entry, block: ObjectBlock): Promise<Uint8Array | null> {
    const file = await this.#options.disk.read(name);
    const bytes = file === null ? null : readBlockFile(name, file);
    if (bytes?.byteLength !== block.bytes) return null;
    entry.isVerified = true;
    return bytes.subarray(block.from, block.to);
  }

  async #fetch(
    name: string,
    block: ObjectBlock,
    { store, facts }: { readonly store: ObjectStore; readonly facts: ObjectFacts },
  ): Promise<Uint8Array> {
    const span = { from: block.offset, to: block.offset + block.bytes };
    const options = facts.etag === null ? {} : { etag: facts.etag };
    const bytes = await this.#turns.run(async () => await store.get(facts.key, span, options));
    this.#keepLater(name, bytes);
    return bytes;
  }

  #keepLater(name: string, bytes: Uint8Array): void {
    const { unwrittenBytes } = this.#limits;
    const room = roomOf(bytes.byteLength + TRAILER_BYTES);
    const isTooMuch =
      this.#unwrittenBytes + bytes.byteLength > unwrittenBytes || room > this.#options.bytes;
    if (isTooMuch || this.#unwritten.has(name)) return;
    this.#unwrittenBytes += bytes.byteLength;
    this.#unwritten.set(name, bytes);
    const writing = this.#keep(name, bytes, room)
      .catch((caught: unknown) => this.#failDisk(caught))
      .finally(() => {
        this.#unwrittenBytes -= bytes.byteLength;
        this.#unwritten.delete(name);
        this.#writing.delete(writing);
      });
    this.#writing.add(writing);
  }

  async #keep(name: string, bytes: Uint8Array, room: number): Promise<void> {
    const { clock, disk } = this.#options;
    if (!this.#isOpened && clock.nowUs() >= this.#unusableUntilUs) await this.#reopen();
    if (!this.#isUsable() || this.#blocks.has(name)) return;
    // Counted before it is written, so that several at a time stay within the bound too.
    this.#bytes += room;
    let isWritten = false;
    try {
      await this.#makeRoom(1);
      if (this.#bytes > this.#options.bytes) return;
      await disk.write(name, [bytes, blockTrailer(name, bytes)]);
      isWritten = true;
    } finally {
      this.#bytes -= room;
      if (isWritten) this.#add(name, { bytes: room, isVerified: true });
    }
    await this.#makeRoom(0);
  }

  /** Drops what was not used for the longest time, until `more` blocks fit. */
  async #makeRoom(more: number): Promise<void> {
    for (const [name, entry] of this.#blocks) {
      const isWithin =
        this.#bytes <= this.#options.bytes && this.#blocks.size + more <= this.#limits.blocks;
      if (isWithin) return;
      await this.#drop(name, entry);
    }
  }

  /** A file that cannot be removed stays counted. */
  async #drop(name: string, entry: Entry): Promise<void> {
    this.#blocks.delete(name);
    this.#bytes -= entry.bytes;
    try {
      await this.#options.disk.remove(name);
    } catch (caught) {
      if (!this.#blocks.has(name)) this.#add(name, { ...entry, isVerified: false });
      throw caught;
    }
  }

  #add(name: string, entry: Entry): void {
    const replaced = this.#blocks.get(name);
    if (replaced !== undefined) this.#bytes -= replaced.bytes;
    this.#blocks.delete(name);
    this.#blocks.set(name, entry);
    this.#bytes += entry.bytes;
  }

  #failDisk(caught: unknown): void {
    const { clock, disk, log } = this.#options;
    const isFirst = clock.nowUs() >= this.#unusableUntilUs;
    this.#unusableUntilUs = clock.nowUs() + UNUSABLE_US;
    if (!isFirst) return;
    const context = { directory: disk.directory, reason: messageOf(caught) };
    const { code, message } = objectErrors.error("OBJECT_CACHE_UNUSABLE", context);
    log.warn(message, { code, ...context });
  }
}

/** What a file takes of a disk. */
function roomOf(bytes: number): number {
  return Math.ceil(bytes / DISK_UNIT) * DISK_UNIT;
}
