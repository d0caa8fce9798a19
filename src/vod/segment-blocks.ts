import type { BlockPool } from "./block-pool.ts";
import { bytesOfBlock, readIntoBlocks } from "./block-reader.ts";
import type { BlockRequest } from "./block-reader.ts";
import type { ByteSource } from "./byte-source.ts";
import { vodErrors } from "./errors.ts";
import type { IndexedTrack } from "./indexed-track.ts";
import type { MediaFile } from "./media-file.ts";
import type { SegmentCuts } from "./segment-cuts.ts";
import type { SegmentBlock, SegmentReading } from "./segment-reading.ts";

/** What `SegmentBlocks` needs. */
export type SegmentBlocksOptions = {
  readonly file: MediaFile;
  readonly reading: SegmentReading;
  /** Unique among the users of `reading`, and another one for another version of the file. */
  readonly cacheKey: string;
};

/** A block that is being read, and how many will hold it when it is there. */
type ComingBlock = { readonly block: Promise<SegmentBlock>; holders: number };

/** Bytes of a segment with all selected tracks; a segment is held in memory whole. */
const MAX_SEGMENT_BYTES = 128 * 2 ** 20;

/**
 * The blocks of a file's segments, read when they are asked for. Tracks are kept apart, so that all selections share
 * them, and requests for what is being read wait for that.
 */
export class SegmentBlocks {
  readonly #options: SegmentBlocksOptions;
  readonly #coming = new Map<string, ComingBlock>();

  constructor(options: SegmentBlocksOptions) {
    this.#options = options;
  }

  /**
   * The blocks of some tracks of a segment.
   * Ownership: each is held once for the caller, who releases its memory.
   * Throws: VOD_SEGMENT_TOO_BIG, VOD_BUSY, VOD_CHANGED, VOD_READ_FAILED.
   */
  async hold(
    cuts: SegmentCuts,
    index: number,
    tracks: readonly IndexedTrack[],
  ): Promise<readonly SegmentBlock[]> {
    const missing: IndexedTrack[] = [];
    const found = new Map<IndexedTrack, Promise<SegmentBlock>>();
    for (const track of tracks) {
      const key = this.#keyOf(index, track);
      const kept = this.#options.reading.blocks.hold(key);
      const block = kept === undefined ? this.#join(key) : Promise.resolve(kept);
      if (block === undefined) missing.push(track);
      else found.set(track, block);
    }
    if (missing.length > 0) this.#startRead(cuts, index, missing, found);
    return await all(tracks.map((track) => found.get(track)!));
  }

  #keyOf(index: number, track: IndexedTrack): string {
    return `${this.#options.cacheKey} ${index} ${track.track.id}`;
  }

  #join(key: string): Promise<SegmentBlock> | undefined {
    const coming = this.#coming.get(key);
    if (coming === undefined) return undefined;
    coming.holders++;
    return coming.block;
  }

  #startRead(
    cuts: SegmentCuts,
    index: number,
    tracks: readonly IndexedTrack[],
    found: Map<IndexedTrack, Promise<SegmentBlock>>,
  ): void {
    const keys = tracks.map((track) => this.#keyOf(index, track));
    const requests = tracks.map((track) => {
      const samples = cuts.samples[this.#options.file.tracks.indexOf(track)]!;
      return { track, samples: track.samples, first: samples[index]!, end: samples[index + 1]! };
    });
    const read = this.#read(keys, requests);
    for (const [i, track] of tracks.entries()) {
      const block = read.then((blocks) => blocks[i]!);
      this.#coming.set(keys[i]!, { block, holders: 1 });
      found.set(track, block);
    }
  }

  /** Returns: the blocks, each held for all who want it by then. */
  async #read(
    keys: readonly string[],
    requests: readonly TrackRequest[],
  ): Promise<readonly SegmentBlock[]> {
    const { file, reading } = this.#options;
    let holders: readonly number[] = [];
    let blocks: readonly SegmentBlock[];
    try {
      blocks = await reading.work.run(() => readHeldBlocks(file.source, requests, reading.pool));
    } finally {
      holders = keys.map((key) => this.#coming.get(key)!.holders);
      for (const key of keys) this.#coming.delete(key);
    }
    for (const [i, block] of blocks.entries()) {
      for (let more = 1; more < holders[i]!; more++) block.memory?.retain();
      reading.blocks.offer(keys[i]!, block, holders[i]! > 1);
    }
    return blocks;
  }
}

type TrackRequest = BlockRequest & { readonly track: IndexedTrack };

/** Reads blocks into memory of the pool. Ownership: each is held once, by the caller. */
async function readHeldBlocks(
  source: ByteSource,
  requests: readonly TrackRequest[],
  pool: BlockPool,
): Promise<readonly SegmentBlock[]> {
  const bytes = requests.reduce((sum, request) => sum + bytesOfBlock(request), 0);
  if (bytes > MAX_SEGMENT_BYTES)
    throw vodErrors.error("VOD_SEGMENT_TOO_BIG", { bytes, limit: MAX_SEGMENT_BYTES });
  const memories = requests.map((request) => pool.take(bytesOfBlock(request)));
  try {
    await readIntoBlocks(
      source,
      requests,
      memories.map((memory) => memory.bytes),
    );
  } catch (caught) {
    for (const memory of memories) memory.release();
    throw caught;
  }
  return requests.map(({ track, first, end }, i) => {
    const memory = memories[i]!;
    return { table: track.table(first, end), payload: memory.bytes, memory };
  });
}

/** All of them; when one fails, the others are released once they are there. */
async function all(wanted: readonly Promise<SegmentBlock>[]): Promise<readonly SegmentBlock[]> {
  const settled = await Promise.allSettled(wanted);
  const blocks: SegmentBlock[] = [];
  let failure: PromiseRejectedResult | null = null;
  for (const one of settled) {
    if (one.status === "fulfilled") blocks.push(one.value);
    else failure ??= one;
  }
  if (failure === null) return blocks;
  for (const { memory } of blocks) memory?.release();
  throw failure.reason;
}
