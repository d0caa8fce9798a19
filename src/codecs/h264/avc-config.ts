import { readU16, writeU16 } from "../../base/bytes.ts";
import { badConfig } from "../errors.ts";
import { parseH264Sps } from "./sps.ts";

/** AVCDecoderConfigurationRecord. The parameter sets are views of the parsed record. */
export type AvcConfig = {
  readonly profile: number;
  readonly compatibility: number;
  readonly level: number;
  /** Bytes of the length field before each NAL unit in the samples: 1, 2 or 4. */
  readonly nalLengthSize: number;
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
};

/** Profiles after whose parameter sets the record ends; all others go on. Spec: ISO/IEC 14496-15 section 5.3.3.1.2. */
const SHORT_PROFILES: ReadonlySet<number> = new Set([66, 77, 88]);

/** Parameter sets as the fields' widths allow: 5 bits for SPS, 8 bits for PPS. */
const MAX_SPS = 31;
const MAX_PPS = 255;

/**
 * Parses an avcC record. The optional extension of high profiles (chroma format, bit depths) repeats the SPS and is
 * not read: many writers leave it out or fill it wrongly.
 *
 * Ownership: `sps` and `pps` are views of `bytes`. Throws: CODEC_BAD_CONFIG.
 * Spec: ISO/IEC 14496-15 section 5.3.3.1.
 */
export function parseAvcConfig(bytes: Uint8Array): AvcConfig {
  if (bytes.byteLength < 7) throw badConfig("h264", "avcC is cut off");
  if (bytes[0] !== 1) throw badConfig("h264", `avcC has version ${bytes[0]}, not 1`);
  const nalLengthSize = (bytes[4]! & 3) + 1;
  if (nalLengthSize === 3) throw badConfig("h264", "avcC names NAL length fields of 3 bytes");
  const sps: Uint8Array[] = [];
  const pps: Uint8Array[] = [];
  const at = readSets(bytes, 6, bytes[5]! & MAX_SPS, sps);
  if (at >= bytes.byteLength) throw badConfig("h264", "avcC is cut off");
  readSets(bytes, at + 1, bytes[at]!, pps);
  if (sps.length === 0) throw badConfig("h264", "avcC has no SPS");
  return {
    profile: bytes[1]!,
    compatibility: bytes[2]!,
    level: bytes[3]!,
    nalLengthSize,
    sps,
    pps,
  };
}

function readSets(bytes: Uint8Array, start: number, count: number, into: Uint8Array[]): number {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 2 > bytes.byteLength) throw badConfig("h264", "avcC is cut off");
    const end = at + 2 + readU16(bytes, at);
    if (end > bytes.byteLength) throw badConfig("h264", "a parameter set goes past the end of avcC");
    into.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return at;
}

/**
 * Builds an avcC record for samples with 4-byte length fields.
 *
 * Input: parameter sets as NAL units without start codes, at least one SPS. Throws: CODEC_BAD_CONFIG.
 * Spec: ISO/IEC 14496-15 section 5.3.3.1.
 */
export function buildAvcConfig(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array {
  const first = sps[0];
  if (first === undefined) throw badConfig("h264", "no SPS to build avcC from");
  if (sps.length > MAX_SPS || pps.length > MAX_PPS)
    throw badConfig("h264", "too many parameter sets for avcC");
  const facts = parseH264Sps(first);
  const isExtended = !SHORT_PROFILES.has(facts.profile);
  let lengthBytes = 7 + (isExtended ? 4 : 0);
  for (const set of sps) lengthBytes += 2 + checkedLength(set);
  for (const set of pps) lengthBytes += 2 + checkedLength(set);
  const bytes = new Uint8Array(lengthBytes);
  bytes.set([1, facts.profile, facts.constraints, facts.level, 0xff, 0xe0 | sps.length]);
  let at = writeSets(bytes, 6, sps);
  bytes[at] = pps.length;
  at = writeSets(bytes, at + 1, pps);
  if (isExtended) {
    bytes.set(
      [0xfc | facts.chromaFormat, 0xf8 | (facts.bitDepthLuma - 8), 0xf8 | (facts.bitDepthChroma - 8), 0],
      at,
    );
  }
  return bytes;
}

function checkedLength(set: Uint8Array): number {
  if (set.byteLength > 0xffff) throw badConfig("h264", "a parameter set is too long for avcC");
  return set.byteLength;
}

function writeSets(bytes: Uint8Array, start: number, sets: readonly Uint8Array[]): number {
  let at = start;
  for (const set of sets) {
    writeU16(bytes, at, set.byteLength);
    bytes.set(set, at + 2);
    at += 2 + set.byteLength;
  }
  return at;
}

/**
 * The codecs parameter, `avc1.PPCCLL`, from the first SPS: that is what the decoder will see, where the record's own
 * copy of the three bytes differs.
 *
 * Throws: CODEC_BAD_CONFIG when the SPS is too short. Spec: RFC 6381 section 3.3; ISO/IEC 14496-15 Annex E.2.
 */
export function avcCodecString(sps: Uint8Array): string {
  if (sps.byteLength < 4) throw badConfig("h264", "the SPS is cut off");
  return `avc1.${hexByte(sps[1]!)}${hexByte(sps[2]!)}${hexByte(sps[3]!)}`;
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}
