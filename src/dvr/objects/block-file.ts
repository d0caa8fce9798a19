/**
 * A file of the range cache: a block of an object, and a trailer that a file which was cut off, mixed up or damaged does
 * not have:
 *
 *     block bytes                       N
 *     magic "WRC1"                      4
 *     N, little-endian                  4
 *     CRC-32 of name and block, l.-e.   4
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Bytes that the trailer takes. */
export const TRAILER_BYTES = 12;

const MAGIC = 0x31435257;
const NAME = /^[0-9a-f]{32}-[0-9a-z]{1,8}$/;

/** What makes one object's bytes another's. */
export type BlockedObject = {
  readonly location: string;
  readonly key: string;
  readonly version: string;
  readonly bytes: number;
  /** How big all blocks but the last are. */
  readonly blockBytes: number;
};

/** What the blocks of an object have in common in their names. */
export function blockPrefix(object: BlockedObject): string {
  const { location, key, version, bytes, blockBytes } = object;
  const identity = JSON.stringify([location, key, version, bytes, blockBytes]);
  return createHash("sha256").update(identity).digest("hex").slice(0, 32);
}

/** The name of a block's file. */
export function blockName(prefix: string, index: number): string {
  return `${prefix}-${index.toString(36)}`;
}

/** Whether a file may be a block's by its name. */
export function isBlockName(name: string): boolean {
  return NAME.test(name);
}

/** The trailer that a block's file ends with. Ownership: new. */
export function blockTrailer(name: string, block: Uint8Array): Uint8Array {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(MAGIC, 0);
  trailer.writeUInt32LE(block.byteLength, 4);
  trailer.writeUInt32LE(crc32(block, crc32(name)), 8);
  return trailer;
}

/** The block in the bytes of a file, as a view; `null` when they are not those of this block, whole and undamaged. */
export function readBlockFile(name: string, file: Uint8Array): Uint8Array | null {
  const length = file.byteLength - TRAILER_BYTES;
  if (length < 0) return null;
  const trailer = new DataView(file.buffer, file.byteOffset + length, TRAILER_BYTES);
  if (trailer.getUint32(0, true) !== MAGIC || trailer.getUint32(4, true) !== length) return null;
  const block = file.subarray(0, length);
  return trailer.getUint32(8, true) === crc32(block, crc32(name)) ? block : null;
}
