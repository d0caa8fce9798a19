import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import type { ByteSource } from "./byte-source.ts";
import { JoinedSource } from "./joined-source.ts";
import { partOfTargets, readScattered, roomOf } from "./scattered-read.ts";
import { DiskStorage } from "./storages/disk-storage.ts";

const BYTES = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 13 + (i >> 7)) & 0xff);
const folder = mkdtempSync(join(tmpdir(), "weir-scattered-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const storage = new DiskStorage(folder, new FakeClock());

async function onDisk(name: string): Promise<ByteSource> {
  writeFileSync(join(folder, name), BYTES);
  return (await storage.open(name))!;
}

const sources: readonly { name: string; open: () => Promise<ByteSource> }[] = [
  { name: "a source that only reads", open: () => Promise.resolve(new MemorySource(BYTES)) },
  { name: "a file", open: () => onDisk("one.mp4") },
  {
    name: "several files as one",
    open: async () => {
      const rest = new MemorySource(BYTES.subarray(20_000));
      writeFileSync(join(folder, "begin.mp4"), BYTES.subarray(0, 20_000));
      return new JoinedSource("both", [(await storage.open("begin.mp4"))!, rest]);
    },
  },
];

/** Targets of these lengths, full of a byte that the reads do not bring by chance. */
function targetsOf(lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length) => new Uint8Array(length).fill(0xee));
}

describe("bytes are read into places anywhere in memory, from", () => {
  for (const { name, open } of sources) {
    const cases: readonly { what: string; offset: number; lengths: readonly number[] }[] = [
      { what: "one place", offset: 0, lengths: [BYTES.byteLength] },
      { what: "several, over the border of two files", offset: 19_000, lengths: [500, 0, 600, 3000, 1] },
      { what: "more than the system takes at one go", offset: 7, lengths: Array(2500).fill(9) },
      { what: "none", offset: 3, lengths: [] },
    ];
    for (const { what, offset, lengths } of cases) {
      test(`${name}: ${what}`, async () => {
        const source = await open();
        const targets = targetsOf(lengths);
        const room = roomOf(targets);
        assert.equal(await readScattered(source, offset, targets), room);
        assert.deepEqual(Buffer.concat(targets), Buffer.from(BYTES.subarray(offset, offset + room)));
        source.release();
      });
    }

    test(`${name}: no more than there is, at every place where it may end`, async () => {
      const source = await open();
      for (let over = 0; over < 40; over++) {
        const targets = targetsOf([10, 1, 9, 0, 30]);
        const offset = BYTES.byteLength - 50 + over;
        assert.equal(await readScattered(source, offset, targets), 50 - over);
        const expected = Buffer.alloc(50, 0xee);
        expected.set(BYTES.subarray(offset));
        assert.deepEqual(Buffer.concat(targets), expected);
      }
      assert.equal(await readScattered(source, BYTES.byteLength, targetsOf([5])), 0);
      source.release();
    });
  }

  test("a file that has become shorter: what is left of it", async () => {
    const source = await onDisk("short.mp4");
    truncateSync(join(folder, "short.mp4"), 1000);
    assert.equal(await source.readInto!(900, targetsOf([60, 60])), 100);
    assert.equal((await source.read(900, 500)).byteLength, 100);
    source.release();
  });

  test("several files of which the first has become shorter: nothing of the second in its place", async () => {
    const short = new MemorySource(BYTES.subarray(0, 100), { sizeBytes: 200 });
    const joined = new JoinedSource("both", [short, new MemorySource(BYTES)]);
    const targets = targetsOf([150, 150]);
    assert.equal(await joined.readInto(0, targets), 100);
    assert.ok(Buffer.concat(targets.slice(1)).every((byte) => byte === 0xee));
  });
});

test("a part of targets is what lies between two places of them", () => {
  const targets = [
    new Uint8Array([0, 1, 2]),
    new Uint8Array([]),
    new Uint8Array([3]),
    new Uint8Array([4, 5]),
  ];
  for (let from = 0; from <= 6; from++) {
    for (let to = from; to <= 6; to++) {
      const part = partOfTargets(targets, from, to);
      assert.deepEqual([...Buffer.concat(part)], [0, 1, 2, 3, 4, 5].slice(from, to));
      assert.ok(part.every(({ byteLength }) => byteLength > 0));
    }
  }
});
