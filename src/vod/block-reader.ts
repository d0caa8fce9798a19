import type { SampleTable } from "../containers/mp4/sample-table.ts";
import type { ByteSource } from "./byte-source.ts";
import { vodErrors } from "./errors.ts";

/** Samples `[first, end)` of a track, to be read as one block. */
export type BlockRequest = { readonly samples: SampleTable; readonly first: number; readonly end: number };

/** Bytes between two wanted pieces that are read and thrown away, rather than asking the storage twice. */
const MAX_GAP_BYTES = 32 * 1024;
/** Bytes asked for at a time: what is read and not yet copied to its block. */
const MAX_READ_BYTES = 4 * 2 ** 20;

/** A piece of the file and where it goes. */
type Piece = {
  readonly offset: number;
  readonly length: number;
  readonly block: number;
  readonly at: number;
};

/**
 * Reads the samples of several tracks, each track's into one contiguous block in sample order.
 *
 * Neighbouring pieces of the file are read together, whichever track they belong to, so an interleaved file costs a
 * few large reads. Returns: the blocks in the order of the requests. Ownership: new buffers.
 * Throws: VOD_CHANGED when the file is shorter than its index says; VOD_READ_FAILED.
 */
export async function readBlocks(
  source: ByteSource,
  requests: readonly BlockRequest[],
): Promise<Uint8Array[]> {
  const pieces: Piece[] = [];
  const blocks = requests.map((request, block) => new Uint8Array(collectPieces(request, block, pieces)));
  pieces.sort((a, b) => a.offset - b.offset);
  let from = 0;
  while (from < pieces.length) {
    const start = pieces[from]!.offset;
    let end = start + pieces[from]!.length;
    let to = from + 1;
    for (; to < pieces.length; to++) {
      const { offset, length } = pieces[to]!;
      if (offset - end > MAX_GAP_BYTES || offset + length - start > MAX_READ_BYTES) break;
      end = Math.max(end, offset + length);
    }
    const bytes = await source.read(start, end - start);
    if (bytes.byteLength < end - start) throw vodErrors.error("VOD_CHANGED", { path: source.path });
    for (; from < to; from++) {
      const piece = pieces[from]!;
      const begin = piece.offset - start;
      blocks[piece.block]!.set(bytes.subarray(begin, begin + piece.length), piece.at);
    }
  }
  return blocks;
}

/** Appends the pieces of one block. Returns: the bytes of the block. */
function collectPieces(request: BlockRequest, block: number, pieces: Piece[]): number {
  let at = 0;
  request.samples.visitRanges(request.first, request.end, (offset, lengthBytes) => {
    for (let done = 0; done < lengthBytes; done += MAX_READ_BYTES) {
      const length = Math.min(MAX_READ_BYTES, lengthBytes - done);
      pieces.push({ offset: offset + done, length, block, at });
      at += length;
    }
  });
  return at;
}
