import { BitReader } from "../../base/bits.ts";
import { badConfig } from "../errors.ts";
import { MAX_PARAMETER_SET_BYTES, unescapeRbsp } from "../nal-units.ts";
import type { VuiStart } from "../video-usability.ts";
import { frameRateOf, NO_VUI, readVuiStart } from "../video-usability.ts";
import type { ProfileTierLevel } from "./profile-tier-level.ts";
import { readProfileTierLevel } from "./profile-tier-level.ts";
import { skipLongTermReferences, skipScalingLists, skipShortTermSets } from "./sps-tools.ts";

/** What a sequence parameter set says that a server wants to know. */
export type H265Sps = {
  readonly id: number;
  readonly temporalLayers: number;
  readonly isTemporalIdNested: boolean;
  readonly ptl: ProfileTierLevel;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Luma samples inside the conformance window. */
  readonly width: number;
  readonly height: number;
  /** Pictures per second; 0 when the stream does not say. */
  readonly frameRate: number;
  readonly vui: VuiStart;
};

/** Luma samples in a row or column at level 6.2: the root of 8 MaxLumaPs. Spec: ITU-T H.265 section A.4.1. */
const MAX_SIDE = 16_888;

/**
 * Parses a sequence parameter set of the base layer.
 *
 * Input: the NAL unit with its two header bytes, without start code. Throws: CODEC_BAD_CONFIG.
 * Spec: ITU-T H.265 section 7.3.2.2.
 */
export function parseH265Sps(nalUnit: Uint8Array): H265Sps {
  if (nalUnit.byteLength < 3 || ((nalUnit[0]! >> 1) & 0x3f) !== 33) {
    throw badConfig("h265", "not a sequence parameter set");
  }
  if (nalUnit.byteLength > MAX_PARAMETER_SET_BYTES) throw badConfig("h265", "the SPS is too long");
  const bits = new BitReader(unescapeRbsp(nalUnit, 2, nalUnit.byteLength, MAX_PARAMETER_SET_BYTES));
  bits.skip(4); // sps_video_parameter_set_id
  const maxSubLayersMinus1 = bits.read(3);
  const isTemporalIdNested = bits.flag();
  const ptl = readProfileTierLevel(bits, maxSubLayersMinus1);
  const id = bits.ue();
  const picture = readPicture(bits);
  if (bits.isExhausted) throw badConfig("h265", "the SPS is cut off");
  if (maxSubLayersMinus1 > 6 || id > 15) throw badConfig("h265", "an SPS field is out of range");
  const timing = skipToVui(bits, maxSubLayersMinus1) ? readVui(bits) : NO_TIMING;
  return { id, temporalLayers: maxSubLayersMinus1 + 1, isTemporalIdNested, ptl, ...picture, ...timing };
}

type Picture = Pick<H265Sps, "chromaFormat" | "bitDepthLuma" | "bitDepthChroma" | "width" | "height">;

function readPicture(bits: BitReader): Picture {
  const chromaFormat = bits.ue();
  const hasSeparateColourPlanes = chromaFormat === 3 && bits.flag();
  let width = bits.ue();
  let height = bits.ue();
  if (chromaFormat > 3) throw badConfig("h265", "chroma_format_idc is out of range");
  if (width > MAX_SIDE || height > MAX_SIDE) throw badConfig("h265", "the picture is too big");
  if (bits.flag()) {
    const planes = hasSeparateColourPlanes ? 0 : chromaFormat;
    width -= (bits.ue() + bits.ue()) * (planes === 1 || planes === 2 ? 2 : 1);
    height -= (bits.ue() + bits.ue()) * (planes === 1 ? 2 : 1);
  }
  const bitDepthLuma = bits.ue() + 8;
  const bitDepthChroma = bits.ue() + 8;
  if (bitDepthLuma > 16 || bitDepthChroma > 16) throw badConfig("h265", "the bit depth is out of range");
  if (!bits.isExhausted && (width <= 0 || height <= 0))
    throw badConfig("h265", "cropping leaves no picture");
  return { chromaFormat, bitDepthLuma, bitDepthChroma, width, height };
}

/** Moves over the coding tools. Returns: whether a VUI follows that can be trusted. */
function skipToVui(bits: BitReader, maxSubLayersMinus1: number): boolean {
  const pocBits = bits.ue() + 4;
  const layers = bits.flag() ? maxSubLayersMinus1 + 1 : 1; // sps_sub_layer_ordering_info_present_flag
  for (let i = 0; i < layers * 3; i++) bits.ue();
  for (let i = 0; i < 6; i++) bits.ue(); // block sizes and transform depths
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.flag()) {
    bits.skip(8); // pcm bit depths
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  if (pocBits > 16 || !skipShortTermSets(bits) || !skipLongTermReferences(bits, pocBits)) return false;
  bits.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  return bits.flag() && !bits.isExhausted;
}

const NO_TIMING = { vui: NO_VUI, frameRate: 0 } as const;

/** A VUI that is cut off is as good as none. Spec: ITU-T H.265 section E.2.1. */
function readVui(bits: BitReader): Pick<H265Sps, "vui" | "frameRate"> {
  const vui = readVuiStart(bits);
  bits.skip(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  if (bits.flag()) for (let i = 0; i < 4; i++) bits.ue(); // default display window: not used by players
  if (bits.isExhausted) return NO_TIMING;
  if (!bits.flag()) return { vui, frameRate: 0 };
  const ticks = bits.read(32); // vui_num_units_in_tick
  const timeScale = bits.read(32);
  const frameRate = bits.isExhausted ? 0 : frameRateOf(timeScale, ticks);
  return { vui, frameRate };
}
