import { BitReader } from "../../base/bits.ts";
import { NAL_LENGTH_BYTES, nalUnitEnd, unescapeRbsp } from "../nal-units.ts";

/** NAL unit types. Spec: ITU-T H.264 Table 7-1. */
export const H264_NAL = {
  slice: 1,
  partitionA: 2,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  delimiter: 9,
  spsExtension: 13,
} as const;

const RECOVERY_POINT = 6;
/** Bytes of a slice header that hold first_mb_in_slice and slice_type, escaped. */
const SLICE_START_BYTES = 12;
/** SEI bytes that are searched for a recovery point; captions and user data come after it or are not waited for. */
const MAX_SEI_BYTES = 1024;

/** The type of the NAL unit whose header byte is given. */
export function h264NalType(header: number): number {
  return header & 0x1f;
}

/**
 * Whether a decoder may start at this access unit: it has an IDR picture, or a recovery point SEI whose
 * recovery_frame_cnt is 0 and a first slice of type I or SI.
 *
 * The second form is an open GOP. Strictly ISO/IEC 14496-12 counts only the first as a sync sample, but broadcast
 * encoders send one IDR picture in their life; players show such a start cleanly, or drop the few leading pictures
 * that refer back. The first slice decides, as the second field of such a picture may be predicted from the first.
 * Input: 4-byte length-prefixed NAL units; a broken tail is ignored. Spec: ITU-T H.264 sections 7.4.1.2.4, D.2.8.
 */
export function isH264RandomAccess(accessUnit: Uint8Array): boolean {
  let recovers = false;
  for (let at = 0, end = 0; at < accessUnit.byteLength; at = end) {
    end = nalUnitEnd(accessUnit, at);
    if (end < 0) return false;
    const start = at + NAL_LENGTH_BYTES;
    if (start === end) continue;
    const type = h264NalType(accessUnit[start]!);
    if (type === H264_NAL.idr) return true;
    if (type === H264_NAL.sei) recovers ||= hasImmediateRecovery(accessUnit, start, end);
    if (type !== H264_NAL.slice && type !== H264_NAL.partitionA) continue;
    return recovers && isIntraSlice(accessUnit, start, end);
  }
  return false;
}

/** Spec: ITU-T H.264 Table 7-6: slice types modulo 5 are P, B, I, SP, SI. */
function isIntraSlice(bytes: Uint8Array, start: number, end: number): boolean {
  const bits = new BitReader(unescapeRbsp(bytes, start + 1, end, SLICE_START_BYTES));
  bits.ue(); // first_mb_in_slice
  const type = bits.ue() % 5;
  return !bits.isExhausted && (type === 2 || type === 4);
}

/** Spec: ITU-T H.264 sections 7.3.2.3.1, D.1.8. */
function hasImmediateRecovery(bytes: Uint8Array, start: number, end: number): boolean {
  const sei = unescapeRbsp(bytes, start + 1, end, MAX_SEI_BYTES);
  let at = 0;
  while (at + 2 < sei.byteLength) {
    let type = 0;
    while (sei[at] === 0xff) type += sei[at++]!;
    type += sei[at++] ?? 0;
    let sizeBytes = 0;
    while (sei[at] === 0xff) sizeBytes += sei[at++]!;
    sizeBytes += sei[at++] ?? 0;
    if (type === RECOVERY_POINT) return sizeBytes > 0 && at < sei.byteLength && (sei[at]! & 0x80) !== 0;
    at += sizeBytes;
  }
  return false;
}

/**
 * The parameter sets in an access unit, for sources that send them only in band.
 * Ownership: views of `accessUnit`. Spec: ITU-T H.264 Table 7-1.
 */
export function findH264ParameterSets(accessUnit: Uint8Array): { sps: Uint8Array[]; pps: Uint8Array[] } {
  const found = { sps: [] as Uint8Array[], pps: [] as Uint8Array[] };
  for (let at = 0, end = 0; at < accessUnit.byteLength; at = end) {
    end = nalUnitEnd(accessUnit, at);
    if (end < 0) break;
    if (end === at + NAL_LENGTH_BYTES) continue;
    const type = h264NalType(accessUnit[at + NAL_LENGTH_BYTES]!);
    if (type === H264_NAL.sps) found.sps.push(accessUnit.subarray(at + NAL_LENGTH_BYTES, end));
    if (type === H264_NAL.pps) found.pps.push(accessUnit.subarray(at + NAL_LENGTH_BYTES, end));
  }
  return found;
}
