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

/**
 * Builds a tag with its back pointer.
 *
 * `prefixBytes` of the body are left as zeros at `TAG_HEADER_BYTES`, for the caller to write in place.
 * Units: milliseconds, taken modulo 2^32. Ownership: the result is new.
 * Spec: FLV 10.1 E.4.1.
 */
export function buildFlvTag(
  type: number,
  timestampMs: number,
  payload: Uint8Array,
  prefixBytes = 0,
): Uint8Array {
  const bodyBytes = prefixBytes + payload.byteLength;
  const tag = new Uint8Array(TAG_HEADER_BYTES + bodyBytes + BACK_POINTER_BYTES);
  tag[0] = type;
  writeU24(tag, 1, bodyBytes);
  writeU24(tag, 4, timestampMs);
  tag[7] = timestampMs >>> 24;
  tag.set(payload, TAG_HEADER_BYTES + prefixBytes);
  writeU32(tag, TAG_HEADER_BYTES + bodyBytes, TAG_HEADER_BYTES + bodyBytes);
  return tag;
}
