import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { BitWriter } from "../bit-writer.ts";
import { MAX_PARAMETER_SET_BYTES } from "../nal-units.ts";
import { parseAvcConfig } from "./avc-config.ts";
import { parseH264Sps } from "./sps.ts";

const vectors = loadCodecVectors().filter(({ codec }) => codec === "h264");
const PROFILES: Readonly<Record<string, number>> = {
  "Constrained Baseline": 66,
  Main: 77,
  High: 100,
  "High 4:2:2": 122,
  "High 4:4:4 Predictive": 244,
};

for (const { name, bytes, expect, ffprobe } of vectors) {
  test(`the SPS of ${name} says what ffprobe says`, () => {
    const sps = parseH264Sps(parseAvcConfig(bytes).sps[0]!);
    assert.deepEqual([sps.width, sps.height], [expect.width, expect.height]);
    assert.ok(Math.abs(sps.frameRate - expect.frameRate) < 1e-9, `${sps.frameRate}`);
    assert.equal(sps.profile, PROFILES[ffprobe.profile!]);
    assert.equal(sps.level, ffprobe.level);
    assert.equal(`${sps.vui.sampleAspect.width}:${sps.vui.sampleAspect.height}`, ffprobe.sampleAspect);
  });
}

/** Writes Exp-Golomb codes on top of bit fields, for sets that no encoder at hand makes. */
function ue(bits: BitWriter, ...values: number[]): BitWriter {
  for (const value of values) {
    const length = 31 - Math.clz32(value + 1);
    bits.write(0, length).write(value + 1, length + 1);
  }
  return bits;
}

type Options = {
  profile?: number;
  chroma?: (bits: BitWriter) => void;
  order?: number[];
  columns?: number;
  rows?: number;
};

/** A progressive SPS of 10 x 10 macroblocks unless the options say otherwise, without VUI. */
function buildSps({
  profile = 77,
  chroma,
  order = [0, 0],
  columns = 9,
  rows = 9,
}: Options = {}): Uint8Array {
  const bits = new BitWriter().write(0x67, 8).write(profile, 8).write(0, 8).write(30, 8);
  ue(bits, 0);
  chroma?.(bits);
  ue(bits, 0, ...order, 1);
  bits.write(0, 1);
  ue(bits, columns, rows);
  return bits.write(0b1_1_0_0_1, 5).finish(); // frame_mbs_only, direct_8x8, no cropping, no VUI, stop bit
}

test("a plain SPS without VUI has neither frame rate nor aspect", () => {
  const sps = parseH264Sps(buildSps());
  assert.deepEqual([sps.width, sps.height, sps.frameRate], [160, 160, 0]);
  assert.deepEqual(sps.vui.sampleAspect, { width: 1, height: 1 });
  assert.equal(sps.frameNumBits, 4);
});

test("picture order type 1 with its cycle of offsets is passed over", () => {
  const bits = new BitWriter().write(0x67, 8).write(77, 8).write(0, 8).write(30, 8);
  ue(bits, 0, 0, 1); // id, frame_num bits, pic_order_cnt_type 1
  bits.write(1, 1);
  ue(bits, 3, 4, 2, 1, 2, 1); // two offsets, a cycle of two offsets, max_num_ref_frames
  bits.write(0, 1);
  ue(bits, 9, 9);
  assert.equal(parseH264Sps(bits.write(0b11001, 5).finish()).width, 160);
});

test("explicit scaling lists and separate colour planes are passed over", () => {
  const chroma = (bits: BitWriter) => {
    ue(bits, 3).write(1, 1); // 4:4:4, separate_colour_plane_flag
    ue(bits, 2, 2).write(0, 1); // 10 bits
    bits.write(1, 1).write(1, 1); // seq_scaling_matrix_present_flag, first list present
    for (let i = 0; i < 16; i++) ue(bits, 1); // delta_scale +1
    bits.write(1, 1);
    ue(bits, 16); // delta_scale -8: next scale 0 ends the list
    bits.write(0, 10);
  };
  const sps = parseH264Sps(buildSps({ profile: 244, chroma }));
  assert.deepEqual([sps.chromaFormat, sps.bitDepthLuma, sps.bitDepthChroma, sps.width], [3, 10, 10, 160]);
  assert.equal(sps.hasSeparateColourPlanes, true);
});

test("a set cut at every byte is refused or loses only its VUI", () => {
  const sps = parseAvcConfig(vectors.find(({ name }) => name === "avcc-high-1080-sar")!.bytes).sps[0]!;
  const whole = parseH264Sps(sps);
  let kept = 0;
  for (let cut = 0; cut < sps.length; cut++) {
    try {
      const { vui: _vui, frameRate: _rate, ...rest } = parseH264Sps(sps.subarray(0, cut));
      const { vui: _wholeVui, frameRate: _wholeRate, ...wholeRest } = whole;
      assert.deepEqual(rest, wholeRest, `cut at ${cut}`);
      kept++;
    } catch (caught) {
      assert.equal(
        (caught as { code?: string }).code,
        "CODEC_BAD_CONFIG",
        `cut at ${cut}: ${String(caught)}`,
      );
    }
  }
  assert.ok(kept > 0 && kept < sps.length - 4);
});

const refused: readonly { name: string; bytes: Uint8Array }[] = [
  { name: "of another NAL unit type", bytes: Uint8Array.of(0x68, 66, 0, 30) },
  { name: "too long", bytes: Uint8Array.from({ length: MAX_PARAMETER_SET_BYTES + 1 }, () => 0x67) },
  { name: "wider than any level allows", bytes: buildSps({ columns: 1055 }) },
  { name: "higher than any level allows", bytes: buildSps({ rows: 1055 }) },
  { name: "with a picture order type that does not exist", bytes: buildSps({ order: [3] }) },
  { name: "with a cycle of 2^20 offsets", bytes: cyclic(2 ** 20) },
  {
    name: "with a chroma format that does not exist",
    bytes: buildSps({ profile: 100, chroma: (bits) => ue(bits, 4, 0, 0) }),
  },
  {
    name: "with a bit depth of 40",
    bytes: buildSps({ profile: 100, chroma: (bits) => ue(bits, 1, 32, 0) }),
  },
  { name: "cropped to nothing", bytes: cropped(40) },
];

function cyclic(length: number): Uint8Array {
  const bits = new BitWriter().write(0x67, 8).write(77, 8).write(0, 8).write(30, 8);
  ue(bits, 0, 0, 1).write(1, 1);
  return ue(bits, 0, 0, length).finish();
}

function cropped(samples: number): Uint8Array {
  const bits = new BitWriter().write(0x67, 8).write(77, 8).write(0, 8).write(30, 8);
  ue(bits, 0, 0, 0, 0, 1).write(0, 1);
  ue(bits, 9, 9).write(0b111, 3);
  return ue(bits, samples, samples, 0, 0).write(0b01, 2).finish();
}

for (const { name, bytes } of refused) {
  test(`a set ${name} is refused`, () => {
    assert.throws(() => parseH264Sps(bytes), { code: "CODEC_BAD_CONFIG" });
  });
}
