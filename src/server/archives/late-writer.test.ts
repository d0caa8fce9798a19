import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { late } from "../../base/late/late.ts";
import { RecordedGroup } from "../../dvr/writer/recorded-group.ts";
import { LateWriter } from "./late-writer.ts";
import type { LoadedWriter } from "./late-writer.ts";

/** Groups that say whether they were let go of. */
class Counted extends RecordedGroup {
  releases = 0;

  override release(): void {
    this.releases++;
  }
}

/** Code that is loaded when the test says so. */
function setUp(): {
  readonly made: { written: RecordedGroup[]; closes: number }[];
  readonly writer: LateWriter<string>;
  readonly load: () => void;
  readonly fail: () => void;
} {
  const loading = Promise.withResolvers<string>();
  const made: { written: RecordedGroup[]; closes: number }[] = [];
  const make = (): LoadedWriter => {
    const one = { written: [] as RecordedGroup[], closes: 0 };
    made.push(one);
    return {
      write: (group) => void one.written.push(group),
      prepare: () => Promise.resolve(7),
      close: async () => {
        one.closes++;
        await Promise.resolve();
      },
    };
  };
  const writer = new LateWriter(
    late("the archive", () => loading.promise),
    make,
  );
  return {
    made,
    writer,
    load: () => loading.resolve("loaded"),
    fail: () => loading.reject(new Error("no such module")),
  };
}

describe("a writer whose code is loaded late", () => {
  test("gets what came meanwhile, in order, and then the rest at once", async () => {
    const { made, writer, load } = setUp();
    const groups = Array.from({ length: 4 }, () => new Counted());
    for (const group of groups.slice(0, 3)) writer.write(group);
    load();
    assert.equal(await writer.prepare(), 7);
    writer.write(groups[3]!);
    assert.equal(made.length, 1);
    assert.deepEqual(made[0]!.written, groups);
    await writer.close();
    assert.equal(made[0]!.closes, 1);
  });

  test("takes what came before it was closed, when the code is there", async () => {
    const { made, writer, load } = setUp();
    const group = new Counted();
    writer.write(group);
    const closing = writer.close();
    load();
    await closing;
    assert.deepEqual(made[0]!.written, [group]);
    assert.equal(made[0]!.closes, 1);
  });

  test("is not made at all when it was closed before, and leaves nothing behind", async () => {
    const { made, writer, load } = setUp();
    const preparing = writer.prepare();
    await writer.close();
    load();
    assert.equal(await preparing, null);
    const group = new Counted();
    writer.write(group);
    assert.deepEqual([made.length, group.releases], [0, 1]);
  });

  test("lets go of groups where the code cannot be loaded", async () => {
    const { writer, fail } = setUp();
    const group = new Counted();
    writer.write(group);
    fail();
    await writer.close();
    assert.equal(group.releases, 1);
  });

  test("has no more than a thousand groups wait", async () => {
    const { made, writer, load } = setUp();
    const groups = Array.from({ length: 1003 }, () => new Counted());
    for (const group of groups) writer.write(group);
    assert.deepEqual(
      groups.slice(999).map(({ releases }) => releases),
      [0, 1, 1, 1],
    );
    load();
    await writer.prepare();
    assert.equal(made[0]!.written.length, 1000);
    await writer.close();
  });
});
