import assert from "node:assert/strict";
import { test } from "node:test";
import { returnStartupMemory, SharedMemoryDebt } from "./garbage.ts";

test("shared memory is collected each time that enough of it may be garbage", () => {
  let collections = 0;
  const debt = new SharedMemoryDebt(() => collections++);
  for (let i = 0; i < 10; i++) debt.add(SharedMemoryDebt.MAX_BYTES / 4);
  assert.equal(collections, 2);
});

test("garbage of shared memory does not grow with what is made", async () => {
  const debt = new SharedMemoryDebt();
  const before = process.memoryUsage().rss;
  let kept: Uint8Array[] = [];
  for (let i = 0; i < 800; i++) {
    const segment = new Uint8Array(new SharedArrayBuffer(1024 * 1024)).fill(1);
    debt.add(segment.byteLength);
    kept = [...kept.slice(-7), segment];
    if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const grownMb = (process.memoryUsage().rss - before) / 1024 / 1024;
  assert.ok(kept.length === 8 && grownMb < 400, `${grownMb.toFixed(0)} MB for 8 MB in use`);
});

test("what starting has used is given back", () => {
  let garbage: number[][] | null = Array.from({ length: 200 }, () =>
    Array.from({ length: 10_000 }, (_, i) => i),
  );
  assert.ok(garbage.length > 0);
  const before = process.memoryUsage().heapUsed;
  garbage = null;
  returnStartupMemory();
  assert.ok(process.memoryUsage().heapUsed < before - 8 * 1024 * 1024);
});
