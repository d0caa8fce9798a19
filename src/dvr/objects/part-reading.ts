/** Files read in parts, piece by piece, and summed up on the way. */
import { crc32 } from "node:zlib";
import { objectErrors } from "./errors.ts";
import type { OpenedFile } from "./local-file-storage.ts";
import type { ObjectSums } from "./object-store.ts";
import { PartSummer, sumsOfParts, sumsOfWhole } from "./part-sums.ts";
import type { PartSums } from "./part-sums.ts";

/** Spec: Amazon S3 User Guide, "Amazon S3 multipart upload limits". */
export const MAX_PARTS = 10_000;

const MiB = 2 ** 20;
/** Read and summed up at a time, so that the event loop is held up for some milliseconds only. */
const PIECE_BYTES = MiB;

/** How big parts are so that there are not too many of them. Units: bytes, whole mebibytes where it was raised. */
export function partBytesFor(bytes: number, partBytes: number): number {
  if (bytes <= partBytes * MAX_PARTS) return partBytes;
  return Math.ceil(bytes / MAX_PARTS / MiB) * MiB;
}

/** Fills `body` from the file, and sums it up. Throws: OBJECT_FILE_UNREADABLE, OBJECT_FILE_CHANGED. */
export async function readPart(
  opened: OpenedFile,
  from: number,
  body: Uint8Array,
  options: { readonly hasMd5: boolean; readonly onPiece?: (piece: Uint8Array) => void },
): Promise<PartSums> {
  const summer = new PartSummer(options);
  for (let at = 0; at < body.byteLength; at += PIECE_BYTES) {
    const piece = body.subarray(at, at + PIECE_BYTES);
    await opened.read(from + at, piece);
    summer.update(piece);
    options.onPiece?.(piece);
  }
  return summer.end();
}

/** What is summed up. */
export type SumOptions = {
  readonly bytes: number;
  /** As for sending it: a file that has no more is sent in one piece. */
  readonly partBytes: number;
  readonly hasMd5: boolean;
  readonly signal?: AbortSignal | undefined;
};

/**
 * The sums of a file as if it had been sent. Memory: one piece.
 * Throws: OBJECT_FILE_UNREADABLE, OBJECT_FILE_CHANGED, OBJECT_CLOSED.
 */
export async function sumFile(opened: OpenedFile, options: SumOptions): Promise<ObjectSums> {
  const { bytes, hasMd5, signal } = options;
  const isWhole = bytes <= options.partBytes;
  const partBytes = isWhole ? bytes : partBytesFor(bytes, options.partBytes);
  const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, bytes));
  const parts: PartSums[] = [];
  let wholeCrc32 = 0;
  for (let from = 0; from < bytes || parts.length === 0; from += Math.max(1, partBytes)) {
    const summer = new PartSummer({ hasMd5 });
    const end = Math.min(bytes, from + partBytes);
    for (let at = from; at < end; at += PIECE_BYTES) {
      if (signal?.aborted === true)
        throw objectErrors.error("OBJECT_CLOSED", { operation: "sum up a file that was copied" });
      const piece = buffer.subarray(0, Math.min(PIECE_BYTES, end - at));
      await opened.read(at, piece);
      summer.update(piece);
      wholeCrc32 = crc32(piece, wholeCrc32);
    }
    parts.push(summer.end());
  }
  return isWhole ? sumsOfWhole(parts[0]!) : sumsOfParts(wholeCrc32, parts);
}
