import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { buildHevcConfig, parseHevcConfig } from "./hevc-config.ts";
import { hevcCodecString } from "./profile-tier-level.ts";

const vectors = loadCodecVectors().filter(({ codec }) => codec === "h265");

for (const { name, bytes, mediabunny } of vectors) {
  test(`${name} is taken apart, built again, and says the same`, () => {
    const config = parseHevcConfig(bytes);
    assert.equal(config.nalLengthSize, 4);
    assert.deepEqual([config.vps.length, config.sps.length, config.pps.length], [1, 1, 1]);
    const rebuilt = parseHevcConfig(buildHevcConfig(config));
    assert.deepEqual({ ...rebuilt, averageFrameRate: 0 }, { ...config, averageFrameRate: 0 });
    // What ffmpeg and we write alike: profile, tier, level, chroma and depths.
    assert.deepEqual(buildHevcConfig(config).subarray(0, 13), bytes.subarray(0, 13));
    assert.deepEqual(buildHevcConfig(config).subarray(16, 19), bytes.subarray(16, 19));
  });

  test(`the codecs parameter of ${name} is what mediabunny makes of it`, () => {
    const ours = hevcCodecString(parseHevcConfig(bytes).ptl);
    assert.equal(ours.slice(4).toLowerCase(), mediabunny.codecString!.slice(4).toLowerCase());
  });
}

const strings = [
  // ISO/IEC 14496-15 Annex E.3 gives this form for Main profile, Main tier, level 3.1, progressive and frame only.
  {
    expected: "hvc1.1.6.L93.B0",
    ptl: { profileSpace: 0, tier: 0, profile: 1, compatibility: 0x6000_0000, level: 93, first: 0xb0 },
  },
  {
    expected: "hvc1.A4.41.H120.B0.23",
    ptl: {
      profileSpace: 1,
      tier: 1,
      profile: 4,
      compatibility: 0x8200_0000,
      level: 120,
      first: 0xb0,
      second: 0x23,
    },
  },
  {
    expected: "hvc1.C1.80000000.L30",
    ptl: { profileSpace: 3, tier: 0, profile: 1, compatibility: 1, level: 30, first: 0 },
  },
];
for (const { expected, ptl } of strings) {
  test(`a profile, tier and level are written as ${expected}`, () => {
    const { first, second, ...rest } = { second: 0, ...ptl };
    assert.equal(
      hevcCodecString({ ...rest, constraints: Uint8Array.of(first, second, 0, 0, 0, 0) }),
      expected,
    );
  });
}

const good = vectors[0]!.bytes;

test("a record cut at every byte is refused", () => {
  for (let cut = 0; cut < good.length; cut++) {
    assert.throws(
      () => parseHevcConfig(good.subarray(0, cut)),
      { code: "CODEC_BAD_CONFIG" },
      `cut at ${cut}`,
    );
  }
});

const changed = (at: number, value: number) =>
  Uint8Array.from(good, (byte, i) => (i === at ? value : byte));
const refused = [
  { name: "of version 2", bytes: changed(0, 2) },
  { name: "with NAL length fields of 3 bytes", bytes: changed(21, 0x0e) },
  { name: "without arrays", bytes: changed(22, 0) },
  {
    name: "with 65535 NAL units in an array",
    bytes: Uint8Array.from([...good.subarray(0, 24), 0xff, 0xff, ...new Uint8Array(200_000)]),
  },
  { name: "with more arrays than bytes", bytes: changed(22, 255) },
];
for (const { name, bytes } of refused) {
  test(`a record ${name} is refused`, () =>
    assert.throws(() => parseHevcConfig(bytes), { code: "CODEC_BAD_CONFIG" }));
}

test("version 0 of early writers is taken", () => {
  assert.equal(parseHevcConfig(changed(0, 0)).sps.length, 1);
});

test("building refuses what the record cannot hold", () => {
  const { vps, sps, pps } = parseHevcConfig(good);
  const code = "CODEC_BAD_CONFIG";
  assert.throws(() => buildHevcConfig({ vps, sps: [], pps }), { code });
  assert.throws(() => buildHevcConfig({ vps, sps, pps: [new Uint8Array(0x10000)] }), { code });
  assert.throws(() => buildHevcConfig({ vps, sps, pps: Array.from({ length: 257 }, () => pps[0]!) }), {
    code,
  });
});
