import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SlabAllocator } from "./slab-allocator.ts";
import type { Slab } from "./slab-allocator.ts";

type Held = { readonly bytes: Uint8Array; readonly slab: Slab | null; readonly fill: number };

function take(memory: SlabAllocator, lengthBytes: number, fill = 0): Held {
  const bytes = memory.allocate(lengthBytes);
  const slab = memory.lastSlab;
  slab?.retain();
  bytes.fill(fill);
  return { bytes, slab, fill };
}

test("what is held keeps its bytes whatever else is taken and released", () => {
  const steps = fc.array(fc.record({ lengthBytes: fc.nat(3000), release: fc.nat(40) }), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const memory = new SlabAllocator();
      let held: Held[] = [];
      for (const [index, { lengthBytes, release }] of list.entries()) {
        const next = take(memory, lengthBytes, index & 0xff);
        assert.equal(next.bytes.byteLength, lengthBytes);
        held.push(next);
        if (release > 20) {
          for (const { slab } of held.slice(0, release - 20)) slab?.release();
          held = held.slice(release - 20);
        }
        for (const { bytes, fill } of held) assert.ok(bytes.every((byte) => byte === fill));
      }
    }),
    { seed: 5, numRuns: 60 },
  );
});

/** A stream of frames of one size of which the last so many are held. */
function stream(
  memory: SlabAllocator,
  frames: number,
  frameBytes: number,
  keep = 100,
): Set<ArrayBufferLike> {
  const memories = new Set<ArrayBufferLike>();
  const held: Held[] = [];
  for (let i = 0; i < frames; i++) {
    held.push(take(memory, frameBytes));
    memories.add(held.at(-1)!.bytes.buffer);
    if (held.length > keep) held.shift()!.slab?.release();
  }
  return memories;
}

test("a steady stream goes round in the same few slabs", () => {
  const memory = new SlabAllocator();
  stream(memory, 500, 1000);
  const memories = stream(memory, 100_000, 1000);
  assert.ok(memories.size < 16, `${memories.size} slabs`);
});

test("slabs follow the bit rate, so that a slow stream holds little", () => {
  for (const [frameBytes, mostBytes] of [
    [100, 8 * 1024],
    [4000, 256 * 1024],
    [60_000, 1024 * 1024],
  ] as const) {
    const memory = new SlabAllocator();
    stream(memory, 200, frameBytes);
    const { byteLength } = memory.allocate(frameBytes).buffer;
    assert.ok(byteLength <= mostBytes && byteLength >= frameBytes, `${byteLength} for ${frameBytes}`);
  }
});

test("what is long beside a slab has one of its own, little longer, which is used again", () => {
  const memory = new SlabAllocator();
  const first = take(memory, 60_000, 1);
  assert.ok(first.bytes.buffer.byteLength <= 75_000, `${first.bytes.buffer.byteLength}`);
  const second = take(memory, 61_000, 2);
  assert.notEqual(second.bytes.buffer, first.bytes.buffer);
  first.slab!.release();
  assert.equal(take(memory, 62_000).bytes.buffer, first.bytes.buffer);
  assert.ok(second.bytes.every((byte) => byte === 2));
});

test("a slab of its own that nobody retained is used again at the next call, not before", () => {
  const memory = new SlabAllocator();
  const { buffer } = memory.allocate(60_000);
  assert.equal(memory.freeBytes, 0);
  assert.equal(memory.allocate(60_000).buffer, buffer);
});

test("sound fits into what pictures leave of a slab", () => {
  const memory = new SlabAllocator();
  const memories = new Set<ArrayBufferLike>();
  let lengthBytes = 0;
  for (let i = 0; i < 1000; i++) {
    const bytes = [i % 2 === 0 ? 9000 + (i % 13) * 500 : 0, 400, 400];
    for (const count of bytes.filter((each) => each > 0)) {
      memories.add(take(memory, count).bytes.buffer);
      lengthBytes += count;
    }
  }
  const takenBytes = [...memories].reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.ok(takenBytes < lengthBytes * 1.06, `${takenBytes} for ${lengthBytes}`);
});

test("long pieces that are not needed for a while are given up", () => {
  const memory = new SlabAllocator();
  const held = Array.from({ length: 20 }, () => take(memory, 200_000));
  for (const { slab } of held) slab?.release();
  assert.ok(memory.freeBytes > 3_000_000);
  for (let i = 0; i < 1100; i++) take(memory, 1000).slab?.release();
  assert.ok(memory.freeBytes < 100_000, `${memory.freeBytes}`);
});

test("a slab that was abandoned is not used again", () => {
  const memory = new SlabAllocator();
  const seen = take(memory, 1000, 7);
  seen.slab!.abandon();
  seen.slab!.release();
  const memories = stream(memory, 1000, 200);
  memories.delete(seen.bytes.buffer);
  assert.ok(seen.bytes.every((byte) => byte === 7));
});

test("a slab that somebody never releases is never used again", () => {
  const memory = new SlabAllocator();
  const kept = take(memory, 1000, 7);
  stream(memory, 10_000, 200);
  assert.ok(kept.bytes.every((byte) => byte === 7));
});

test("free slabs that are not needed for a while are given up", () => {
  const memory = new SlabAllocator();
  stream(memory, 500, 1000);
  const held = Array.from({ length: 1000 }, () => take(memory, 1000));
  for (const { slab } of held) slab?.release();
  assert.ok(memory.freeBytes > 500_000);
  stream(memory, 10_000, 1000);
  assert.ok(memory.freeBytes < 200_000, `${memory.freeBytes}`);
});

test("another bit rate gives up the slabs of the old size", () => {
  const memory = new SlabAllocator();
  stream(memory, 1000, 8000);
  stream(memory, 1000, 100);
  assert.ok(memory.freeBytes < 64 * 1024, `${memory.freeBytes}`);
});
