import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { BitWriter } from "../bit-writer.ts";
import {
  ac3UnitSamples,
  buildAc3Config,
  buildEac3Config,
  parseAc3Config,
  parseEac3Config,
  readAc3Frames,
} from "./ac3-config.ts";
import { parseAc3Frame } from "./syncframe.ts";

const vectors = loadCodecVectors().filter(({ codec }) => codec === "ac3" || codec === "eac3");

for (const { name, bytes, codec, expect, ffprobe, specificBox } of vectors) {
  test(`${name} says what ffprobe says, and gives the box that ffmpeg writes`, () => {
    const frame = parseAc3Frame(bytes)!;
    assert.equal(frame.isEnhanced, codec === "eac3");
    assert.deepEqual([frame.sampleRate, frame.channels], [expect.sampleRate, expect.channels]);
    assert.equal(frame.frameBytes, bytes.length);
    assert.equal(ac3UnitSamples(bytes), ffprobe.packetDuration);
    const config = codec === "ac3" ? buildAc3Config(bytes) : buildEac3Config(bytes);
    assert.equal(Buffer.from(config).toString("hex"), specificBox);
    const heard = codec === "ac3" ? parseAc3Config(config) : parseEac3Config(config);
    assert.deepEqual([heard.sampleRate, heard.channels], [expect.sampleRate, expect.channels]);
    assert.ok(Math.abs(heard.bitrateBps - ffprobe.bitrateBps!) <= 1000, `${heard.bitrateBps}`);
  });

  test(`${name} cut at every byte asks for more or is refused`, () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      const part = bytes.subarray(0, cut);
      if (cut < 16) assert.equal(parseAc3Frame(part), null);
      if (cut > 0) assert.throws(() => readAc3Frames(part), { code: "CODEC_BAD_UNIT" }, `cut at ${cut}`);
    }
  });
}

type Enhanced = {
  type?: number;
  id?: number;
  rate?: number;
  blocks?: number;
  mode?: number;
  lfe?: number;
  map?: number;
};

/** An Enhanced AC-3 syncframe of 32 bytes. Spec: ETSI TS 102 366 section E.1.2.2. */
function enhanced({
  type = 0,
  id = 0,
  rate = 0,
  blocks = 3,
  mode = 7,
  lfe = 1,
  map,
}: Enhanced): Uint8Array {
  const bits = new BitWriter().write(0x0b77, 16).write(type, 2).write(id, 3).write(15, 11).write(rate, 2);
  bits.write(blocks, 2).write(mode, 3).write(lfe, 1).write(16, 5);
  for (let i = 0; i < (mode === 0 ? 2 : 1); i++) bits.write(31, 5).write(1, 1).write(0, 8); // dialnorm, compr
  if (map !== undefined) bits.write(1, 1).write(map, 16);
  const frame = new Uint8Array(32);
  frame.set(bits.finish());
  return frame;
}

const join = (...frames: Uint8Array[]) => Uint8Array.from(frames.flatMap((frame) => [...frame]));

test("a dependent substream adds its channels: 7.1 as 5.1 with rear surrounds", () => {
  const unit = join(enhanced({}), enhanced({ type: 1, mode: 2, lfe: 0, map: 0x0200 })); // bit 6 of chanmap: Lrs, Rrs
  const config = buildEac3Config(unit);
  // data rate 16 kbit/s, one program; 48 kHz, bsid 16, acmod 7, LFE, one dependent substream, chan_loc bit 1
  assert.equal(Buffer.from(config).toString("hex"), "0080200f0202");
  assert.equal(parseEac3Config(config).channels, 8);
  assert.equal(ac3UnitSamples(unit), 1536);
});

test("six frames of one block make one access unit", () => {
  const unit = join(...Array.from({ length: 6 }, () => enhanced({ blocks: 0 })));
  assert.equal(ac3UnitSamples(unit), 1536);
  assert.equal(parseEac3Config(buildEac3Config(unit)).channels, 6);
});

test("a second program is counted, and does not lengthen the unit", () => {
  const unit = join(enhanced({}), enhanced({ id: 1, mode: 2, lfe: 0 }));
  const config = buildEac3Config(unit);
  assert.equal(config[1]! & 7, 1);
  assert.equal(config.length, 8);
  assert.equal(ac3UnitSamples(unit), 1536);
});

test("half sampling rates are read from the frame; the box only says that it is one of them", () => {
  const unit = enhanced({ rate: 3, blocks: 0 });
  assert.equal(parseAc3Frame(unit)!.sampleRate, 24_000);
  assert.equal(parseAc3Frame(unit)!.samples, 1536);
  assert.equal(parseEac3Config(buildEac3Config(unit)).sampleRate, 0);
});

test("two mono programs in one substream have two channel maps before theirs", () => {
  assert.equal(parseAc3Frame(enhanced({ type: 1, mode: 0, lfe: 0, map: 0x1234 }))!.channelMap, 0x1234);
  assert.equal(parseAc3Frame(enhanced({ type: 1, mode: 2 }))!.channelMap, 0);
});

const plain = vectors.find(({ name }) => name === "ac3-48000-stereo")!.bytes;
const changed = (at: number, value: number) =>
  Uint8Array.from(plain, (byte, i) => (i === at ? value : byte));

const refused = [
  { name: "no sync word", bytes: changed(0, 0) },
  { name: "a reserved sampling rate", bytes: changed(4, 0xc0) },
  { name: "a reserved frame size", bytes: changed(4, 38) },
  { name: "a reserved bit stream identification", bytes: changed(5, 10 << 3) },
  { name: "a reserved stream type", bytes: enhanced({ type: 3 }) },
  { name: "a reserved half sampling rate", bytes: enhanced({ rate: 3, blocks: 3 }) },
  {
    name: "a frame shorter than its header",
    bytes: Uint8Array.from(enhanced({}), (byte, i) => (i === 3 ? 6 : byte)),
  },
];
for (const { name, bytes } of refused) {
  test(`a frame is refused: ${name}`, () =>
    assert.throws(() => parseAc3Frame(bytes), { code: "CODEC_BAD_UNIT" }));
}

test("an access unit of more frames than substreams allow is refused", () => {
  const unit = join(...Array.from({ length: 433 }, () => enhanced({})));
  assert.throws(() => readAc3Frames(unit), { code: "CODEC_BAD_UNIT" });
});

test("a configuration is not built from the other codec's frames", () => {
  assert.throws(() => buildAc3Config(enhanced({})), { code: "CODEC_BAD_CONFIG" });
  assert.throws(() => buildEac3Config(plain), { code: "CODEC_BAD_CONFIG" });
  assert.throws(() => buildEac3Config(enhanced({ type: 1 })), { code: "CODEC_BAD_CONFIG" });
  assert.throws(() => buildAc3Config(new Uint8Array(3)), { code: "CODEC_BAD_CONFIG" });
});

test("boxes that are cut off or have reserved values are refused", () => {
  const code = "CODEC_BAD_CONFIG";
  assert.throws(() => parseAc3Config(Uint8Array.of(0x10, 0x10)), { code });
  assert.throws(() => parseAc3Config(Uint8Array.of(0xd0, 0x10, 0xc0)), { code });
  assert.throws(() => parseAc3Config(Uint8Array.of(0x10, 0x13, 0xff)), { code });
  assert.throws(() => parseEac3Config(Uint8Array.of(3, 0, 0x20, 0x0f)), { code });
  assert.throws(() => parseEac3Config(Uint8Array.of(3, 0, 0x20, 0x0f, 0x02)), { code });
});
