import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mutate, MUTATIONS } from "./mutate.ts";
import type { MutationSource } from "./mutate.ts";
import { Random } from "./random.ts";

const seedBytes = Uint8Array.from({ length: 40 }, (_, index) => index * 5);

function sourceOf(seed: number, more: Partial<MutationSource> = {}): MutationSource {
  const word = new TextEncoder().encode("moov");
  return {
    random: new Random(seed),
    pool: [new Uint8Array(64).fill(0xee)],
    dictionary: [word],
    maxBytes: 128,
    ...more,
  };
}

describe("the byte mutator", () => {
  test("makes the same mutants from the same seed, and others from another", () => {
    const make = (seed: number): string => {
      const source = sourceOf(seed);
      return Array.from({ length: 50 }, () =>
        Buffer.from(mutate(seedBytes, source)).toString("hex"),
      ).join();
    };
    assert.equal(make(7), make(7));
    assert.notEqual(make(7), make(8));
  });

  test("leaves its input, pool and dictionary as they were", () => {
    const input = seedBytes.slice();
    const source = sourceOf(1);
    for (let round = 0; round < 2000; round++) mutate(input, source);
    assert.deepEqual(input, seedBytes);
    assert.ok(source.pool[0]!.every((byte) => byte === 0xee));
    assert.deepEqual(source.dictionary, [new TextEncoder().encode("moov")]);
  });

  test("never makes more than the bound, and meets empty, one-byte and full-length mutants", () => {
    const source = sourceOf(2);
    const lengths = new Set<number>();
    let bytes: Uint8Array = seedBytes;
    for (let round = 0; round < 5000; round++) {
      bytes = mutate(round % 50 === 0 ? seedBytes : bytes, source);
      lengths.add(bytes.byteLength);
      assert.ok(bytes.byteLength <= 128);
    }
    assert.ok(lengths.has(0) && lengths.has(1) && lengths.has(128));
  });

  for (const [name, change] of Object.entries(MUTATIONS)) {
    test(`${name} changes something, whatever the length, and works without pool and dictionary`, () => {
      const source = sourceOf(3);
      const poor = sourceOf(3, { pool: [], dictionary: [] });
      let changed = 0;
      for (let round = 0; round < 200; round++) {
        for (const length of [1, 2, 3, 7, 40]) {
          const before = seedBytes.subarray(0, length);
          if (Buffer.compare(change(before.slice(), source), before) !== 0) changed++;
          change(before.slice(), poor);
        }
      }
      assert.ok(changed > 500, `${changed} of 1000`);
    });
  }

  test("lies about a length field by one, by much and by everything", () => {
    // A two-byte length that fits, and bytes that could not be a length before or after it.
    const framed = new Uint8Array(22).fill(0xff);
    framed.set([0, 20]);
    const source = sourceOf(4);
    const seen = new Set<number>();
    for (let round = 0; round < 3000; round++) {
      const bytes = MUTATIONS.tweakLength(framed.slice(), source);
      seen.add((bytes[0]! << 8) | bytes[1]!);
    }
    for (const lie of [0, 1, 19, 21, 40, 0xffff, 0x7fff]) assert.ok(seen.has(lie), `${lie}`);
  });
});

describe("the pseudo-random numbers", () => {
  test("spread evenly and stay below their bound", () => {
    const random = new Random(5);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw++) counts[random.below(10)]!++;
    assert.ok(
      counts.every((count) => count > 850 && count < 1150),
      counts.join(),
    );
    assert.equal(random.below(0), 0);
    assert.throws(() => random.pick([]), RangeError);
  });
});
