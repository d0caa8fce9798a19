import assert from "node:assert/strict";
import { test } from "node:test";
import { BitReader } from "../base/bits.ts";
import { BitWriter } from "./bit-writer.ts";
import { frameRateOf, readVuiStart } from "./video-usability.ts";

/** aspect_ratio_info, then flags: overscan, video signal, chroma location. */
const aspects = [
  { name: "not told", write: (bits: BitWriter) => bits.write(0, 1), expected: [1, 1] },
  {
    name: "code 0, unspecified",
    write: (bits: BitWriter) => bits.write(1, 1).write(0, 8),
    expected: [1, 1],
  },
  { name: "code 2", write: (bits: BitWriter) => bits.write(1, 1).write(2, 8), expected: [12, 11] },
  { name: "code 16", write: (bits: BitWriter) => bits.write(1, 1).write(16, 8), expected: [2, 1] },
  { name: "a reserved code", write: (bits: BitWriter) => bits.write(1, 1).write(17, 8), expected: [1, 1] },
  {
    name: "its own",
    write: (bits: BitWriter) => bits.write(1, 1).write(255, 8).write(7, 16).write(9, 16),
    expected: [7, 9],
  },
  {
    name: "0:9",
    write: (bits: BitWriter) => bits.write(1, 1).write(255, 8).write(0, 16).write(9, 16),
    expected: [1, 1],
  },
  {
    name: "7:0",
    write: (bits: BitWriter) => bits.write(1, 1).write(255, 8).write(7, 16).write(0, 16),
    expected: [1, 1],
  },
];
for (const { name, write, expected } of aspects) {
  test(`a sample aspect ${name} is ${expected.join(":")}`, () => {
    const { sampleAspect } = readVuiStart(new BitReader(write(new BitWriter()).write(0, 8).finish()));
    assert.deepEqual([sampleAspect.width, sampleAspect.height], expected);
  });
}

test("overscan, colour and chroma location are read in their order", () => {
  const bits = new BitWriter().write(0, 1).write(0b11, 2); // no aspect; overscan
  bits.write(1, 1).write(5, 3).write(1, 1).write(1, 1).write(9, 8).write(16, 8).write(9, 8);
  const reader = new BitReader(bits.write(1, 1).write(0b011, 3).write(0b1, 1).write(0b1010, 4).finish());
  const vui = readVuiStart(reader);
  assert.deepEqual([vui.colourPrimaries, vui.transferCharacteristics, vui.matrixCoefficients], [9, 16, 9]);
  assert.equal(vui.isFullRange, true);
  assert.equal(reader.read(4), 0b1010);
});

test("a video signal without colour is unspecified", () => {
  const vui = readVuiStart(new BitReader(new BitWriter().write(0, 2).write(1, 1).write(0, 13).finish()));
  assert.deepEqual([vui.colourPrimaries, vui.isFullRange], [2, false]);
});

test("timing that makes no sense is no frame rate", () => {
  assert.equal(frameRateOf(60_000, 1001), 60_000 / 1001);
  assert.equal(frameRateOf(0, 1), 0);
  assert.equal(frameRateOf(1, 0), 0);
  assert.equal(frameRateOf(90_000, 1), 0);
});
