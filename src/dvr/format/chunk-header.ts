import { readFourCc, readU32, readU64 } from "../../base/bytes.ts";

/**
 * Whether these bytes are what stands in front of a chunk's payload: a `moof`, and the header of an `mdat` that ends where
 * the chunk does. What is within the `moof` is not looked at.
 *
 * `header`: as many bytes as the record says, at least 32. `sizeBytes`: of the whole chunk.
 * Spec: ISO/IEC 14496-12 sections 4.2, 8.1.1, 8.8.4.
 */
export function isChunkHeader(header: Uint8Array, sizeBytes: number): boolean {
  const moofBytes = readU32(header, 0);
  const mdatHeaderBytes = header.byteLength - moofBytes;
  if (mdatHeaderBytes !== 8 && mdatHeaderBytes !== 16) return false;
  if (readFourCc(header, 4) !== "moof" || readFourCc(header, moofBytes + 4) !== "mdat") return false;
  const size32 = readU32(header, moofBytes);
  if (mdatHeaderBytes === 16 && size32 !== 1) return false;
  const mdatBytes = mdatHeaderBytes === 8 ? size32 : readU64(header, moofBytes + 8);
  return moofBytes + mdatBytes === sizeBytes;
}
