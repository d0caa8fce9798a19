import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { mp3CodecString, parseMp3Header } from "./frame-header.ts";

for (const { name, bytes, codec, expect, ffprobe } of loadCodecVectors()) {
  if (codec !== "mp3") continue;
  test(`${name} says what ffprobe says`, () => {
    const header = parseMp3Header(bytes)!;
    assert.deepEqual([header.sampleRate, header.channels], [expect.sampleRate, expect.channels]);
    assert.equal(header.frameBytes, bytes.length);
    if (ffprobe.packetDuration !== undefined) assert.equal(header.frameSamples, ffprobe.packetDuration);
    assert.equal(mp3CodecString(header), name.startsWith("mp2") ? "mp4a.40.33" : "mp4a.40.34");
  });
}

/** From ISO/IEC 11172-3 section 2.4.2.3 and ISO/IEC 13818-3 section 2.4.2.3, by hand. */
const table = [
  {
    name: "MPEG-1 layer I, 448 kbit/s",
    hex: "ffffe800",
    facts: {
      version: 1,
      layer: 1,
      bitrateBps: 448_000,
      sampleRate: 32_000,
      frameSamples: 384,
      frameBytes: 672,
    },
  },
  {
    name: "MPEG-1 layer III, padded",
    hex: "fffb9264",
    facts: {
      version: 1,
      layer: 3,
      bitrateBps: 128_000,
      sampleRate: 44_100,
      frameSamples: 1152,
      frameBytes: 418,
    },
  },
  {
    name: "MPEG-2 layer II",
    hex: "fff580c0",
    facts: {
      version: 2,
      layer: 2,
      bitrateBps: 64_000,
      sampleRate: 22_050,
      frameSamples: 1152,
      frameBytes: 417,
    },
  },
  {
    name: "MPEG-2.5 layer III, mono",
    hex: "ffe318c0",
    facts: {
      version: 2.5,
      layer: 3,
      bitrateBps: 8000,
      sampleRate: 8000,
      frameSamples: 576,
      frameBytes: 72,
    },
  },
  { name: "the free format", hex: "fffb0064", facts: { bitrateBps: 0, frameBytes: 0, frameSamples: 1152 } },
];
for (const { name, hex, facts } of table) {
  test(`${name} is read`, () => {
    const header = parseMp3Header(Uint8Array.from(Buffer.from(hex, "hex")))! as Record<string, unknown>;
    for (const [field, value] of Object.entries(facts)) assert.equal(header[field], value, field);
  });
}

test("a header cut at every byte asks for more", () => {
  for (let cut = 0; cut < 4; cut++)
    assert.equal(parseMp3Header(Uint8Array.of(0xff, 0xfb, 0x92, 0x64).subarray(0, cut)), null);
});

const refused = [
  { name: "no sync word", hex: "fe fb 92 64" },
  { name: "a reserved version", hex: "ff eb 92 64" },
  { name: "a reserved layer", hex: "ff f9 92 64" },
  { name: "a reserved bit rate", hex: "ff fb f2 64" },
  { name: "a reserved sampling rate", hex: "ff fb 9e 64" },
];
for (const { name, hex } of refused) {
  test(`a header is refused: ${name}`, () => {
    const header = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
    assert.throws(() => parseMp3Header(header), { code: "CODEC_BAD_UNIT" });
  });
}

test("without a header the name is that of layer III", () =>
  assert.equal(mp3CodecString(null), "mp4a.40.34"));
