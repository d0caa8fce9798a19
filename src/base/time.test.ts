import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_TURNS, Unwrapper, rescale, ticksToUs, usToTicks } from "./time.ts";

test("rescale agrees with exact integer arithmetic on any timestamp of two centuries", () => {
  const timescales = fc.constantFrom(
    1,
    25,
    1000,
    8000,
    12_800,
    44_100,
    48_000,
    90_000,
    1_000_000,
    10_000_000,
  );
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 6.3e14 }), timescales, timescales, (ticks, from, to) => {
      const product = BigInt(ticks) * BigInt(to);
      const floor = product / BigInt(from) - (product < 0n && product % BigInt(from) !== 0n ? 1n : 0n);
      if (floor > BigInt(Number.MAX_SAFE_INTEGER)) return;
      assert.equal(BigInt(rescale(ticks, from, to)), floor);
    }),
    { numRuns: 2000, seed: 7 },
  );
});

test("microseconds and ticks convert both ways within one tick", () => {
  const us = 1_795_449_600_123_456;
  for (const timescale of [1000, 44_100, 48_000, 90_000]) {
    assert.ok(Math.abs(ticksToUs(usToTicks(us, timescale), timescale) - us) <= Math.ceil(1e6 / timescale));
  }
});

const unwrapCases = [
  {
    name: "rises over the wrap",
    bits: 32,
    raw: [4_294_967_290, 4, 20],
    want: [4_294_967_290, 4_294_967_300, 4_294_967_316],
  },
  { name: "small steps back stay small", bits: 32, raw: [1000, 960, 1040], want: [1000, 960, 1040] },
  { name: "a step back over zero goes negative", bits: 32, raw: [5, 4_294_967_295], want: [5, -1] },
  {
    name: "33 bits, twice around",
    bits: 33,
    raw: [8_589_934_591, 0, 4_294_967_296, 8_589_934_590, 1],
    want: [8_589_934_591, 8_589_934_592, 12_884_901_888, 17_179_869_182, 17_179_869_185],
  },
];
for (const { name, bits, raw, want } of unwrapCases) {
  test(`unwrapping ${bits} bits: ${name}`, () => {
    const unwrapper = new Unwrapper(bits);
    assert.deepEqual(
      raw.map((value) => unwrapper.unwrap(value)),
      want,
    );
  });
}

test("after a reset the next value stands as it is", () => {
  const unwrapper = new Unwrapper(32);
  unwrapper.unwrap(4_294_967_295);
  unwrapper.reset();
  assert.equal(unwrapper.unwrap(3), 3);
});

for (const step of [2 ** 32 - 1, -(2 ** 32 - 1)]) {
  test(`three million jumps by ${step} stay within the bound, each the way it says or back to the raw value`, () => {
    const unwrapper = new Unwrapper(33);
    let raw = 0;
    let last = unwrapper.unwrap(raw);
    let returns = 0;
    for (let i = 0; i < 3_000_000; i++) {
      raw = (raw + step + 2 ** 33) % 2 ** 33;
      const next = unwrapper.unwrap(raw);
      if (next !== last + step) {
        returns++;
        if (next !== raw) assert.fail(`${last} then ${next}`);
      }
      if (Math.abs(next) > 2 ** 33 * MAX_TURNS) assert.fail(`${next} is out of bounds`);
      last = next;
    }
    assert.ok(returns > 1000);
  });
}
