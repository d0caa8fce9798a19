import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { BitWriter } from "../bit-writer.ts";
import { MAX_PARAMETER_SET_BYTES } from "../nal-units.ts";
import { parseHevcConfig } from "./hevc-config.ts";
import { parseH265Sps } from "./sps.ts";

const vectors = loadCodecVectors().filter(({ codec }) => codec === "h265");
const PROFILES: Readonly<Record<string, number>> = { Main: 1, "Main 10": 2, Rext: 4 };

for (const { name, bytes, expect, ffprobe } of vectors) {
  test(`the SPS of ${name} says what ffprobe says`, () => {
    const config = parseHevcConfig(bytes);
    const sps = parseH265Sps(config.sps[0]!);
    assert.deepEqual([sps.width, sps.height], [expect.width, expect.height]);
    assert.ok(Math.abs(sps.frameRate - expect.frameRate) < 1e-9, `${sps.frameRate}`);
    assert.equal(sps.ptl.profile, PROFILES[ffprobe.profile!]);
    assert.equal(sps.ptl.level, ffprobe.level);
    assert.equal(`${sps.vui.sampleAspect.width}:${sps.vui.sampleAspect.height}`, ffprobe.sampleAspect);
    assert.deepEqual(sps.ptl, config.ptl);
    assert.equal(sps.chromaFormat, config.chromaFormat);
    assert.equal(sps.bitDepthLuma, config.bitDepthLuma);
    assert.equal(sps.bitDepthChroma, config.bitDepthChroma);
  });
}

test("colour is read from the VUI", () => {
  const hdr = vectors.find(({ name }) => name === "hvcc-main10-odd-sar")!;
  const { vui } = parseH265Sps(parseHevcConfig(hdr.bytes).sps[0]!);
  assert.deepEqual([vui.colourPrimaries, vui.transferCharacteristics, vui.matrixCoefficients], [9, 16, 9]);
  assert.equal(vui.isFullRange, false);
});

function ue(bits: BitWriter, ...values: number[]): BitWriter {
  for (const value of values) {
    const length = 31 - Math.clz32(value + 1);
    bits.write(0, length).write(value + 1, length + 1);
  }
  return bits;
}

type Options = {
  /** sps_max_sub_layers_minus1 */
  layers?: number;
  size?: [number, number];
  chroma?: number;
  window?: number[];
  depth?: number;
  /** From scaling_list_enabled_flag on, up to before the short-term sets. */
  tools?: (bits: BitWriter) => void;
  shortTerm?: (bits: BitWriter) => void;
  longTerm?: (bits: BitWriter) => void;
};

const noTools = (bits: BitWriter) => bits.write(0, 1).write(0, 2).write(0, 1); // no lists, amp and sao, no pcm

/** An SPS with a VUI that tells 50 pictures a second, to see that everything before it is passed over rightly. */
function buildSps(options: Options = {}): Uint8Array {
  const { layers = 0, size = [640, 360], chroma = 1, window, depth = 0 } = options;
  const bits = new BitWriter().write(0x4201, 16).write(0, 4).write(layers, 3).write(1, 1);
  bits.write(0x01, 8).write(0x6000_0000, 32).write(0, 32).write(0, 16).write(93, 8); // general profile, tier, level
  for (let i = 0; i < layers; i++) bits.write(0b11, 2);
  if (layers > 0) bits.write(0, 2 * (8 - layers));
  for (let i = 0; i < layers; i++) bits.write(0x01, 8).write(0, 32).write(0, 32).write(0, 16).write(90, 8);
  ue(bits, 0, chroma);
  if (chroma === 3) bits.write(1, 1); // separate_colour_plane_flag
  ue(bits, ...size).write(window ? 1 : 0, 1);
  if (window) ue(bits, ...window);
  ue(bits, depth, depth, 4).write(1, 1);
  for (let i = 0; i <= layers; i++) ue(bits, 4, 2, 5);
  ue(bits, 0, 3, 0, 3, 0, 0);
  (options.tools ?? noTools)(bits);
  (options.shortTerm ?? ((sets: BitWriter) => ue(sets, 0)))(bits);
  (options.longTerm ?? ((references: BitWriter) => references.write(0, 1)))(bits);
  bits.write(0, 2).write(1, 1); // temporal mvp, strong intra, VUI
  bits.write(0, 1).write(0, 1).write(0, 1).write(0, 1); // aspect, overscan, video signal, chroma location
  bits.write(0, 3).write(1, 1); // field flags, default display window
  ue(bits, 0, 0, 0, 0);
  bits.write(1, 1).write(1, 32).write(50, 32).write(0, 3);
  return escape(bits.write(1, 1).finish());
}

/** Puts emulation prevention bytes in. Spec: ITU-T H.265 section 7.3.1.1. */
function escape(unit: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const byte of unit) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Uint8Array.from(out);
}

const passed: readonly { name: string; options: Options }[] = [
  { name: "nothing special", options: {} },
  { name: "three temporal layers with their own levels", options: { layers: 2 } },
  {
    name: "scaling lists, some predicted",
    options: {
      tools: (bits) => {
        bits.write(0b11, 2);
        for (let sizeId = 0; sizeId < 4; sizeId++) {
          for (let matrix = 0; matrix < (sizeId === 3 ? 2 : 6); matrix++) {
            if (matrix % 2 === 1) ue(bits.write(0, 1), 1);
            else
              ue(
                bits.write(1, 1),
                ...Array.from({ length: (sizeId === 0 ? 16 : 64) + (sizeId > 1 ? 1 : 0) }, () => 2),
              );
          }
        }
        bits.write(0, 2).write(0, 1);
      },
    },
  },
  {
    name: "PCM",
    options: {
      tools: (bits) => ue(bits.write(0, 1).write(0, 2).write(1, 1).write(0x77, 8), 0, 2).write(1, 1),
    },
  },
  {
    name: "short-term sets, one predicted from the set before",
    options: {
      shortTerm: (bits) => {
        ue(bits, 3);
        ue(bits, 2, 1);
        for (let i = 0; i < 3; i++) ue(bits, 0).write(1, 1);
        bits.write(1, 1).write(1, 1);
        ue(bits, 0);
        bits.write(0b1, 1).write(0b00, 2).write(0b01, 2).write(0b1, 1); // used, dropped, not used but kept, used
        bits.write(0, 1);
        ue(bits, 1, 0, 0).write(1, 1);
      },
    },
  },
  {
    name: "long-term references",
    options: { longTerm: (bits) => ue(bits.write(1, 1), 2).write(0x155, 9).write(0x0aa, 9) },
  },
];

for (const { name, options } of passed) {
  test(`an SPS with ${name} is read to its end`, () => {
    const sps = parseH265Sps(buildSps(options));
    assert.deepEqual([sps.width, sps.height, sps.frameRate], [640, 360, 50]);
    assert.equal(sps.temporalLayers, (options.layers ?? 0) + 1);
  });
}

test("the conformance window is counted in chroma units", () => {
  const window = [1, 2, 3, 4];
  const sizeOf = (chroma: number) => {
    const { width, height } = parseH265Sps(buildSps({ window, chroma }));
    return [width, height];
  };
  assert.deepEqual(sizeOf(1), [640 - 6, 360 - 14]);
  assert.deepEqual(sizeOf(2), [640 - 6, 360 - 7]);
  assert.deepEqual(sizeOf(3), [640 - 3, 360 - 7]);
});

const untrusted: readonly { name: string; options: Options }[] = [
  { name: "65 short-term sets", options: { shortTerm: (bits) => ue(bits, 65) } },
  { name: "17 pictures in a set", options: { shortTerm: (bits) => ue(bits, 1, 9, 8) } },
  { name: "33 long-term references", options: { longTerm: (bits) => ue(bits.write(1, 1), 33) } },
  {
    name: "a predicted set that grows past its bound",
    options: {
      shortTerm: (bits) => {
        ue(bits, 2, 16, 0);
        for (let i = 0; i < 16; i++) ue(bits, 0).write(1, 1);
        bits.write(0b11, 2);
        ue(bits, 0).write(0x1_ffff, 17);
      },
    },
  },
];
for (const { name, options } of untrusted) {
  test(`an SPS with ${name} keeps its size and loses its VUI`, () => {
    const sps = parseH265Sps(buildSps(options));
    assert.deepEqual([sps.width, sps.height, sps.frameRate], [640, 360, 0]);
  });
}

const refused: readonly { name: string; bytes: Uint8Array }[] = [
  { name: "of another NAL unit type", bytes: Uint8Array.of(0x40, 1, 0, 0) },
  { name: "too long", bytes: Uint8Array.from({ length: MAX_PARAMETER_SET_BYTES + 1 }, () => 0x42) },
  { name: "with 8 temporal layers", bytes: buildSps({ layers: 7 }) },
  { name: "wider than any level allows", bytes: buildSps({ size: [16_889, 64] }) },
  { name: "without height", bytes: buildSps({ size: [64, 0] }) },
  { name: "cropped to nothing", bytes: buildSps({ window: [320, 0, 0, 0] }) },
  { name: "with a chroma format that does not exist", bytes: buildSps({ chroma: 4 }) },
  { name: "with a bit depth of 17", bytes: buildSps({ depth: 9 }) },
];
for (const { name, bytes } of refused) {
  test(`a set ${name} is refused`, () =>
    assert.throws(() => parseH265Sps(bytes), { code: "CODEC_BAD_CONFIG" }));
}

test("a set cut at every byte is refused or loses only its VUI", () => {
  const sps = buildSps({ layers: 2 });
  let kept = 0;
  for (let cut = 0; cut < sps.length; cut++) {
    try {
      const { width, height } = parseH265Sps(sps.subarray(0, cut));
      assert.deepEqual([width, height], [640, 360]);
      kept++;
    } catch (caught) {
      assert.equal(
        (caught as { code?: string }).code,
        "CODEC_BAD_CONFIG",
        `cut at ${cut}: ${String(caught)}`,
      );
    }
  }
  assert.ok(kept > 0 && kept < sps.length - 40, `${kept}`);
});
