import type { SampleTable } from "../containers/mp4/sample-table.ts";
import type { ByteSource } from "./byte-source.ts";
import { vodErrors } from "./errors.ts";
import { readScattered } from "./scattered-read.ts";

/** Samples `[first, end)` of a track, to be read as one block. */
export type BlockRequest = { readonly samples: SampleTable; readonly first: number; readonly end: number };

/** Bytes between two wanted pieces that are read and thrown away, rather than asking the storage twice. */
const MAX_GAP_BYTES = 32 * 1024;
/** Bytes asked for at a time. */
const MAX_READ_BYTES = 4 * 2 ** 20;
/** Where bytes go that nobody wants; all reads write into it. */
const UNWANTED = new Uint8Array(MAX_GAP_BYTES);

/**
 * Reads the samples of several tracks, each track's into one contiguous block in sample order.
 *
 * Returns: the blocks in the order of the requests. Ownership: new buffers.
 * Throws: as `readIntoBlocks`.
 */
export async function readBlocks(
  source: ByteSource,
  requests: readonly BlockRequest[],
): Promise<Uint8Array[]> {
  const blocks = requests.map((request) => new Uint8Array(bytesOfBlock(request)));
  await readIntoBlocks(source, requests, blocks);
  return blocks;
}

/** Bytes of the block that a request is read into. */
export function bytesOfBlock({ samples, first, end }: BlockRequest): number {
  return samples.bytesBetween(first, end);
}

/**
 * Reads the samples of several tracks, each track's into the block of `bytesOfBlock` bytes that is given for it, whose
 * bytes are all written to.
 *
 * Neighbouring pieces of the file are read together, whichever track they belong to, so an interleaved file costs a
 * few large reads. When it rejects, nothing writes to the blocks any more.
 * Throws: VOD_CHANGED when the file is shorter than its index says; VOD_READ_FAILED.
 */
export async function readIntoBlocks(
  source: ByteSource,
  requests: readonly BlockRequest[],
  blocks: readonly Uint8Array[],
): Promise<void> {
  const lists = requests.map((request, i) => new Pieces(request, blocks[i]!));
  for (let next = firstOf(lists); next !== null;) {
    const start = next.offset;
    let end = start;
    const targets: Uint8Array[] = [];
    do {
      if (next.offset > end) targets.push(UNWANTED.subarray(0, next.offset - end));
      end = next.offset + next.length;
      targets.push(next.take());
      next = firstOf(lists);
    } while (
      next !== null &&
      next.offset >= end &&
      next.offset - end <= MAX_GAP_BYTES &&
      next.offset + next.length - start <= MAX_READ_BYTES
    );
    const read = await readScattered(source, start, targets);
    if (read < end - start) throw vodErrors.error("VOD_CHANGED", { path: source.path });
  }
}

/** What is to be read of one track, in sample order: pieces of the file, and where in its block they go. */
class Pieces {
  readonly #block: Uint8Array;
  /** Offset and length of each piece, one behind the other: objects would be most of what a read costs. */
  readonly #ranges: number[] = [];
  #next = 0;
  #filled = 0;

  constructor({ samples, first, end }: BlockRequest, block: Uint8Array) {
    this.#block = block;
    samples.visitRanges(first, end, (offset, lengthBytes) => this.#add(offset, lengthBytes));
  }

  /** Where the next piece lies in the file; infinity when there is none. */
  get offset(): number {
    return this.#next < this.#ranges.length ? this.#ranges[this.#next]! : Infinity;
  }

  /** Bytes of the next piece. */
  get length(): number {
    return this.#ranges[this.#next + 1]!;
  }

  /** Where the next piece goes, which then is the one behind it. */
  take(): Uint8Array {
    const start = this.#filled;
    this.#filled += this.length;
    this.#next += 2;
    return this.#block.subarray(start, this.#filled);
  }

  #add(offset: number, lengthBytes: number): void {
    const ranges = this.#ranges;
    let done = 0;
    const last = ranges.length - 2;
    const end = last < 0 ? -1 : ranges[last]! + ranges[last + 1]!;
    if (end === offset) {
      done = Math.min(lengthBytes, MAX_READ_BYTES - ranges[last + 1]!);
      ranges[last + 1]! += done;
    }
    for (; done < lengthBytes; done += MAX_READ_BYTES) {
      ranges.push(offset + done, Math.min(MAX_READ_BYTES, lengthBytes - done));
    }
  }
}

/** The one whose next piece comes first in the file; `null` when no piece is left. */
function firstOf(lists: readonly Pieces[]): Pieces | null {
  let first: Pieces | null = null;
  for (const list of lists) if (list.offset < (first?.offset ?? Infinity)) first = list;
  return first;
}
