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

/** A piece of the file and where it goes. */
type Piece = {
  readonly offset: number;
  length: number;
  readonly block: number;
  readonly at: number;
};

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
  const pieces: Piece[] = [];
  for (const [block, request] of requests.entries()) collectPieces(request, block, pieces);
  pieces.sort((a, b) => a.offset - b.offset);
  let from = 0;
  while (from < pieces.length) {
    const start = pieces[from]!.offset;
    let end = start;
    let overlaps = false;
    let to = from;
    for (; to < pieces.length; to++) {
      const { offset, length } = pieces[to]!;
      if (to > from && (offset - end > MAX_GAP_BYTES || offset + length - start > MAX_READ_BYTES)) break;
      overlaps ||= offset < end;
      end = Math.max(end, offset + length);
    }
    const run = pieces.slice(from, to);
    const read = overlaps
      ? await readAndCopy(source, { start, end }, run, blocks)
      : await readScattered(source, start, targetsOf(run, blocks));
    if (read < end - start) throw vodErrors.error("VOD_CHANGED", { path: source.path });
    from = to;
  }
}

/** Appends the pieces of one block. */
function collectPieces(request: BlockRequest, block: number, pieces: Piece[]): void {
  let at = 0;
  let last: Piece | null = null;
  request.samples.visitRanges(request.first, request.end, (offset, lengthBytes) => {
    for (let done = 0; done < lengthBytes;) {
      const follows = last !== null && last.offset + last.length === offset + done;
      const room = follows ? MAX_READ_BYTES - last!.length : 0;
      const length = Math.min(room > 0 ? room : MAX_READ_BYTES, lengthBytes - done);
      if (room > 0) last!.length += length;
      else pieces.push((last = { offset: offset + done, length, block, at }));
      at += length;
      done += length;
    }
  });
}

/** Where the bytes of a run of pieces go that lie behind one another in the file, with what is between them. */
function targetsOf(run: readonly Piece[], blocks: readonly Uint8Array[]): Uint8Array[] {
  const targets: Uint8Array[] = [];
  let end = run[0]!.offset;
  for (const { offset, length, block, at } of run) {
    if (offset > end) targets.push(UNWANTED.subarray(0, offset - end));
    targets.push(blocks[block]!.subarray(at, at + length));
    end = offset + length;
  }
  return targets;
}

/** Reads pieces that share bytes of the file. Returns: the bytes that were read. */
async function readAndCopy(
  source: ByteSource,
  { start, end }: { readonly start: number; readonly end: number },
  run: readonly Piece[],
  blocks: readonly Uint8Array[],
): Promise<number> {
  const bytes = await source.read(start, end - start);
  for (const { offset, length, block, at } of run) {
    blocks[block]!.set(bytes.subarray(offset - start, offset - start + length), at);
  }
  return bytes.byteLength;
}
