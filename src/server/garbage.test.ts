import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { letBusyHeapGrow, returnStartupMemory, SharedMemoryDebt } from "./garbage.ts";

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

const MIB = 1024 * 1024;

/** A heap whose use the test says. */
function heapOf(usedMib: number): {
  usedMib: number;
  flags: string[];
  usedBytes(): number;
  setFlag(flag: string): void;
} {
  return {
    usedMib,
    flags: [],
    usedBytes() {
      return this.usedMib * MIB;
    },
    setFlag(flag) {
      this.flags.push(flag);
    },
  };
}

test("a heap may grow further from the moment on at which it is that of a busy server", () => {
  const clock = new FakeClock();
  const heap = heapOf(20);
  letBusyHeapGrow(clock, 2048 * MIB, heap);
  clock.advance(60_000);
  assert.deepEqual(heap.flags, [], "an idle one stays small");
  heap.usedMib = 40;
  clock.advance(60_000);
  assert.deepEqual(heap.flags, ["--heap-growing-percent=100"], "it is said once");
});

test("where there is little memory V8 decides how far a heap grows", () => {
  const clock = new FakeClock();
  const heap = heapOf(40);
  letBusyHeapGrow(clock, 512 * MIB, heap);
  clock.advance(60_000);
  assert.deepEqual(heap.flags, []);
});
