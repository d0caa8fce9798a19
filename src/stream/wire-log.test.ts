import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes } from "../base/bytes.ts";
import { WireLog } from "./wire-log.ts";

const KIB = 1024;

/** Appends pieces whose bytes count up, so that each place has its own value. */
function fill(log: WireLog, lengths: readonly number[]): void {
  for (const length of lengths) {
    const start = log.end;
    const buffer = log.reserve(length);
    for (let i = 0; i < length; i++) buffer[log.offset + i] = (start + i) & 0xff;
  }
}

function assertCounts(log: WireLog, from: number, to: number): void {
  const bytes = concatBytes(log.views(from, to));
  assert.equal(bytes.byteLength, to - from);
  for (let i = 0; i < bytes.byteLength; i++) assert.equal(bytes[i], (from + i) & 0xff, `place ${from + i}`);
}

test("any part of it reads back, whatever the sizes of the pieces", () => {
  const lengths = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 70_000 })),
    {
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(lengths, fc.nat(), fc.nat(), (pieces, a, b) => {
      const log = new WireLog();
      fill(log, pieces);
      const [from, to] = [a % (log.end + 1), b % (log.end + 1)].toSorted((x, y) => x - y) as [
        number,
        number,
      ];
      assertCounts(log, from, to);
    }),
    { numRuns: 60, seed: 3 },
  );
});

test("a piece lies in one slab, also one that is longer than slabs are", () => {
  const log = new WireLog();
  fill(log, [30 * KIB, 10 * KIB, 3000 * KIB, 5]);
  assert.equal(log.views(30 * KIB, 40 * KIB).length, 1);
  assert.equal(log.views(40 * KIB, 3040 * KIB).length, 1);
  assertCounts(log, 0, log.end);
});

test("views of the same place are of the same memory", () => {
  const log = new WireLog();
  fill(log, [1000]);
  const [first] = log.views(0, 500);
  const [second] = log.views(100, 1000);
  assert.equal(first!.buffer, second!.buffer);
});

test("slabs follow the rate, within bounds, and are held only as far as they are needed", () => {
  const log = new WireLog();
  for (const [wanted, slab] of [
    [1, 32],
    [100 * KIB, 128],
    [1e9, 1024],
  ] as const) {
    log.clear();
    log.sizeSlabs(wanted);
    fill(log, [1]);
    assert.equal(log.heldBytes, slab * KIB);
  }
  log.sizeSlabs(1);
  log.clear();
  const start = log.end;
  for (let i = 0; i < 20; i++) {
    fill(log, [20 * KIB]);
    log.dropBefore(log.end - 30 * KIB);
    assert.ok(log.heldBytes <= 3 * 32 * KIB);
  }
  assert.equal(log.end - start, 400 * KIB);
  assertCounts(log, log.end - 30 * KIB, log.end);
});

test("room that is made between two flushes keeps the next one in one piece", () => {
  const log = new WireLog();
  log.sizeSlabs(128 * KIB);
  fill(log, [110 * KIB]);
  const from = log.end;
  log.makeRoom(25 * KIB);
  fill(log, [10 * KIB, 12 * KIB]);
  assert.equal(log.views(from, log.end).length, 1);
  assertCounts(log, 0, log.end);
});

test("room is not made for what would leave slabs half empty", () => {
  const log = new WireLog();
  log.sizeSlabs(128 * KIB);
  fill(log, [60 * KIB]);
  log.makeRoom(100 * KIB);
  assert.equal(log.heldBytes, 128 * KIB);
});

test("nothing is nothing", () => {
  const log = new WireLog();
  log.append(new Uint8Array(0));
  log.makeRoom(100);
  log.dropBefore(1000);
  assert.deepEqual([log.end, log.heldBytes, log.views(0, 0)], [0, 0, []]);
});
