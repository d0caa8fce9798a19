import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { Mp4Exports } from "./mp4-exports.ts";
import type { ExportAddress } from "./mp4-exports.ts";

const MIB = 1024 * 1024;

/** Counts how often something is planned. */
class Bench {
  readonly clock = new FakeClock(1_700_000_000_000_000);
  readonly exports = new Mp4Exports(this.clock);
  readonly planned: string[] = [];
  gate: Promise<void> = Promise.resolve();

  async ask(
    range: string,
    { isOver = true, folder = "/dvr/cam", memoryBytes = 100 } = {},
  ): Promise<string> {
    const address: ExportAddress = { folder, range, isOver };
    const { version } = await this.exports.of(address, async () => {
      this.planned.push(range);
      const turn = String(this.planned.length);
      await this.gate;
      return {
        version: turn,
        memoryBytes,
        file: { sizeBytes: 0, read: () => assert.fail("nobody reads") },
      };
    });
    return version;
  }
}

describe("the file of a range", () => {
  test("is planned once for all who ask for parts of it, and anew when it may have changed", async () => {
    const bench = new Bench();
    const all = await Promise.all([bench.ask("a"), bench.ask("a"), bench.ask("b")]);
    assert.deepEqual(all, ["1", "1", "2"]);
    bench.clock.advance(29_000);
    assert.equal(await bench.ask("a"), "1");
    bench.clock.advance(1000);
    assert.equal(await bench.ask("a"), "3");
  });

  test("that may still grow is looked at again each second", async () => {
    const bench = new Bench();
    const growing = { isOver: false };
    assert.deepEqual([await bench.ask("a", growing), await bench.ask("a", growing)], ["1", "1"]);
    bench.clock.advance(1000);
    assert.equal(await bench.ask("a", growing), "2");
  });

  test("is another one when something of the stream was deleted, also while it was planned", async () => {
    const bench = new Bench();
    await bench.ask("a");
    await bench.ask("a", { folder: "/dvr/cam2" });
    bench.exports.forget("/dvr/cam");
    assert.equal(await bench.ask("a"), "3");
    assert.equal(await bench.ask("a", { folder: "/dvr/cam2" }), "2");
    const { promise, resolve } = Promise.withResolvers<void>();
    bench.gate = promise;
    const before = bench.ask("b");
    bench.exports.forget("/dvr/cam");
    const after = bench.ask("b");
    resolve();
    assert.deepEqual([await before, await after, await bench.ask("b")], ["4", "5", "5"]);
  });

  test("that cannot be planned is tried again by the next one who asks", async () => {
    const bench = new Bench();
    bench.gate = Promise.reject(new RangeError("the disk"));
    await assert.rejects(bench.ask("a"), /the disk/);
    bench.gate = Promise.resolve();
    assert.equal(await bench.ask("a"), "2");
  });
});

test("plans are kept within their bound, those that were not used for longest go first", async () => {
  const bench = new Bench();
  for (let i = 0; i < 40; i++) await bench.ask(String(i), { memoryBytes: MIB });
  assert.ok(bench.exports.bytes <= 16 * MIB, String(bench.exports.bytes));
  assert.equal(await bench.ask("39", { memoryBytes: MIB }), "40");
  assert.equal(await bench.ask("0", { memoryBytes: MIB }), "41");
  // One that is over it alone is made for each who asks.
  await bench.ask("huge", { memoryBytes: 17 * MIB });
  assert.equal(await bench.ask("huge", { memoryBytes: 17 * MIB }), "43");
});
