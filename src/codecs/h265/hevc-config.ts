import { BitReader } from "../../base/bits.ts";
import { readU16, writeU16, writeU32 } from "../../base/bytes.ts";
import { badConfig } from "../errors.ts";
import type { H265ParameterSets } from "./access-unit.ts";
import { H265_NAL } from "./access-unit.ts";
import type { ProfileTierLevel } from "./profile-tier-level.ts";
import { readGeneral } from "./profile-tier-level.ts";
import { parseH265Sps } from "./sps.ts";

/** HEVCDecoderConfigurationRecord. The parameter sets are views of the parsed record. */
export type HevcConfig = {
  readonly ptl: ProfileTierLevel;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Frames in 256 seconds; 0 when unknown. */
  readonly averageFrameRate: number;
  readonly temporalLayers: number;
  /** Bytes of the length field before each NAL unit in the samples: 1, 2 or 4. */
  readonly nalLengthSize: number;
} & Readonly<H265ParameterSets>;

const FIXED_BYTES = 23;
/** NAL units of the record that are kept, of all kinds; the fields would allow 2^24. */
const MAX_UNITS = 256;

/**
 * Parses an hvcC record. Version 0 is taken too: writers from before the standard was final put it there.
 *
 * Ownership: parameter sets are views of `bytes`. Throws: CODEC_BAD_CONFIG.
 * Spec: ISO/IEC 14496-15 section 8.3.3.1.
 */
export function parseHevcConfig(bytes: Uint8Array): HevcConfig {
  if (bytes.byteLength < FIXED_BYTES) throw badConfig("h265", "hvcC is cut off");
  if (bytes[0]! > 1) throw badConfig("h265", `hvcC has version ${bytes[0]}, not 1`);
  const nalLengthSize = (bytes[21]! & 3) + 1;
  if (nalLengthSize === 3) throw badConfig("h265", "hvcC names NAL length fields of 3 bytes");
  const sets = readArrays(bytes);
  if (sets.sps.length === 0) throw badConfig("h265", "hvcC has no SPS");
  return {
    ptl: readGeneral(new BitReader(bytes, 1)),
    chromaFormat: bytes[16]! & 3,
    bitDepthLuma: (bytes[17]! & 7) + 8,
    bitDepthChroma: (bytes[18]! & 7) + 8,
    averageFrameRate: readU16(bytes, 19),
    temporalLayers: (bytes[21]! >> 3) & 7,
    nalLengthSize,
    ...sets,
  };
}

function readArrays(bytes: Uint8Array): H265ParameterSets {
  const sets: H265ParameterSets = { vps: [], sps: [], pps: [] };
  let at = FIXED_BYTES;
  let units = 0;
  for (let array = 0; array < bytes[22]!; array++) {
    if (at + 3 > bytes.byteLength) throw badConfig("h265", "hvcC is cut off");
    const type = bytes[at]! & 0x3f;
    const count = readU16(bytes, at + 1);
    at += 3;
    units += count;
    if (units > MAX_UNITS) throw badConfig("h265", "hvcC has too many NAL units");
    const into =
      type === H265_NAL.vps
        ? sets.vps
        : type === H265_NAL.sps
          ? sets.sps
          : type === H265_NAL.pps
            ? sets.pps
            : [];
    for (let i = 0; i < count; i++) {
      const end = at + 2 + (at + 2 <= bytes.byteLength ? readU16(bytes, at) : bytes.byteLength);
      if (end > bytes.byteLength) throw badConfig("h265", "a parameter set goes past the end of hvcC");
      into.push(bytes.subarray(at + 2, end));
      at = end;
    }
  }
  return sets;
}

/**
 * Builds an hvcC record for samples with 4-byte length fields, its arrays complete (as `hvc1` asks).
 *
 * Input: parameter sets as NAL units, at least one SPS. Throws: CODEC_BAD_CONFIG.
 * Spec: ISO/IEC 14496-15 sections 8.3.3.1, 8.4.1.1.
 */
export function buildHevcConfig(sets: Readonly<H265ParameterSets>): Uint8Array {
  const first = sets.sps[0];
  if (first === undefined) throw badConfig("h265", "no SPS to build hvcC from");
  const sps = parseH265Sps(first);
  const arrays = [
    { type: H265_NAL.vps, units: sets.vps },
    { type: H265_NAL.sps, units: sets.sps },
    { type: H265_NAL.pps, units: sets.pps },
  ].filter((array) => array.units.length > 0);
  let lengthBytes = FIXED_BYTES;
  for (const { units } of arrays) lengthBytes += arrayBytes(units);
  const bytes = new Uint8Array(lengthBytes);
  bytes[0] = 1;
  writeGeneral(bytes, sps.ptl);
  writeU16(bytes, 13, 0xf000); // min_spatial_segmentation_idc unknown
  bytes[15] = 0xfc; // parallelismType unknown
  bytes[16] = 0xfc | sps.chromaFormat;
  bytes[17] = 0xf8 | (sps.bitDepthLuma - 8);
  bytes[18] = 0xf8 | (sps.bitDepthChroma - 8);
  bytes[21] = (sps.temporalLayers << 3) | (sps.isTemporalIdNested ? 4 : 0) | 3;
  bytes[22] = arrays.length;
  let at = FIXED_BYTES;
  for (const { type, units } of arrays) at = writeArray(bytes, at, type, units);
  return bytes;
}

function writeGeneral(bytes: Uint8Array, ptl: ProfileTierLevel): void {
  bytes[1] = (ptl.profileSpace << 6) | (ptl.tier << 5) | ptl.profile;
  writeU32(bytes, 2, ptl.compatibility);
  bytes.set(ptl.constraints, 6);
  bytes[12] = ptl.level;
}

function arrayBytes(units: readonly Uint8Array[]): number {
  if (units.length > MAX_UNITS) throw badConfig("h265", "too many parameter sets for hvcC");
  let sum = 3;
  for (const unit of units) {
    if (unit.byteLength > 0xffff) throw badConfig("h265", "a parameter set is too long for hvcC");
    sum += 2 + unit.byteLength;
  }
  return sum;
}

function writeArray(bytes: Uint8Array, start: number, type: number, units: readonly Uint8Array[]): number {
  bytes[start] = 0x80 | type; // array_completeness
  writeU16(bytes, start + 1, units.length);
  let at = start + 3;
  for (const unit of units) {
    writeU16(bytes, at, unit.byteLength);
    bytes.set(unit, at + 2);
    at += 2 + unit.byteLength;
  }
  return at;
}
