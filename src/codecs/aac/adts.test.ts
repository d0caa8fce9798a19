import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAdtsHeader } from "./adts.ts";

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
