import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MAX_ADTS_FRAME_BYTES,
  buildAdtsHeader,
  canFrameAdts,
  parseAdtsHeader,
  setAdtsLength,
} from "./adts.ts";
import { buildAacConfig, parseAacConfig } from "./audio-specific-config.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

const table = [
  {
    // ffmpeg 5.1 -f lavfi -i sine=sample_rate=48000 -ac 2 -c:a aac -f adts; its first frame
    name: "a frame of ffmpeg",
    hex: "ff f1 4c 80 02 df fc",
    header: {
      objectType: 2,
      sampleRate: 48000,
      channelConfig: 2,
      channels: 2,
      headerBytes: 7,
      frameBytes: 22,
      blocks: 1,
    },
  },
  {
    // Written by hand from ISO/IEC 14496-3 section 1.A.3.2.
    name: "a frame with CRC, 7.1 channels and four blocks",
    hex: "ff f0 51 c7 ff ff ff 00 00",
    header: {
      objectType: 2,
      sampleRate: 44100,
      channelConfig: 7,
      channels: 8,
      headerBytes: 9,
      frameBytes: 8191,
      blocks: 4,
    },
  },
  {
    name: "a Main profile frame of MPEG-2",
    hex: "ff f9 0c 40 01 1f fc",
    header: {
      objectType: 1,
      sampleRate: 48000,
      channelConfig: 1,
      channels: 1,
      headerBytes: 7,
      frameBytes: 8,
      blocks: 1,
    },
  },
];
for (const { name, hex, header } of table) {
  test(`${name} is read`, () => {
    assert.deepEqual(parseAdtsHeader(bytes(hex)), header);
    assert.deepEqual(parseAdtsHeader(bytes(`00 00 ${hex}`), 2), header);
  });

  test(`${name} cut at every byte asks for more`, () => {
    for (let cut = 0; cut < 7; cut++) assert.equal(parseAdtsHeader(bytes(hex).subarray(0, cut)), null);
  });
}

const refused = [
  { name: "no sync word", hex: "ff e1 4c 80 02 df fc" },
  { name: "a layer", hex: "ff f3 4c 80 02 df fc" },
  { name: "a reserved sampling rate", hex: "ff f1 74 80 02 df fc" },
  { name: "a frame shorter than its header", hex: "ff f1 4c 80 00 df fc" },
];
for (const { name, hex } of refused) {
  test(`a header is refused: ${name}`, () =>
    assert.throws(() => parseAdtsHeader(bytes(hex)), { code: "CODEC_BAD_UNIT" }));
}

test("a header that is built for a configuration says what it says, and its length is set", () => {
  for (const objectType of [1, 2, 4]) {
    for (const [sampleRate, channelConfig] of [
      [96_000, 1],
      [44_100, 2],
      [7350, 7],
    ] as const) {
      const config = parseAacConfig(buildAacConfig({ objectType, sampleRate, channelConfig }));
      assert.equal(canFrameAdts(config), true);
      const header = buildAdtsHeader(config);
      for (const frameBytes of [7, 300, MAX_ADTS_FRAME_BYTES]) {
        setAdtsLength(header, 0, frameBytes);
        const { channels } = config;
        const wanted = {
          objectType,
          sampleRate,
          channelConfig,
          channels,
          headerBytes: 7,
          frameBytes,
          blocks: 1,
        };
        assert.deepEqual(parseAdtsHeader(header), wanted);
      }
    }
  }
});

test("what ADTS cannot say is told: SBR is framed by its core, other frames and channels are not", () => {
  const sbr = buildAacConfig({
    objectType: 2,
    sampleRate: 24_000,
    channelConfig: 2,
    sbrSampleRate: 48_000,
  });
  assert.equal(canFrameAdts(parseAacConfig(sbr)), true);
  const header = buildAdtsHeader(parseAacConfig(sbr));
  setAdtsLength(header, 0, 100);
  assert.equal(parseAdtsHeader(header)?.sampleRate, 24_000);
  const good = parseAacConfig(buildAacConfig({ objectType: 2, sampleRate: 48_000, channelConfig: 2 }));
  const others = [
    { ...good, channelConfig: 0 },
    { ...good, channelConfig: 12 },
    { ...good, objectType: 23 },
    { ...good, coreSampleRate: 47_999, sampleRate: 47_999 },
    { ...good, frameSamples: 960 },
  ];
  for (const config of others) assert.equal(canFrameAdts(config), false);
});
