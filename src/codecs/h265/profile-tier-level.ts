import type { BitReader } from "../../base/bits.ts";

/** The general part of profile_tier_level. */
export type ProfileTierLevel = {
  readonly profileSpace: number;
  /** 0 Main tier, 1 High tier. */
  readonly tier: number;
  readonly profile: number;
  /** general_profile_compatibility_flag[0] is the most significant bit. */
  readonly compatibility: number;
  /** general_progressive_source_flag and what follows it, 6 bytes. */
  readonly constraints: Uint8Array;
  /** Thirty times the level's number. */
  readonly level: number;
};

/**
 * Reads profile_tier_level(1, maxSubLayersMinus1).
 * Spec: ITU-T H.265 section 7.3.3.
 */
export function readProfileTierLevel(bits: BitReader, maxSubLayersMinus1: number): ProfileTierLevel {
  const general = readGeneral(bits);
  let profiles = 0;
  let levels = 0;
  for (let i = 0; i < maxSubLayersMinus1; i++) {
    if (bits.flag()) profiles++;
    if (bits.flag()) levels++;
  }
  if (maxSubLayersMinus1 > 0) bits.skip(2 * (8 - maxSubLayersMinus1)); // reserved_zero_2bits
  bits.skip(profiles * 88 + levels * 8);
  return general;
}

/** Reads the 12 bytes that profile_tier_level and the hvcC record have in common. */
export function readGeneral(bits: BitReader): ProfileTierLevel {
  return {
    profileSpace: bits.read(2),
    tier: bits.read(1),
    profile: bits.read(5),
    compatibility: bits.read(32),
    constraints: Uint8Array.from({ length: 6 }, () => bits.read(8)),
    level: bits.read(8),
  };
}

/**
 * The codecs parameter, e.g. `hvc1.1.6.L93.90`: profile space and profile, the compatibility flags in reverse bit
 * order, tier and level, then the constraint bytes without trailing zero bytes.
 * Spec: ISO/IEC 14496-15 Annex E.3.
 */
export function hevcCodecString(ptl: ProfileTierLevel): string {
  const space = ["", "A", "B", "C"][ptl.profileSpace]!;
  const parts = [
    `hvc1`,
    `${space}${ptl.profile}`,
    reverseBits(ptl.compatibility).toString(16).toUpperCase(),
  ];
  parts.push(`${ptl.tier === 1 ? "H" : "L"}${ptl.level}`);
  let last = ptl.constraints.length;
  while (last > 0 && ptl.constraints[last - 1] === 0) last--;
  for (const byte of ptl.constraints.subarray(0, last)) parts.push(byte.toString(16).toUpperCase());
  return parts.join(".");
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let i = 0; i < 32; i++) reversed = ((reversed << 1) | ((value >>> i) & 1)) >>> 0;
  return reversed;
}
