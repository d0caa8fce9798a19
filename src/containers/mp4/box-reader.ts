import { readFourCc, readU32, readU64 } from "../../base/bytes.ts";
import { mp4Errors } from "./errors.ts";

/** One box in memory: its contents are `bytes[start, end)`. */
export type Box = {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Where the contents begin, after the header. */
  readonly start: number;
  readonly end: number;
  /** Where `bytes` begins in the file. */
  readonly base: number;
  /** Where the box begins in the file, for messages. */
  readonly offset: number;
};

/** The head of a box. */
export type BoxHeader = {
  readonly type: string;
  /** 8 or 16 (or more for `uuid`, whose extended type counts as contents here). */
  readonly headerBytes: number;
  /** With the header. 0: up to the end of whatever contains the box. */
  readonly sizeBytes: number;
};

/** A box's fields before its contents when the size has 64 bits. */
export const MAX_BOX_HEADER_BYTES = 16;

/**
 * Reads the head of the box at `offset` of `bytes`.
 *
 * Returns: the header, or `null` when the bytes end inside it. Its size is as written; check it against the place.
 * Throws: MP4_BOX_SIZE when the size is smaller than the header, or not a safe integer.
 * Spec: ISO/IEC 14496-12 section 4.2.
 */
export function readBoxHeader(bytes: Uint8Array, offset: number, base: number): BoxHeader | null {
  if (offset + 8 > bytes.byteLength) return null;
  const size32 = readU32(bytes, offset);
  const type = printableType(bytes, offset + 4);
  if (size32 !== 1) {
    if (size32 > 0 && size32 < 8) throw sizeError(type, base + offset, size32, bytes.byteLength - offset);
    return { type, headerBytes: 8, sizeBytes: size32 };
  }
  if (offset + 16 > bytes.byteLength) return null;
  const size64 = readU64(bytes, offset + 8);
  if (size64 < 16 || !Number.isSafeInteger(size64)) {
    throw sizeError(type, base + offset, size64, bytes.byteLength - offset);
  }
  return { type, headerBytes: 16, sizeBytes: size64 };
}

/** The box that fills `bytes`, whose contents begin at `start`; `offset` is its place in the file. */
export function wrapBox(type: string, bytes: Uint8Array, start: number, offset: number): Box {
  return { type, bytes, start, end: bytes.byteLength, base: offset, offset };
}

/**
 * Calls `visit` for each child box of one of the wanted types, in order. Nothing is made for others, so a box full of
 * tiny children costs time in proportion to its bytes, and no memory. Ends at a size of 0, which QuickTime writes
 * as a terminator.
 *
 * Throws: MP4_BOX_SIZE when a child does not fit into its parent.
 */
export function visitBoxes(parent: Box, types: readonly string[], visit: (box: Box) => void): void {
  const { bytes, base, end } = parent;
  let offset = parent.start;
  while (offset + 8 <= end) {
    let sizeBytes = readU32(bytes, offset);
    let headerBytes = 8;
    if (sizeBytes === 0) return;
    if (sizeBytes === 1 && offset + 16 <= end) {
      sizeBytes = readU64(bytes, offset + 8);
      headerBytes = 16;
    }
    if (sizeBytes < headerBytes || sizeBytes > end - offset) {
      throw sizeError(printableType(bytes, offset + 4), base + offset, sizeBytes, end - offset);
    }
    const type = matchType(bytes, offset + 4, types);
    if (type !== null) {
      visit({
        type,
        bytes,
        start: offset + headerBytes,
        end: offset + sizeBytes,
        base,
        offset: base + offset,
      });
    }
    offset += sizeBytes;
  }
}

/** The first child of a type, or `null`. */
export function findBox(parent: Box, type: string): Box | null {
  let found: Box | null = null;
  visitBoxes(parent, [type], (box) => (found ??= box));
  return found;
}

/** The first child of a type; throws MP4_BAD_BOX when there is none. */
export function needBox(parent: Box, type: string): Box {
  const box = findBox(parent, type);
  if (box === null) throw boxError(parent, `it holds no "${type}"`);
  return box;
}

/** The first box at the end of a path of types below `parent`, or `null`. */
export function findPath(parent: Box, ...path: readonly string[]): Box | null {
  let box: Box | null = parent;
  for (const type of path) {
    if (box === null) return null;
    box = findBox(box, type);
  }
  return box;
}

/** Bytes of a box's contents. */
export function contentBytes(box: Box): number {
  return box.end - box.start;
}

/** Throws MP4_BAD_BOX unless `lengthBytes` are there from `offset` of the contents on. */
export function needBytes(box: Box, offset: number, lengthBytes: number): void {
  if (offset + lengthBytes > contentBytes(box)) {
    throw boxError(box, `it ends ${offset + lengthBytes - contentBytes(box)} bytes before its contents do`);
  }
}

/**
 * Reads the count at `offset` of the contents and checks that as many entries of `entryBytes` follow it.
 * Every allocation for a table comes after this check, so it is bounded by the bytes of the file.
 */
export function readCount(box: Box, offset: number, entryBytes: number): number {
  needBytes(box, offset, 4);
  const count = readU32(box.bytes, box.start + offset);
  if (count * entryBytes > contentBytes(box) - offset - 4) {
    const room = Math.floor((contentBytes(box) - offset - 4) / entryBytes);
    throw boxError(box, `it says that it has ${count} entries and has room for ${room}`);
  }
  return count;
}

/** The version of a full box; throws MP4_BAD_BOX when there is none. */
export function versionOf(box: Box): number {
  needBytes(box, 0, 4);
  return box.bytes[box.start]!;
}

/** Makes (does not throw) the error of a box whose contents are wrong. */
export function boxError(box: Box, reason: string): Error {
  return mp4Errors.error("MP4_BAD_BOX", { box: box.type, offset: box.offset, reason });
}

/** Four characters for messages: anything that is not printable ASCII is shown as `?`. */
export function printableType(bytes: Uint8Array, offset: number): string {
  return readFourCc(bytes, offset).replace(/[^\x20-\x7e]/g, "?");
}

function matchType(bytes: Uint8Array, offset: number, types: readonly string[]): string | null {
  for (const type of types) {
    if (
      bytes[offset] === type.charCodeAt(0) &&
      bytes[offset + 1] === type.charCodeAt(1) &&
      bytes[offset + 2] === type.charCodeAt(2) &&
      bytes[offset + 3] === type.charCodeAt(3)
    ) {
      return type;
    }
  }
  return null;
}

function sizeError(box: string, offset: number, sizeBytes: number, availableBytes: number): Error {
  return mp4Errors.error("MP4_BOX_SIZE", { box, offset, sizeBytes, availableBytes });
}
