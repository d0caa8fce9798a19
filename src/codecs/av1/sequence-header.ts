import { BitReader } from "../../base/bits.ts";
import { badConfig } from "../errors.ts";
import { frameRateOf } from "../video-usability.ts";

/** Colour facts of a sequence. Spec: AV1 bitstream section 5.5.2. */
export type Av1Color = {
  readonly bitDepth: 8 | 10 | 12;
  readonly isMonochrome: boolean;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  readonly chromaSamplePosition: number;
  /** H.273 code points; 2 where unspecified. */
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly isFullRange: boolean;
};

/** What an AV1 sequence header says that a server wants to know. */
export type Av1SequenceHeader = {
  readonly profile: number;
  /** seq_level_idx and seq_tier of operating point 0. */
  readonly level: number;
  readonly tier: number;
  readonly isReducedStillPicture: boolean;
  readonly width: number;
  readonly height: number;
  /** Frames per second; 0 when the stream does not say or pictures come at unequal times. */
  readonly frameRate: number;
  readonly color: Av1Color;
};

/** Longest header that is read; the longest possible one has under 300 bytes. */
const MAX_HEADER_BYTES = 1024;

/**
 * Parses a sequence header OBU's payload (after the OBU header and size field).
 *
 * Throws: CODEC_BAD_CONFIG. Spec: AV1 bitstream section 5.5.
 */
export function parseAv1SequenceHeader(payload: Uint8Array): Av1SequenceHeader {
  if (payload.byteLength > MAX_HEADER_BYTES) throw badConfig("av1", "the sequence header is too long");
  const bits = new BitReader(payload);
  const profile = bits.read(3);
  if (profile > 2) throw badConfig("av1", "the profile is reserved");
  bits.skip(1); // still_picture
  const isReducedStillPicture = bits.flag();
  const points = isReducedStillPicture
    ? { level: bits.read(5), tier: 0, frameRate: 0 }
    : readTimingAndOperatingPoints(bits);
  const widthBits = bits.read(4) + 1;
  const heightBits = bits.read(4) + 1;
  const width = bits.read(widthBits) + 1;
  const height = bits.read(heightBits) + 1;
  skipTools(bits, isReducedStillPicture);
  const color = readColor(bits, profile);
  if (bits.isExhausted) throw badConfig("av1", "the sequence header is cut off");
  return { profile, ...points, isReducedStillPicture, width, height, color };
}

function readTimingAndOperatingPoints(bits: BitReader): { level: number; tier: number; frameRate: number } {
  let frameRate = 0;
  let delayBits = 0;
  if (bits.flag()) {
    frameRate = readTiming(bits);
    if (bits.flag()) {
      delayBits = bits.read(5) + 1; // buffer_delay_length_minus_1
      bits.skip(32 + 5 + 5); // num_units_in_decoding_tick, buffer_removal_time_, frame_presentation_time_length
    }
  }
  const hasInitialDelay = bits.flag();
  const count = bits.read(5) + 1;
  let [level, tier] = [0, 0];
  for (let i = 0; i < count; i++) {
    bits.skip(12); // operating_point_idc
    const pointLevel = bits.read(5);
    const pointTier = pointLevel > 7 ? bits.read(1) : 0;
    if (i === 0) [level, tier] = [pointLevel, pointTier];
    if (delayBits > 0 && bits.flag()) bits.skip(delayBits * 2 + 1);
    if (hasInitialDelay && bits.flag()) bits.skip(4);
  }
  return { level, tier, frameRate };
}

/** Spec: AV1 bitstream section 5.5.3. */
function readTiming(bits: BitReader): number {
  const ticks = bits.read(32); // num_units_in_display_tick
  const timeScale = bits.read(32);
  if (!bits.flag()) return 0; // equal_picture_interval
  const ticksPerPicture = bits.ue() + 1; // uvlc() is coded as ue(v) up to 32 leading zeros
  return frameRateOf(timeScale, ticks * ticksPerPicture);
}

function skipTools(bits: BitReader, isReducedStillPicture: boolean): void {
  if (!isReducedStillPicture && bits.flag()) bits.skip(7); // frame id lengths
  bits.skip(3); // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  if (!isReducedStillPicture) {
    bits.skip(4); // interintra_compound, masked_compound, warped_motion, dual_filter
    const hasOrderHint = bits.flag();
    if (hasOrderHint) bits.skip(2); // jnt_comp, ref_frame_mvs
    const forcesScreenContent = bits.flag() ? 2 : bits.read(1);
    if (forcesScreenContent > 0 && !bits.flag()) bits.skip(1); // seq_force_integer_mv
    if (hasOrderHint) bits.skip(3); // order_hint_bits_minus_1
  }
  bits.skip(3); // superres, cdef, restoration
}

function readColor(bits: BitReader, profile: number): Av1Color {
  const isHighDepth = bits.flag();
  const bitDepth = profile === 2 && isHighDepth && bits.flag() ? 12 : isHighDepth ? 10 : 8;
  const isMonochrome = profile !== 1 && bits.flag();
  const [primaries, transfer, matrix] = bits.flag()
    ? [bits.read(8), bits.read(8), bits.read(8)]
    : [2, 2, 2];
  const described = { bitDepth, isMonochrome, primaries, transfer, matrix } as const;
  if (isMonochrome) {
    return {
      ...described,
      isFullRange: bits.flag(),
      subsamplingX: 1,
      subsamplingY: 1,
      chromaSamplePosition: 0,
    };
  }
  if (primaries === 1 && transfer === 13 && matrix === 0) {
    return { ...described, isFullRange: true, subsamplingX: 0, subsamplingY: 0, chromaSamplePosition: 0 };
  }
  const isFullRange = bits.flag();
  const [subsamplingX, subsamplingY] = readSubsampling(bits, profile, bitDepth);
  const chromaSamplePosition = subsamplingX === 1 && subsamplingY === 1 ? bits.read(2) : 0;
  return { ...described, isFullRange, subsamplingX, subsamplingY, chromaSamplePosition };
}

function readSubsampling(bits: BitReader, profile: number, bitDepth: number): readonly [number, number] {
  if (profile === 0) return [1, 1];
  if (profile === 1) return [0, 0];
  if (bitDepth < 12) return [1, 0];
  const x = bits.read(1);
  return [x, x === 1 ? bits.read(1) : 0];
}
