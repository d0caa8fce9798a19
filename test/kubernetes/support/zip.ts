/** Reading of zip archives, as far as packages of programs need it. */
import { inflateRawSync } from "node:zlib";

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/**
 * The contents of one file of an archive, or `null` when it has none of that name. Archives of 4 GiB and more, and
 * encrypted ones, are not read.
 *
 * Spec: PKWARE APPNOTE.TXT sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end).
 */
export function readZipFile(archive: Buffer, name: string): Buffer | null {
  const end = endOfDirectory(archive);
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw new Error("the directory of the archive is broken");
    const nameLength = archive.readUInt16LE(at + 28);
    const entryName = archive.toString("utf8", at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength);
    if (entryName === name) return contents(archive, at);
    at += ENTRY_BYTES + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return null;
}

function endOfDirectory(archive: Buffer): number {
  const first = Math.max(0, archive.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = archive.length - END_BYTES; at >= first; at--) {
    if (archive.readUInt32LE(at) === END_SIGNATURE) return at;
  }
  throw new Error("this is not a zip archive");
}

function contents(archive: Buffer, entry: number): Buffer {
  const method = archive.readUInt16LE(entry + 10);
  const compressedBytes = archive.readUInt32LE(entry + 20);
  const local = archive.readUInt32LE(entry + 42);
  const start =
    local + LOCAL_HEADER_BYTES + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + compressedBytes);
  if (method === STORED) return packed;
  if (method === DEFLATED) return inflateRawSync(packed);
  throw new Error(`compression method ${method} is not known`);
}
