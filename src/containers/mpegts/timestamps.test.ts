import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TS_WRAP_TICKS } from "./layout.ts";
import { nearestDifference, readTimestamp, wrapTicks, writePcr, writeTimestamp } from "./timestamps.ts";

test("a PTS is written as ffmpeg writes 1.48 s", () => {
  const out = new Uint8Array(5);
  writeTimestamp(out, 0, 3, 133_200);
  assert.equal(Buffer.from(out).toString("hex"), "31000910a1");
});

test("every time below 2^33 survives, others are taken modulo 2^33", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
      fc.constantFrom(1, 2, 3),
      (ticks, prefix) => {
        const out = new Uint8Array(7);
        writeTimestamp(out, 1, prefix, ticks);
        assert.equal(readTimestamp(out, 1), ((ticks % TS_WRAP_TICKS) + TS_WRAP_TICKS) % TS_WRAP_TICKS);
        assert.equal(out[1]! >> 4, prefix);
        assert.ok((out[1]! & out[3]! & out[5]! & 1) === 1, "marker bits");
        assert.equal(out[0]! + out[6]!, 0, "nothing around it");
      },
    ),
  );
});

test("a PCR has 33 bits of 90 kHz, six reserved ones and an extension of 0", () => {
  for (const ticks of [0, 1, 2 ** 32, 2 ** 33 - 1, 2 ** 33, -1, 123_456_789_012]) {
    const out = new Uint8Array(6);
    writePcr(out, 0, ticks);
    const all = out.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    assert.equal(all >> 15n, BigInt(wrapTicks(ticks)));
    assert.equal(all & 0x7fffn, 0x7e00n);
  }
});

test("differences are the nearest over the wrap", () => {
  const cases = [
    [0, 10, 10],
    [10, 0, -10],
    [2 ** 33 - 5, 5, 10],
    [5, 2 ** 33 - 5, -10],
  ] as const;
  for (const [from, to, difference] of cases) assert.equal(nearestDifference(from, to), difference);
});
