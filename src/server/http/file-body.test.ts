import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FileBody, PIECE_BYTES } from "./file-body.ts";
import type { FileEnd } from "./file-body.ts";

const SIZE = PIECE_BYTES * 3 + 7;

/** A file whose bytes say where they are, on its way to a client that takes pieces when it is told to. */
class Bench {
  readonly clock = new FakeClock();
  readonly reads: [offset: number, maxBytes: number][] = [];
  readonly pieces: Uint8Array[] = [];
  readonly body: FileBody;
  take: (() => void) | null = null;
  isDestroyed = false;
  sizeOnDisk = SIZE;
  failure: Error | null = null;
  revoke: (() => void) | null = null;

  constructor(range = { start: 0, end: SIZE }) {
    const file = {
      sizeBytes: SIZE,
      onRevoked: (run: () => void) => {
        this.revoke = run;
        return () => void (this.revoke = null);
      },
      read: async (offset: number, maxBytes: number): Promise<Uint8Array> => {
        this.reads.push([offset, maxBytes]);
        await Promise.resolve();
        if (this.failure !== null) throw this.failure;
        const length = Math.max(0, Math.min(maxBytes, this.sizeOnDisk - offset));
        return new Uint8Array(length).fill(offset % 251);
      },
    };
    const write = (piece: Uint8Array, onTaken: () => void): void => {
      this.pieces.push(piece);
      this.take = onTaken;
    };
    this.body = new FileBody(file, range, { write, destroy: () => (this.isDestroyed = true) }, this.clock);
  }

  /** Takes what is offered until the body ends. */
  async takeAll(run: Promise<FileEnd>): Promise<FileEnd> {
    const ends: FileEnd[] = [];
    void run.then((how) => ends.push(how));
    while (ends.length === 0) {
      await this.clock.advanceSettling(1);
      this.take?.();
    }
    return ends[0]!;
  }
}

test("a file goes out in pieces, each when the one before has left", async () => {
  const bench = new Bench();
  const run = bench.body.run();
  await bench.clock.advanceSettling(1000);
  assert.deepEqual([bench.reads.length, bench.pieces.length], [1, 1], "the client has taken nothing yet");
  assert.equal(await bench.takeAll(run), "sent");
  assert.deepEqual(
    bench.reads,
    [0, 1, 2, 3].map((piece) => [piece * PIECE_BYTES, piece === 3 ? 7 : PIECE_BYTES]),
  );
  assert.equal(
    bench.pieces.reduce((sum, { byteLength }) => sum + byteLength, 0),
    SIZE,
  );
  assert.deepEqual([bench.clock.pendingTimers, bench.isDestroyed], [0, false]);
});

test("a part of it is no more than that part", async () => {
  const bench = new Bench({ start: 5, end: PIECE_BYTES + 6 });
  assert.equal(await bench.takeAll(bench.body.run()), "sent");
  assert.deepEqual(bench.reads, [
    [5, PIECE_BYTES],
    [5 + PIECE_BYTES, 1],
  ]);
});

test("nothing is read for a client that has left", async () => {
  const bench = new Bench();
  const run = bench.body.run();
  await bench.clock.advanceSettling(10);
  bench.body.left();
  assert.equal(await run, "left");
  assert.deepEqual([bench.reads.length, bench.clock.pendingTimers], [1, 0]);
});

test("a client that takes nothing for a minute is cut off", async () => {
  const bench = new Bench();
  const run = bench.body.run();
  await bench.clock.advanceSettling(59_000);
  assert.equal(bench.isDestroyed, false);
  await bench.clock.advanceSettling(2000);
  assert.deepEqual([await run, bench.isDestroyed], ["left", true]);
});

test("a file that became shorter, or cannot be read, ends the connection in the middle", async () => {
  const short = new Bench();
  short.sizeOnDisk = PIECE_BYTES;
  const end = await short.takeAll(short.body.run());
  assert.ok(typeof end === "object" && String(end.failure).includes("ended before its size"));
  assert.equal(short.isDestroyed, true);
  const broken = new Bench();
  broken.failure = new Error("EIO");
  assert.deepEqual(await broken.body.run(), { failure: broken.failure });
  assert.equal(broken.isDestroyed, true);
});

test("a file that is taken away ends the connection at once, also where the client takes nothing", async () => {
  const bench = new Bench();
  const run = bench.body.run();
  await bench.clock.advanceSettling(1000);
  bench.revoke!();
  assert.ok(bench.isDestroyed);
  assert.equal(await run, "left");
  assert.equal(bench.revoke, null, "nothing of it stays behind");
  assert.equal(bench.clock.pendingTimers, 0);
});
