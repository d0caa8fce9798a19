import { BitReader } from "../../base/bits.ts";
import { badConfig } from "../errors.ts";
import { MAX_PARAMETER_SET_BYTES, unescapeRbsp } from "../nal-units.ts";
import type { VuiStart } from "../video-usability.ts";
import { frameRateOf, NO_VUI, readVuiStart } from "../video-usability.ts";

/** What a sequence parameter set says that a server wants to know. */
export type H264Sps = {
  readonly id: number;
  readonly profile: number;
  /** constraint_set0_flag (bit 7) to constraint_set5_flag (bit 2). */
  readonly constraints: number;
  /** Ten times the level's number; 9 or 11 with constraint set 3 mean 1b. */
  readonly level: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Luma samples after cropping. */
  readonly width: number;
  readonly height: number;
  /** Fields or field pairs may occur. */
  readonly isInterlaced: boolean;
  /** Frames per second; 0 when the stream does not say. */
  readonly frameRate: number;
  readonly vui: VuiStart;
  /** Needed to read slice headers: bits of frame_num, and whether slices name their colour plane. */
  readonly frameNumBits: number;
  readonly hasSeparateColourPlanes: boolean;
};

/** Profiles whose SPS carries chroma format, bit depths and scaling lists. Spec: ITU-T H.264 section 7.3.2.1.1. */
const CHROMA_PROFILES: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

/** Macroblocks in a row or column at level 6.2: the root of 8 MaxFS. Spec: ITU-T H.264 section A.3.1 (f, g). */
const MAX_SIDE_MACROBLOCKS = 1055;

/** Most frames in an expected cycle. Spec: ITU-T H.264 section 7.4.2.1.1. */
const MAX_POC_CYCLE = 255;

/**
 * Parses a sequence parameter set.
 *
 * Input: the NAL unit with its header byte, without start code. Throws: CODEC_BAD_CONFIG.
 * Spec: ITU-T H.264 section 7.3.2.1.1, E.1.1.
 */
export function parseH264Sps(nalUnit: Uint8Array): H264Sps {
  if (nalUnit.byteLength < 4 || (nalUnit[0]! & 0x1f) !== 7)
    throw badConfig("h264", "not a sequence parameter set");
  if (nalUnit.byteLength > MAX_PARAMETER_SET_BYTES) throw badConfig("h264", "the SPS is too long");
  const bits = new BitReader(unescapeRbsp(nalUnit, 1, nalUnit.byteLength, MAX_PARAMETER_SET_BYTES));
  const profile = bits.read(8);
  const constraints = bits.read(8);
  const level = bits.read(8);
  const id = bits.ue();
  const chroma = readChroma(bits, profile);
  const frameNumBits = bits.ue() + 4;
  skipPictureOrder(bits);
  bits.ue(); // max_num_ref_frames
  bits.skip(1); // gaps_in_frame_num_value_allowed_flag
  const size = readSize(bits, chroma);
  if (bits.isExhausted) throw badConfig("h264", "the SPS is cut off");
  if (id > 31 || frameNumBits > 16) throw badConfig("h264", "an SPS field is out of range");
  const timing = readVui(bits);
  return { id, profile, constraints, level, ...chroma, frameNumBits, ...size, ...timing };
}

type Chroma = Pick<H264Sps, "chromaFormat" | "bitDepthLuma" | "bitDepthChroma" | "hasSeparateColourPlanes">;

function readChroma(bits: BitReader, profile: number): Chroma {
  if (!CHROMA_PROFILES.has(profile)) {
    return { chromaFormat: 1, bitDepthLuma: 8, bitDepthChroma: 8, hasSeparateColourPlanes: false };
  }
  const chromaFormat = bits.ue();
  const hasSeparateColourPlanes = chromaFormat === 3 && bits.flag();
  const bitDepthLuma = bits.ue() + 8;
  const bitDepthChroma = bits.ue() + 8;
  if (chromaFormat > 3 || bitDepthLuma > 14 || bitDepthChroma > 14) {
    throw badConfig("h264", "chroma format or bit depth is out of range");
  }
  bits.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let i = 0; i < lists; i++) if (bits.flag()) skipScalingList(bits, i < 6 ? 16 : 64);
  }
  return { chromaFormat, bitDepthLuma, bitDepthChroma, hasSeparateColourPlanes };
}

/** Spec: ITU-T H.264 section 7.3.2.1.1.1. */
function skipScalingList(bits: BitReader, size: number): void {
  let next = 8;
  for (let i = 0, last = 8; i < size && next !== 0; i++, last = next) next = (last + bits.se()) & 0xff;
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.ue();
  if (type > 2) throw badConfig("h264", "pic_order_cnt_type is out of range");
  if (type === 0) bits.ue(); // log2_max_pic_order_cnt_lsb_minus4
  if (type !== 1) return;
  bits.skip(1); // delta_pic_order_always_zero_flag
  bits.se(); // offset_for_non_ref_pic
  bits.se(); // offset_for_top_to_bottom_field
  const cycle = bits.ue();
  if (cycle > MAX_POC_CYCLE) throw badConfig("h264", "the picture order cycle is too long");
  for (let i = 0; i < cycle; i++) bits.se();
}

function readSize(bits: BitReader, chroma: Chroma): Pick<H264Sps, "width" | "height" | "isInterlaced"> {
  const columns = bits.ue() + 1;
  const mapUnits = bits.ue() + 1;
  const frameMbsOnly = bits.flag();
  if (!frameMbsOnly) bits.skip(1); // mb_adaptive_frame_field_flag
  bits.skip(1); // direct_8x8_inference_flag
  const rows = mapUnits * (frameMbsOnly ? 1 : 2);
  if (columns > MAX_SIDE_MACROBLOCKS || rows > MAX_SIDE_MACROBLOCKS)
    throw badConfig("h264", "the picture is too big");
  let [width, height] = [columns * 16, rows * 16];
  if (bits.flag()) {
    const planes = chroma.hasSeparateColourPlanes ? 0 : chroma.chromaFormat;
    const unitX = planes === 1 || planes === 2 ? 2 : 1;
    const unitY = (planes === 1 ? 2 : 1) * (frameMbsOnly ? 1 : 2);
    width -= (bits.ue() + bits.ue()) * unitX;
    height -= (bits.ue() + bits.ue()) * unitY;
  }
  if (width <= 0 || height <= 0) throw badConfig("h264", "cropping leaves no picture");
  return { width, height, isInterlaced: !frameMbsOnly };
}

/** A VUI that is cut off is as good as none: cameras write such, and decoders play them. */
function readVui(bits: BitReader): Pick<H264Sps, "vui" | "frameRate"> {
  if (!bits.flag()) return { vui: NO_VUI, frameRate: 0 };
  const vui = readVuiStart(bits);
  if (bits.isExhausted) return { vui: NO_VUI, frameRate: 0 };
  if (!bits.flag()) return { vui, frameRate: 0 };
  const ticks = bits.read(32); // num_units_in_tick, one field
  const timeScale = bits.read(32);
  return { vui, frameRate: bits.isExhausted ? 0 : frameRateOf(timeScale, ticks * 2) };
}
