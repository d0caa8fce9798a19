import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { buildOpusHead, buildOpusSpecificBox, parseOpusHead, parseOpusSpecificBox } from "./opus-head.ts";
import { opusPacketSamples } from "./packet-duration.ts";

const vectors = loadCodecVectors().filter(({ codec }) => codec === "opus");

for (const { name, bytes, expect } of vectors) {
  test(`${name} is taken apart and built again to the same bytes`, () => {
    const head = parseOpusHead(bytes);
    assert.equal(head.channels, expect.channels);
    assert.equal(head.inputSampleRate, 48_000);
    assert.equal(head.preSkip, 312);
    assert.deepEqual(buildOpusHead(head), bytes);
    assert.deepEqual(parseOpusSpecificBox(buildOpusSpecificBox(head)), head);
  });

  test(`${name} and its dOps cut at every byte are refused`, () => {
    const code = "CODEC_BAD_CONFIG";
    const box = buildOpusSpecificBox(parseOpusHead(bytes));
    for (let cut = 0; cut < bytes.length; cut++)
      assert.throws(() => parseOpusHead(bytes.subarray(0, cut)), { code });
    for (let cut = 0; cut < box.length; cut++)
      assert.throws(() => parseOpusSpecificBox(box.subarray(0, cut)), { code });
  });
}

const stereo = vectors.find(({ name }) => name === "opushead-stereo")!.bytes;
const changed = (at: number, value: number) =>
  Uint8Array.from(stereo, (byte, i) => (i === at ? value : byte));

test("a gain is signed", () => {
  const head = parseOpusHead(
    Uint8Array.from(stereo, (byte, i) => (i === 16 ? 0x00 : i === 17 ? 0xff : byte)),
  );
  assert.equal(head.outputGain, -256);
  assert.equal(parseOpusSpecificBox(buildOpusSpecificBox(head)).outputGain, -256);
});

const refused = [
  { name: "another magic", bytes: changed(4, 0x54), code: "CODEC_BAD_CONFIG" },
  { name: "a version of the future", bytes: changed(8, 16), code: "CODEC_UNSUPPORTED" },
  { name: "no channels", bytes: changed(9, 0), code: "CODEC_BAD_CONFIG" },
  { name: "six channels without a mapping", bytes: changed(9, 6), code: "CODEC_BAD_CONFIG" },
  { name: "a mapping that is not there", bytes: changed(18, 1), code: "CODEC_BAD_CONFIG" },
];
for (const { name, bytes, code } of refused) {
  test(`a header is refused: ${name}`, () => assert.throws(() => parseOpusHead(bytes), { code }));
}

test("a dOps of another version or without channels is refused", () => {
  const box = buildOpusSpecificBox(parseOpusHead(stereo));
  assert.throws(() => parseOpusSpecificBox(Uint8Array.of(1, ...box.subarray(1))), {
    code: "CODEC_BAD_CONFIG",
  });
  assert.throws(() => parseOpusSpecificBox(Uint8Array.of(0, 0, ...box.subarray(2))), {
    code: "CODEC_BAD_CONFIG",
  });
});

/** RFC 6716 section 3.1, Table 2: every configuration's frame, in samples at 48 kHz. */
const frames = [
  ...Array.from({ length: 3 }, () => [480, 960, 1920, 2880]).flat(),
  ...Array.from({ length: 2 }, () => [480, 960]).flat(),
  ...Array.from({ length: 4 }, () => [120, 240, 480, 960]).flat(),
];
for (const [config, samples] of frames.entries()) {
  test(`configuration ${config} has frames of ${samples} samples`, () => {
    assert.equal(opusPacketSamples(Uint8Array.of(config << 3)), samples);
    assert.equal(opusPacketSamples(Uint8Array.of((config << 3) | 1, 0)), samples * 2);
    assert.equal(opusPacketSamples(Uint8Array.of((config << 3) | 2, 0)), samples * 2);
    assert.equal(opusPacketSamples(Uint8Array.of((config << 3) | 3, 2)), samples * 2);
  });
}

test("a packet that breaks the rules has no duration", () => {
  assert.equal(opusPacketSamples(new Uint8Array(0)), 0);
  assert.equal(opusPacketSamples(Uint8Array.of(0x03)), 0, "no frame count");
  assert.equal(opusPacketSamples(Uint8Array.of(0x03, 0)), 0, "no frames");
  assert.equal(opusPacketSamples(Uint8Array.of((31 << 3) | 3, 7)), 0, "140 ms");
  assert.equal(
    opusPacketSamples(Uint8Array.of((31 << 3) | 3, 0xc6)),
    5760,
    "120 ms, with VBR and padding flags",
  );
});
