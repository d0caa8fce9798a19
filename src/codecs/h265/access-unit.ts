import { NAL_LENGTH_BYTES, nalUnitEnd } from "../nal-units.ts";

/** NAL unit types. Spec: ITU-T H.265 Table 7-1. */
export const H265_NAL = {
  blaFirst: 16,
  irapLast: 23,
  vps: 32,
  sps: 33,
  pps: 34,
  delimiter: 35,
  seiPrefix: 39,
} as const;

/** The type of the NAL unit whose first header byte is given. */
export function h265NalType(header: number): number {
  return (header >> 1) & 0x3f;
}

/**
 * Whether a decoder may start at this access unit: its pictures are IRAP pictures (IDR, CRA, BLA).
 *
 * A CRA picture may have leading pictures that refer back; decoders that start there drop those, as H.265 says.
 * Input: 4-byte length-prefixed NAL units; a broken tail is ignored. Spec: ITU-T H.265 section 7.4.2.2, Table 7-1.
 */
export function isH265RandomAccess(accessUnit: Uint8Array): boolean {
  for (let at = 0, end = 0; at < accessUnit.byteLength; at = end) {
    end = nalUnitEnd(accessUnit, at);
    if (end < 0) return false;
    if (end === at + NAL_LENGTH_BYTES) continue;
    const type = h265NalType(accessUnit[at + NAL_LENGTH_BYTES]!);
    // The first coded slice decides: an access unit is one picture, and all its slices are of one kind.
    if (type < H265_NAL.vps) return type >= H265_NAL.blaFirst && type <= H265_NAL.irapLast;
  }
  return false;
}

/** Parameter sets by kind, as views. */
export type H265ParameterSets = { vps: Uint8Array[]; sps: Uint8Array[]; pps: Uint8Array[] };

/** The parameter sets in an access unit, for sources that send them only in band. Ownership: views. */
export function findH265ParameterSets(accessUnit: Uint8Array): H265ParameterSets {
  const found: H265ParameterSets = { vps: [], sps: [], pps: [] };
  for (let at = 0, end = 0; at < accessUnit.byteLength; at = end) {
    end = nalUnitEnd(accessUnit, at);
    if (end < 0) break;
    if (end === at + NAL_LENGTH_BYTES) continue;
    const type = h265NalType(accessUnit[at + NAL_LENGTH_BYTES]!);
    const unit = accessUnit.subarray(at + NAL_LENGTH_BYTES, end);
    if (type === H265_NAL.vps) found.vps.push(unit);
    if (type === H265_NAL.sps) found.sps.push(unit);
    if (type === H265_NAL.pps) found.pps.push(unit);
  }
  return found;
}
