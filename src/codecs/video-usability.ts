import type { BitReader } from "../base/bits.ts";

/** Width and height of one sample of the picture; 1:1 when the bitstream does not say. */
export type SampleAspect = { readonly width: number; readonly height: number };

/** What the common beginning of H.264's and H.265's VUI says. */
export type VuiStart = {
  readonly sampleAspect: SampleAspect;
  /** H.273 code points; 2 where unspecified. */
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
  readonly isFullRange: boolean;
};

/** The VUI of a bitstream that has none. */
export const NO_VUI: VuiStart = {
  sampleAspect: { width: 1, height: 1 },
  colourPrimaries: 2,
  transferCharacteristics: 2,
  matrixCoefficients: 2,
  isFullRange: false,
};

/** Spec: ITU-T H.264 Table E-1, H.265 Table E.1; index is aspect_ratio_idc. */
const SAMPLE_ASPECTS: readonly (readonly [number, number])[] = [
  [1, 1], [1, 1], [12, 11], [10, 11], [16, 11], [40, 33], [24, 11], [20, 11], [32, 11],
  [80, 33], [18, 11], [15, 11], [64, 33], [160, 99], [4, 3], [3, 2], [2, 1],
]; // prettier-ignore

const EXTENDED_SAR = 255;

/**
 * Reads the fields that H.264's and H.265's VUI begin with, up to and with the chroma sample locations.
 * Spec: ITU-T H.264 section E.1.1, H.265 section E.2.1 (aspect_ratio_info_present_flag to chroma_loc_info).
 */
export function readVuiStart(bits: BitReader): VuiStart {
  const sampleAspect = readSampleAspect(bits);
  if (bits.flag()) bits.skip(1); // overscan_info_present_flag: overscan_appropriate_flag
  let [colourPrimaries, transferCharacteristics, matrixCoefficients, isFullRange] = [2, 2, 2, false];
  if (bits.flag()) {
    bits.skip(3); // video_format
    isFullRange = bits.flag();
    if (bits.flag()) {
      colourPrimaries = bits.read(8);
      transferCharacteristics = bits.read(8);
      matrixCoefficients = bits.read(8);
    }
  }
  if (bits.flag()) {
    bits.ue(); // chroma_sample_loc_type_top_field
    bits.ue(); // chroma_sample_loc_type_bottom_field
  }
  return { sampleAspect, colourPrimaries, transferCharacteristics, matrixCoefficients, isFullRange };
}

function readSampleAspect(bits: BitReader): SampleAspect {
  if (!bits.flag()) return NO_VUI.sampleAspect;
  const code = bits.read(8);
  const known = SAMPLE_ASPECTS[code];
  if (known !== undefined) return { width: known[0], height: known[1] };
  if (code !== EXTENDED_SAR) return NO_VUI.sampleAspect;
  const width = bits.read(16);
  const height = bits.read(16);
  return width === 0 || height === 0 ? NO_VUI.sampleAspect : { width, height };
}

/** Most pictures a second that a bitstream's timing is believed; what says more is a broken encoder's filler. */
const MAX_FRAME_RATE = 1000;

/** Frames per second from VUI timing, 0 for values that make no sense. Units: `timeScale` in ticks per second. */
export function frameRateOf(timeScale: number, ticksPerFrame: number): number {
  if (timeScale === 0 || ticksPerFrame === 0) return 0;
  const rate = timeScale / ticksPerFrame;
  return rate > MAX_FRAME_RATE ? 0 : rate;
}
