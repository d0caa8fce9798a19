import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BlockPool } from "./block-pool.ts";
import type { PooledBytes } from "./block-pool.ts";

const KIB = 1024;

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("BlockPool", () => {
  test("gives memory out again when nobody holds it, what came back last first", () => {
    const pool = new BlockPool(1024 * KIB);
    const [one, two] = [pool.take(100 * KIB), pool.take(99 * KIB)];
    const memory = [one.bytes.buffer, two.bytes.buffer];
    assert.notEqual(memory[0], memory[1]);
    one.release();
    two.release();
    assert.ok(pool.freeBytes >= 199 * KIB);
    assert.equal(pool.take(98 * KIB).bytes.buffer, memory[1]);
    const last = pool.take(100 * KIB);
    assert.deepEqual([last.bytes.buffer, last.bytes.byteLength], [memory[0], 100 * KIB]);
    assert.equal(pool.freeBytes, 0);
  });

  test("gives nothing out again that one of several still holds", () => {
    const pool = new BlockPool(1024 * KIB);
    const shared = pool.take(10 * KIB);
    shared.retain();
    shared.release();
    assert.equal(pool.freeBytes, 0);
    assert.notEqual(pool.take(10 * KIB).bytes.buffer, shared.bytes.buffer);
    shared.release();
    assert.ok(pool.freeBytes > 0);
  });

  test("does not let who is late touch what somebody else has by then", () => {
    const pool = new BlockPool(1024 * KIB);
    const late = pool.take(10 * KIB);
    late.release();
    const next = pool.take(10 * KIB);
    assert.throws(() => late.release(), { code: "ERR_ASSERTION" });
    assert.throws(() => late.retain(), { code: "ERR_ASSERTION" });
    assert.throws(() => late.bytes, { code: "ERR_ASSERTION" });
    assert.equal(pool.freeBytes, 0, "the next one still holds it");
    next.release();
    assert.ok(pool.freeBytes > 0);
  });

  test("keeps no more than its limit, and of a size that is asked for rather than of one that is not", () => {
    const pool = new BlockPool(100 * KIB);
    const old = Array.from({ length: 6 }, () => pool.take(16 * KIB));
    for (const piece of old) piece.release();
    assert.equal(pool.freeBytes, 96 * KIB);
    const wanted = Array.from({ length: 4 }, () => pool.take(20 * KIB));
    const memory = new Set(wanted.map(({ bytes }) => bytes.buffer));
    for (const piece of wanted) piece.release();
    assert.ok(pool.freeBytes <= 100 * KIB);
    for (let i = 0; i < 4; i++) assert.ok(memory.has(pool.take(20 * KIB).bytes.buffer), `piece ${i}`);
    const tooLarge = pool.take(101 * KIB);
    const freeBytes = pool.freeBytes;
    tooLarge.release();
    assert.equal(pool.freeBytes, freeBytes);
  });

  test("forgets sizes of which there is nothing any more", () => {
    const pool = new BlockPool(8 * KIB);
    for (let i = 1; i < 300; i++) {
      pool.take(i * 1000).release();
      assert.ok(pool.freeBytes <= 8 * KIB);
    }
    pool.take(KIB).release();
    assert.equal(pool.freeBytes, 4 * KIB);
  });

  test("has pieces that are at most a quarter too large", () => {
    const pool = new BlockPool(0);
    const next = numbers(5);
    for (let i = 0; i < 2000; i++) {
      const length = 4 * KIB + next(2 ** (1 + next(22)));
      const { byteLength } = pool.take(length).bytes.buffer;
      assert.ok(byteLength >= length && byteLength <= length * 1.25, `${byteLength} for ${length}`);
    }
    assert.equal(pool.take(0).bytes.byteLength, 0);
  });

  test("keeps everybody's bytes apart, whoever takes, shares and gives back in whatever order", () => {
    for (let seed = 1; seed <= 8; seed++) {
      const next = numbers(seed);
      const pool = new BlockPool(200 * KIB);
      const held: { piece: PooledBytes; mark: number; holds: number }[] = [];
      for (let step = 0; step < 1000; step++) {
        const one = held[next(held.length)];
        const choice = next(5);
        if (one === undefined || (choice < 2 && held.length < 30)) {
          const piece = pool.take(1 + next(30 * KIB));
          piece.bytes.fill(step & 0xff);
          held.push({ piece, mark: step & 0xff, holds: 1 });
        } else if (choice === 2) {
          one.piece.retain();
          one.holds++;
        } else {
          const { bytes } = one.piece;
          assert.ok(
            bytes.every((byte) => byte === one.mark),
            `seed ${seed}, step ${step}`,
          );
          one.piece.release();
          if (--one.holds === 0) held.splice(held.indexOf(one), 1);
        }
        assert.ok(pool.freeBytes <= 200 * KIB);
      }
      const memory = held.map(({ piece }) => piece.bytes.buffer);
      assert.equal(new Set(memory).size, memory.length);
    }
  });
});
