import { writeU24, writeU32 } from "../../base/bytes.ts";

/** Tag types of a file; RTMP's message types have the same numbers. Spec: FLV 10.1 E.4.1. */
export const FLV_TAG = { audio: 8, video: 9, script: 18 } as const;

/** Bytes in front of a tag's body. */
export const TAG_HEADER_BYTES = 11;
/** Bytes after each tag, and after the file header: the size of the tag before. */
export const BACK_POINTER_BYTES = 4;

/**
 * The file header with the back pointer that follows it.
 *
 * ```
 * "FLV" | version 1 | flags: 4 audio, 1 video | header size UI32 = 9 | previous tag size UI32 = 0
 * ```
 * Spec: FLV 10.1 E.2, E.3.
 */
export function buildFlvHeader(hasVideo: boolean, hasAudio: boolean): Uint8Array {
  const flags = (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0);
  return new Uint8Array([0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);
}

/** Type and time of a tag. Units: milliseconds, taken modulo 2^32. */
export type FlvTagHeader = { readonly type: number; readonly timestampMs: number };

/** Builds a tag with its back pointer. Units: milliseconds, taken modulo 2^32. Ownership: the result is new. */
export function buildFlvTag(type: number, timestampMs: number, body: Uint8Array): Uint8Array {
  const tag = new Uint8Array(flvTagBytes(body.byteLength));
  writeFlvTag(tag, 0, { type, timestampMs }, body, 0);
  return tag;
}

/** The length of a tag with its back pointer. */
export function flvTagBytes(bodyBytes: number): number {
  return TAG_HEADER_BYTES + bodyBytes + BACK_POINTER_BYTES;
}

/**
 * Writes a tag with its back pointer at `start`; `flvTagBytes` tells how long it is.
 *
 * `prefixBytes` of the body, in front of the payload, are left as they are, at `start + TAG_HEADER_BYTES`, for the
 * caller to write. Ownership: `payload` is not retained.
 * Spec: FLV 10.1 E.4.1.
 */
export function writeFlvTag(
  out: Uint8Array,
  start: number,
  { type, timestampMs }: FlvTagHeader,
  payload: Uint8Array,
  prefixBytes: number,
): void {
  const bodyBytes = prefixBytes + payload.byteLength;
  out[start] = type;
  writeU24(out, start + 1, bodyBytes);
  writeU24(out, start + 4, timestampMs);
  out[start + 7] = timestampMs >>> 24;
  writeU24(out, start + 8, 0);
  out.set(payload, start + TAG_HEADER_BYTES + prefixBytes);
  writeU32(out, start + TAG_HEADER_BYTES + bodyBytes, TAG_HEADER_BYTES + bodyBytes);
}
