import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { BitWriter } from "../bit-writer.ts";
import type { AacConfig } from "./audio-specific-config.ts";
import { aacCodecString, buildAacConfig, parseAacConfig } from "./audio-specific-config.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

for (const { name, bytes: config, expect, ffprobe, mediabunny } of loadCodecVectors()) {
  if (!name.startsWith("asc-")) continue;
  test(`${name} says what ffprobe and mediabunny say`, () => {
    const parsed = parseAacConfig(config);
    assert.deepEqual([parsed.sampleRate, parsed.channels], [expect.sampleRate, expect.channels]);
    assert.equal(parsed.frameSamples, ffprobe.packetDuration);
    assert.equal(aacCodecString(parsed), mediabunny.codecString);
  });
}

/** Written by hand from ISO/IEC 14496-3 section 1.6.2.1; bits are told in the comments. */
const table: readonly { name: string; hex: string; codecs: string; facts: Partial<AacConfig> }[] = [
  {
    name: "AAC-LC",
    hex: "11 90",
    codecs: "mp4a.40.2",
    facts: { sampleRate: 48000, channels: 2, frameSamples: 1024 },
  },
  {
    name: "AAC-LC with frames of 960", // ... frameLengthFlag 1
    hex: "11 94",
    codecs: "mp4a.40.2",
    facts: { sampleRate: 48000, frameSamples: 960 },
  },
  {
    name: "HE-AAC, hierarchical", // 00101 0110 0010 0011 00010 000
    hex: "2b 11 88 00",
    codecs: "mp4a.40.5",
    facts: {
      objectType: 2,
      coreSampleRate: 24000,
      sampleRate: 48000,
      channels: 2,
      frameSamples: 2048,
      hasPs: false,
    },
  },
  {
    name: "HE-AAC, backward compatible", // 00010 0110 0010 000, 0x2b7 00101 1 0011
    hex: "13 10 56 e5 98",
    codecs: "mp4a.40.5",
    facts: { objectType: 2, coreSampleRate: 24000, sampleRate: 48000, channels: 2, frameSamples: 2048 },
  },
  {
    name: "HE-AAC v2, hierarchical", // 11101 0110 0001 0011 00010 000
    hex: "eb 09 88 00",
    codecs: "mp4a.40.29",
    facts: { sampleRate: 48000, channels: 2, channelConfig: 1, frameSamples: 2048, hasPs: true },
  },
  {
    name: "HE-AAC v2, backward compatible", // ... 0x548 1
    hex: "13 08 56 e5 9d 48 80",
    codecs: "mp4a.40.29",
    facts: { sampleRate: 48000, channels: 2, frameSamples: 2048, hasPs: true },
  },
  {
    name: "a sync extension that says there is no SBR", // 0x2b7 00101 0
    hex: "11 90 56 e5 00",
    codecs: "mp4a.40.2",
    facts: { sampleRate: 48000, frameSamples: 1024, hasSbr: false },
  },
  {
    name: "SBR at the core's rate", // 00101 0011 0010 0011 00010 000
    hex: "29 91 88 00",
    codecs: "mp4a.40.5",
    facts: { sampleRate: 48000, frameSamples: 1024, hasSbr: true },
  },
  {
    name: "an explicit sampling rate", // 00010 1111 (24 bits: 12345) 0001 000
    hex: "17 80 18 1c 88",
    codecs: "mp4a.40.2",
    facts: { sampleRate: 12345, channels: 1 },
  },
  {
    name: "an escaped object type, xHE-AAC", // 11111 001010 0011 0010
    hex: "f9 46 40",
    codecs: "mp4a.40.42",
    facts: { objectType: 42, sampleRate: 48000, channels: 2, frameSamples: 0 },
  },
  {
    name: "7.1 channels, low delay frames", // 10111 0011 0111 000
    hex: "b9 b8",
    codecs: "mp4a.40.23",
    facts: { channels: 8, frameSamples: 512 },
  },
  {
    name: "a scalable object with its layer and extension", // 10100 0011 0010 0 1 (14) 1, layerNr 3, 3 flags, 1
    hex: "a1 92 00 04 00",
    codecs: "mp4a.40.20",
    facts: { channels: 2, frameSamples: 1024 },
  },
  {
    name: "an ER BSAC object with its extension",
    hex: "b1 92 00 00 00 00",
    codecs: "mp4a.40.22",
    facts: { frameSamples: 1024 },
  },
];

for (const { name, hex, codecs, facts } of table) {
  test(`${name} is read`, () => {
    const parsed = parseAacConfig(bytes(hex));
    for (const [field, value] of Object.entries(facts))
      assert.equal(parsed[field as keyof AacConfig], value, field);
    assert.equal(aacCodecString(parsed), codecs);
  });
}

test("a program config element is counted with its coupled pairs, LFE and comment", () => {
  const bits = new BitWriter().write(2, 5).write(3, 4).write(0, 4).write(0, 3);
  bits.write(0, 4).write(1, 2).write(3, 4); // tag, object type, rate
  bits.write(2, 4).write(1, 4).write(1, 4).write(1, 2).write(1, 3).write(1, 4);
  bits.write(1, 1).write(0, 4).write(1, 1).write(0, 4).write(1, 1).write(0, 3); // mixdowns
  bits.write(0, 5).write(0b10000, 5).write(0b10000, 5).write(0b10000, 5); // a single, three pairs
  bits.write(0, 4).write(0, 4).write(0, 5);
  const head = bits.finish();
  assert.equal(parseAacConfig(Uint8Array.of(...head, 2, 65, 66)).channels, 8);
  assert.throws(() => parseAacConfig(Uint8Array.of(...head, 2, 65)), { code: "CODEC_BAD_CONFIG" });
});

const refused = [
  { name: "empty", hex: "" },
  { name: "one byte", hex: "11" },
  { name: "a reserved sampling rate", hex: "16 90" },
  { name: "a sampling rate of zero", hex: "17 80 00 00 10 00" },
  { name: "a reserved channel configuration", hex: "11 c0" },
  { name: "an empty program config element", hex: "11 80 04 c0 00 00 00 00 00" },
  { name: "SBR at three times the core's rate", hex: "2c 11 88 00" },
  { name: "over a kilobyte", hex: "11 90".padEnd(2100, "0") },
];
for (const { name, hex } of refused) {
  test(`a configuration is refused: ${name}`, () => {
    assert.throws(() => parseAacConfig(bytes(hex)), { code: "CODEC_BAD_CONFIG" });
  });
}

test("a configuration cut at every byte is refused or loses only its extension", () => {
  const whole = bytes("13 10 56 e5 9d 48 80");
  for (let cut = 0; cut < whole.length; cut++) {
    const part = whole.subarray(0, cut);
    if (cut < 2) assert.throws(() => parseAacConfig(part), { code: "CODEC_BAD_CONFIG" });
    else assert.equal(parseAacConfig(part).coreSampleRate, 24000);
  }
});

const builds = [
  { options: { objectType: 2, sampleRate: 48000, channelConfig: 2 }, hex: "1190" },
  { options: { objectType: 2, sampleRate: 12345, channelConfig: 1 }, hex: "1780181c88" },
  {
    options: { objectType: 2, sampleRate: 24000, channelConfig: 2, sbrSampleRate: 48000 },
    hex: "2b118800",
  },
  {
    options: { objectType: 2, sampleRate: 24000, channelConfig: 1, sbrSampleRate: 48000, hasPs: true },
    hex: "eb098800",
  },
];
for (const { options, hex } of builds) {
  test(`${JSON.stringify(options)} is built as ${hex}`, () => {
    assert.equal(Buffer.from(buildAacConfig(options)).toString("hex"), hex);
  });
}

test("an escaped object type is built and read back", () => {
  assert.equal(
    parseAacConfig(buildAacConfig({ objectType: 42, sampleRate: 48000, channelConfig: 2 })).objectType,
    42,
  );
  const reserved = { objectType: 2, sampleRate: 48000, channelConfig: 9 };
  assert.throws(() => buildAacConfig(reserved), { code: "CODEC_BAD_CONFIG" });
});
