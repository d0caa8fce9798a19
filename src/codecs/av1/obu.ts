import { badUnit } from "../errors.ts";

/** OBU types. Spec: AV1 bitstream section 6.2.2. */
export const AV1_OBU = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  metadata: 5,
  frame: 6,
  redundantFrameHeader: 7,
  tileList: 8,
  padding: 15,
} as const;

/** Where an OBU lies in its buffer. */
export type Obu = {
  readonly type: number;
  /** Of the OBU header. */
  readonly start: number;
  /** Of what follows header and size field. */
  readonly payload: number;
  readonly end: number;
};

/**
 * Reads the OBU at an offset (low-overhead format; the last OBU may go without a size field).
 *
 * Throws: CODEC_BAD_UNIT when it goes past the end. Spec: AV1 bitstream sections 5.3.1, 5.3.2, 4.10.5.
 */
export function readObu(bytes: Uint8Array, start: number): Obu {
  const header = bytes[start];
  if (header === undefined || (header & 0x80) !== 0) throw badUnit("av1", "no OBU header");
  const type = (header >> 3) & 15;
  let payload = start + ((header & 4) === 0 ? 1 : 2); // obu_extension_flag
  let end = bytes.byteLength;
  if ((header & 2) !== 0) {
    const { value, next } = readLeb128(bytes, payload);
    payload = next;
    end = payload + value;
  }
  if (payload > bytes.byteLength || end > bytes.byteLength)
    throw badUnit("av1", "an OBU goes past the end");
  return { type, start, payload, end };
}

/** Spec: AV1 bitstream section 4.10.5: at most 8 bytes, at most 2^32 - 1. */
function readLeb128(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return { value, next: at + i + 1 };
  }
  throw badUnit("av1", "broken OBU size");
}

/** The first OBU of a type in a temporal unit, or `null`. Throws: CODEC_BAD_UNIT. */
export function findObu(bytes: Uint8Array, type: number): Obu | null {
  for (let at = 0; at < bytes.byteLength;) {
    const obu = readObu(bytes, at);
    if (obu.type === type) return obu;
    at = obu.end;
  }
  return null;
}

/**
 * Whether a decoder may start at this temporal unit: it has a sequence header, and its first frame is a shown key
 * frame. A key frame that is shown later (forward key frame) does not count.
 *
 * Input: OBUs in the low-overhead format. Returns: `false` for a broken unit.
 * Spec: AV1 Codec ISO Media File Format Binding section 2.5; AV1 bitstream section 5.9.2.
 */
export function isAv1RandomAccess(temporalUnit: Uint8Array): boolean {
  let isStillPicture: boolean | null = null;
  for (let at = 0; at < temporalUnit.byteLength;) {
    const obu = tryReadObu(temporalUnit, at);
    if (obu === null) return false;
    const first = temporalUnit[obu.payload] ?? 0;
    if (obu.type === AV1_OBU.sequenceHeader) isStillPicture = (first & 0x08) !== 0; // reduced_still_picture_header
    if (obu.type === AV1_OBU.frame || obu.type === AV1_OBU.frameHeader) {
      if (isStillPicture === null || obu.payload === obu.end) return false;
      // show_existing_frame 0, frame_type KEY_FRAME (0), show_frame 1
      return isStillPicture || first >> 4 === 1;
    }
    at = obu.end;
  }
  return false;
}

function tryReadObu(bytes: Uint8Array, at: number): Obu | null {
  try {
    return readObu(bytes, at);
  } catch {
    return null;
  }
}

/**
 * Removes temporal delimiters, as samples in MP4 must not have them.
 *
 * Returns: the input itself when there is none, a view when they only lead, else a copy. Throws: CODEC_BAD_UNIT.
 * Spec: AV1 Codec ISO Media File Format Binding section 2.4.
 */
export function stripTemporalDelimiters(temporalUnit: Uint8Array): Uint8Array {
  let kept = new Uint8Array(0);
  let keptBytes = 0;
  let from = 0;
  let isLeading = true;
  for (let at = 0; at < temporalUnit.byteLength;) {
    const obu = readObu(temporalUnit, at);
    at = obu.end;
    if (obu.type !== AV1_OBU.temporalDelimiter) isLeading = false;
    else if (isLeading) from = obu.end;
    else {
      if (kept.byteLength === 0) kept = new Uint8Array(temporalUnit.byteLength);
      kept.set(temporalUnit.subarray(from, obu.start), keptBytes);
      keptBytes += obu.start - from;
      from = obu.end;
    }
  }
  if (from === 0) return temporalUnit;
  const rest = temporalUnit.subarray(from);
  if (keptBytes === 0) return rest;
  kept.set(rest, keptBytes);
  return kept.subarray(0, keptBytes + rest.byteLength);
}
