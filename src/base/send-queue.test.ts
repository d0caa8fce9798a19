import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { SLICE_BYTES, SendQueue } from "./send-queue.ts";

const HIGH_WATER = 64 * 1024;

/** As a TCP socket does it: joins what it holds, and finishes an operation as a whole, when the test says so. */
class SlowSocket extends Writable {
  takenBytes = 0;
  readonly taken: Buffer[] = [];
  #finish: (() => void) | null = null;

  constructor(highWaterMark = HIGH_WATER) {
    super({ highWaterMark });
  }
  /** As Node counts: with what it holds. */
  get bytesWritten(): number {
    return this.takenBytes + this.writableLength;
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done);
  }
  override _writev(parts: { chunk: Buffer }[], done: () => void): void {
    this.#finish = () => {
      for (const { chunk } of parts) this.taken.push(chunk);
      this.takenBytes += parts.reduce((sum, { chunk }) => sum + chunk.byteLength, 0);
      done();
    };
  }
  /** The operation that runs finishes; `false` when none does. */
  async step(): Promise<boolean> {
    const finish = this.#finish;
    this.#finish = null;
    finish?.();
    await turn();
    return finish !== null;
  }
}

function open(maxBytes = 64 * 1024 * 1024): { socket: SlowSocket; queue: SendQueue } {
  const socket = new SlowSocket();
  const queue = new SendQueue(socket, maxBytes);
  socket.on("drain", () => queue.drained());
  return { socket, queue };
}

test("one big write moves on in small steps while it drains", async () => {
  const { socket, queue } = open();
  const bytes = new Uint8Array(4 * 1024 * 1024 + 5).map((_, index) => (index * 7) & 0xff);
  assert.equal(queue.write(bytes), true);
  assert.equal(queue.unsentBytes, bytes.byteLength);
  let before = 0;
  while (await socket.step()) {
    const step = queue.sentBytes - before;
    assert.ok(step > 0 && step <= HIGH_WATER + SLICE_BYTES, `${step}`);
    before = queue.sentBytes;
    assert.equal(queue.sentBytes + queue.unsentBytes, bytes.byteLength);
  }
  assert.equal(queue.unsentBytes, 0);
  assert.equal(Buffer.compare(Buffer.concat(socket.taken), bytes), 0);
});

test("a thousand writes that wait move on in small steps too", async () => {
  const { socket, queue } = open();
  for (let i = 0; i < 1000; i++) queue.write(new Uint8Array(5000));
  let steps = 0;
  while (await socket.step()) steps++;
  assert.ok(steps >= 5_000_000 / (HIGH_WATER + SLICE_BYTES), `${steps}`);
  assert.equal(queue.sentBytes, 5_000_000);
});

test("slices are views of what was written", async () => {
  const { socket, queue } = open();
  const bytes = new Uint8Array(3 * SLICE_BYTES);
  queue.write(bytes);
  while (await socket.step());
  for (const { buffer } of socket.taken) assert.equal(buffer, bytes.buffer);
});

test("the bytes come whole and in order, whatever the sizes of writes and the pauses between", async () => {
  const sizes = fc.array(fc.oneof(fc.nat(2000), fc.nat(4 * SLICE_BYTES)), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(3), async (lengths, stepsBetween) => {
      const { socket, queue } = open();
      const expected: Uint8Array[] = [];
      for (const [index, length] of lengths.entries()) {
        const bytes = new Uint8Array(length).fill(index + 1);
        expected.push(bytes);
        queue.write(bytes);
        for (let i = 0; i < stepsBetween; i++) await socket.step();
      }
      queue.end();
      while (await socket.step());
      assert.equal(Buffer.compare(Buffer.concat(socket.taken), Buffer.concat(expected)), 0);
      assert.equal(socket.writableFinished, true);
      assert.equal(queue.unsentBytes, 0);
    }),
    { numRuns: 60, seed: 5 },
  );
});

test("beyond its bound in bytes the queue takes nothing more, also not what would fit", () => {
  const { queue } = open(100_000);
  assert.equal(queue.write(new Uint8Array(100_000)), true);
  assert.equal(queue.isOverflowing, false);
  assert.equal(queue.write(new Uint8Array(1)), false);
  assert.equal(queue.isOverflowing, true);
  assert.equal(queue.write(new Uint8Array(0)), false);
  assert.equal(queue.unsentBytes, 100_000);
});

test("beyond its bound in writes the queue takes nothing more", () => {
  const { queue } = open();
  let taken = 0;
  while (taken < 200_000 && queue.write(new Uint8Array(2))) taken++;
  assert.equal(taken, HIGH_WATER / 2 + 65_536);
});

test("after discard and after the socket is gone nothing is kept", () => {
  const { socket, queue } = open();
  queue.write(new Uint8Array(SLICE_BYTES * 4));
  queue.discard();
  assert.ok(queue.unsentBytes <= HIGH_WATER + SLICE_BYTES);
  const held = queue.unsentBytes;
  socket.destroy();
  assert.equal(queue.write(new Uint8Array(10)), true);
  assert.ok(queue.unsentBytes <= held);
});

test("what fits a slice goes out as one write and waits for nothing", () => {
  const socket = new SlowSocket(SLICE_BYTES);
  const queue = new SendQueue(socket, 1_000_000);
  // 350 ms of 2.15 Mbit/s, as it leaves for a thousand viewers.
  queue.write(new Uint8Array(94_000));
  assert.equal(socket.writableNeedDrain, false);
  assert.equal(socket.writableLength, 94_000);
});
