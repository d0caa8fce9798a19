import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { BitWriter } from "../bit-writer.ts";
import { av1CodecString, buildAv1Config, findAv1SequenceHeader, parseAv1Config } from "./av1-config.ts";
import { parseAv1SequenceHeader } from "./sequence-header.ts";

const vectors = loadCodecVectors().filter(({ codec }) => codec === "av1");
const PROFILES = ["Main", "High", "Professional"];

for (const { name, bytes, expect, ffprobe, mediabunny } of vectors) {
  test(`${name} says what ffprobe and mediabunny say`, () => {
    const config = parseAv1Config(bytes);
    const sequence = config.sequence!;
    assert.deepEqual([sequence.width, sequence.height], [expect.width, expect.height]);
    assert.equal(PROFILES[config.profile], ffprobe.profile);
    assert.equal(config.level, ffprobe.level);
    assert.deepEqual(
      [sequence.profile, sequence.level, sequence.tier],
      [config.profile, config.level, config.tier],
    );
    const { bitDepth, isMonochrome, subsamplingX, subsamplingY, chromaSamplePosition } = sequence.color;
    assert.deepEqual(
      { bitDepth, isMonochrome, subsamplingX, subsamplingY, chromaSamplePosition },
      {
        bitDepth: config.bitDepth,
        isMonochrome: config.isMonochrome,
        subsamplingX: config.subsamplingX,
        subsamplingY: config.subsamplingY,
        chromaSamplePosition: config.chromaSamplePosition,
      },
    );
    const part = (text: string) => text.split(".").slice(0, 4);
    assert.deepEqual(part(av1CodecString(config)), part(mediabunny.codecString!));
  });

  test(`${name} is built again from its sequence header`, () => {
    const built = buildAv1Config(bytes.subarray(4));
    assert.deepEqual(built.subarray(0, 4), bytes.subarray(0, 4));
    assert.deepEqual(parseAv1Config(built), parseAv1Config(bytes));
  });

  test(`${name} cut at every byte is refused, or has no sequence header`, () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      if (cut === 4) assert.equal(parseAv1Config(bytes.subarray(0, cut)).sequence, null);
      else {
        const parse = () => parseAv1Config(bytes.subarray(0, cut));
        // Metadata after the sequence header may be lost.
        if (cut < 4 + 13) assert.throws(parse, { code: "CODEC_BAD_CONFIG" }, `cut at ${cut}`);
      }
    }
  });
}

type Header = {
  timing?: boolean;
  model?: boolean;
  delay?: boolean;
  color?: (bits: BitWriter) => void;
  profile?: number;
};

/** A sequence header with two operating points, 640x360, and the parts that the options ask for. */
function sequenceHeader({
  timing = false,
  model = false,
  delay = false,
  color,
  profile = 0,
}: Header): Uint8Array {
  const bits = new BitWriter()
    .write(profile, 3)
    .write(0, 2)
    .write(timing ? 1 : 0, 1);
  if (timing) {
    bits.write(1, 32).write(120, 32).write(1, 1).write(0b00101, 5); // 120 ticks a second, uvlc 4: five a picture
    bits.write(model ? 1 : 0, 1);
    if (model) bits.write(9, 5).write(1, 32).write(9, 5).write(9, 5);
  }
  bits.write(delay ? 1 : 0, 1).write(1, 5);
  for (const level of [9, 5]) {
    bits.write(0, 12).write(level, 5);
    if (level > 7) bits.write(1, 1); // High tier
    if (model) bits.write(1, 1).write(0, 10).write(0, 10).write(0, 1);
    if (delay) bits.write(1, 1).write(3, 4);
  }
  bits.write(9, 4).write(8, 4).write(639, 10).write(359, 9);
  bits.write(1, 1).write(0, 7); // frame ids
  bits.write(0, 3).write(0, 4).write(1, 1).write(0, 2); // tools, order hint
  bits.write(0, 1).write(1, 1).write(0, 1).write(0, 1).write(7, 3); // screen content, integer mv, order hint bits
  bits.write(0, 3);
  (color ?? ((plain) => plain.write(0, 1).write(0, 1).write(0, 1).write(0, 1).write(0, 2)))(bits);
  return bits.write(0, 2).write(0, 1).finish();
}

for (const options of [
  {},
  { timing: true },
  { timing: true, model: true },
  { delay: true },
  { timing: true, model: true, delay: true },
]) {
  test(`a sequence header with ${JSON.stringify(options)} is read to its colour`, () => {
    const header = parseAv1SequenceHeader(sequenceHeader(options));
    assert.deepEqual([header.width, header.height, header.level, header.tier], [640, 360, 9, 1]);
    assert.equal(header.frameRate, "timing" in options ? 24 : 0);
    assert.equal(header.color.bitDepth, 8);
  });
}

const point = (bits: BitWriter, ...points: number[]) => {
  bits.write(1, 1);
  for (const value of points) bits.write(value, 8);
};

const colors: readonly {
  name: string;
  profile?: number;
  color: (bits: BitWriter) => void;
  codecs: string;
}[] = [
  { name: "plain 4:2:0", color: (b) => b.write(0, 3).write(0, 1).write(0, 2), codecs: "av01.0.09H.08" },
  {
    name: "10-bit HDR, colocated chroma",
    color: (b) => {
      point(b.write(0b10, 2), 9, 16, 9);
      b.write(0, 1).write(2, 2);
    },
    codecs: "av01.0.09H.10.0.112.09.16.09.0",
  },
  {
    name: "monochrome, full range",
    color: (b) => b.write(0b010, 3).write(1, 1),
    codecs: "av01.0.09H.08.1.110.02.02.02.1",
  },
  {
    name: "sRGB",
    profile: 1,
    color: (b) => point(b.write(0, 1), 1, 13, 0),
    codecs: "av01.1.09H.08.0.000.01.13.00.1",
  },
  {
    name: "4:4:4",
    profile: 1,
    color: (b) => b.write(0, 1).write(0, 1).write(0, 1),
    codecs: "av01.1.09H.08.0.000.02.02.02.0",
  },
  {
    name: "4:2:2",
    profile: 2,
    color: (b) => b.write(0, 1).write(0, 1).write(0, 1).write(0, 1),
    codecs: "av01.2.09H.08.0.100.02.02.02.0",
  },
  {
    name: "12-bit 4:2:0",
    profile: 2,
    color: (b) => b.write(0b11, 2).write(0, 1).write(0, 1).write(0, 1).write(0b11, 2).write(1, 2),
    codecs: "av01.2.09H.12.0.111.02.02.02.0",
  },
  {
    name: "12-bit 4:4:4",
    profile: 2,
    color: (b) => b.write(0b11, 2).write(0, 1).write(0, 1).write(0, 1).write(0, 1),
    codecs: "av01.2.09H.12.0.000.02.02.02.0",
  },
];
for (const { name, color, profile = 0, codecs } of colors) {
  test(`${name} gives ${codecs}`, () => {
    const payload = sequenceHeader({ color, profile });
    const config = parseAv1Config(buildAv1Config(Uint8Array.of(0x0a, payload.length, ...payload)));
    assert.equal(av1CodecString(config), codecs);
  });
}

test("a reduced still picture header is read", () => {
  const bits = new BitWriter().write(0, 3).write(0b11, 2).write(4, 5);
  bits.write(9, 4).write(8, 4).write(639, 10).write(359, 9).write(0, 3).write(0, 3).write(0, 4).write(0, 3);
  const header = parseAv1SequenceHeader(bits.finish());
  assert.deepEqual(
    [header.width, header.height, header.level, header.isReducedStillPicture],
    [640, 360, 4, true],
  );
});

test("a sequence header over 127 bytes gets a size of two bytes", () => {
  const payload = Uint8Array.from([...sequenceHeader({}), ...new Uint8Array(200)]);
  const built = buildAv1Config(Uint8Array.of(0x08, ...payload));
  assert.deepEqual(findAv1SequenceHeader(built.subarray(4)), parseAv1SequenceHeader(payload));
});

const code = "CODEC_BAD_CONFIG";
test("broken records and headers are refused", () => {
  assert.throws(() => parseAv1Config(Uint8Array.of(0x01, 0, 0, 0)), { code });
  assert.throws(() => parseAv1Config(Uint8Array.from({ length: 65_537 }, () => 0x81)), { code });
  assert.throws(() => parseAv1Config(Uint8Array.of(0x81, 0, 0, 0, 0x80)), { code });
  assert.throws(() => parseAv1SequenceHeader(Uint8Array.of(0xe0)), { code });
  assert.throws(() => parseAv1SequenceHeader(new Uint8Array(1025)), { code });
  assert.throws(() => buildAv1Config(Uint8Array.of(0x12, 0)), { code });
  const header = sequenceHeader({ timing: true });
  for (let cut = 0; cut < header.length - 1; cut++) {
    assert.throws(() => parseAv1SequenceHeader(header.subarray(0, cut)), { code }, `cut at ${cut}`);
  }
});
