import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { filmRate, mediaBytesBySecond } from "./tools.ts";

/** An FLV tag with its previous tag size behind it. Spec: Adobe Flash Video File Format 10.1, annex E.4.1. */
function tag(type: number, timeMs: number, size: number): Buffer {
  const bytes = Buffer.alloc(11 + size + 4);
  bytes.writeUInt8(type, 0);
  bytes.writeUIntBE(size, 1, 3);
  bytes.writeUIntBE(timeMs % 2 ** 24, 4, 3);
  bytes.writeUInt8(Math.floor(timeMs / 2 ** 24), 7);
  return bytes;
}

const HEAD = Buffer.alloc(13);

describe("the media of an FLV file", () => {
  test("is counted by the second it belongs to, audio and video together", () => {
    const flv = Buffer.concat([HEAD, tag(18, 0, 50), tag(9, 0, 100), tag(8, 999, 10), tag(9, 2000, 7)]);
    assert.deepEqual(mediaBytesBySecond(flv), [110, 0, 7]);
  });

  test("ends where a tag is cut", () => {
    const flv = Buffer.concat([HEAD, tag(9, 0, 100), tag(9, 1000, 100).subarray(0, 9)]);
    assert.deepEqual(mediaBytesBySecond(flv), [100]);
  });

  test("has times of four bytes", () => {
    const flv = Buffer.concat([HEAD, tag(9, 2 ** 24 + 1000, 5)]);
    assert.equal(mediaBytesBySecond(flv).at(-1), 5);
    assert.equal(mediaBytesBySecond(flv).length, 16_779);
  });
});

describe("the rate of a film", () => {
  test("is the mean, and the range of all stretches of it in a loop", () => {
    const bytes = [125_000, 250_000, 375_000, 250_000];
    assert.deepEqual(filmRate(bytes, 1), { mean: 2, least: 1, greatest: 3 });
    assert.deepEqual(filmRate(bytes, 2), { mean: 2, least: 1.5, greatest: 2.5 });
    assert.deepEqual(filmRate(bytes, 4), { mean: 2, least: 2, greatest: 2 });
  });
});
