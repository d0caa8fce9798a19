import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { MemoryFiles, systemCodeOf } from "../../../test/support/archive-files.ts";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import type { SegmentPlan } from "../../../test/support/archive-hour.ts";
import { concatBytes } from "../../base/bytes.ts";
import { indexFile, mediaFile } from "./hour.ts";
import { HourIndex, MAX_HOUR_RECORDS } from "./hour-index.ts";
import { INDEX_HEADER_BYTES, buildIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "./index-record.ts";
import { recoverHour } from "./recover.ts";
import type { RecoveredHour } from "./recover.ts";

const FOLDER = "/archive/cam/one";
const HOUR = 496_640;
const INDEX = `${FOLDER}/${indexFile(HOUR)}`;
const mediaPath = (file: number): string => `${FOLDER}/${mediaFile(HOUR, file)}`;

/** Recovers, and closes what was opened. */
async function recover(files: MemoryFiles): Promise<RecoveredHour> {
  const recovered = await recoverHour(files, FOLDER, HOUR);
  assert.equal(files.openFiles, 0);
  return recovered;
}

/** The files of an hour, put together once: tests that cut at every byte ask for them thousands of times. */
function wholeFiles(hour: ArchiveHour): ReadonlyMap<string, Buffer> {
  const made = wholes.get(hour);
  if (made !== undefined) return made;
  const files = new Map(
    Object.entries(hour.files(FOLDER)).map(([path, bytes]) => [path, Buffer.from(bytes)]),
  );
  wholes.set(hour, files);
  return files;
}
const wholes = new WeakMap<ArchiveHour, ReadonlyMap<string, Buffer>>();

/** Checks that the first `groups` groups are left, that readers take them whole, and that a second time nothing is cut. */
async function expectLeft(
  files: MemoryFiles,
  hour: ArchiveHour,
  groups: number,
  hint: string,
): Promise<RecoveredHour> {
  const recovered = await recover(files);
  const { indexBytes, mediaBytes } = hour.groups[groups]!;
  assert.equal(recovered.indexBytes, indexBytes, hint);
  expectBeginning(files, hour, INDEX, indexBytes, hint);
  for (const [file, bytes] of recovered.mediaBytes) {
    assert.equal(bytes, mediaBytes[file] ?? 0, hint);
    expectBeginning(files, hour, mediaPath(file), bytes, hint);
  }
  assert.equal(recovered.mediaBytes.size, files.contents.size - 1, hint);
  const index = HourIndex.parse(files.contents.get(INDEX)!);
  assert.equal(index.readBytes, indexBytes, hint);
  assert.ok(index.stop === null && index.ignoredRecords === 0, hint);
  files.changes.length = 0;
  const again = await recover(files);
  assert.equal(files.changes.length, 0, hint);
  assert.deepEqual(again, { ...recovered, cutIndexBytes: 0, cutMediaBytes: 0 }, hint);
  return recovered;
}

/** A file is so long, and what it was made with up to there. */
function expectBeginning(
  files: MemoryFiles,
  hour: ArchiveHour,
  path: string,
  bytes: number,
  hint: string,
): void {
  const whole = wholeFiles(hour).get(path)!;
  assert.ok(whole.subarray(0, bytes).equals(files.contents.get(path)!), `${hint}: ${path}`);
}

const filesOf = (hour: ArchiveHour): MemoryFiles => new MemoryFiles(Object.fromEntries(wholeFiles(hour)));

/** Cuts a file, or makes it as long with zeros where `zeros` says so. */
function cut(files: MemoryFiles, path: string, at: number, zeros = 0): void {
  const bytes = files.contents.get(path)!;
  files.contents.set(path, concatBytes([bytes.subarray(0, at), new Uint8Array(zeros)]));
}

/** How many groups are whole within so many bytes of the index and of each media file. */
function wholeGroups(hour: ArchiveHour, indexBytes: number, mediaBytes: readonly number[]): number {
  return hour.groups.findLastIndex(
    (group) =>
      group.indexBytes <= indexBytes &&
      group.mediaBytes.every((bytes, file) => bytes <= (mediaBytes[file] ?? 0)),
  );
}

/** How many bytes two files have in common from their beginnings on. */
function agreed(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.byteLength && at < b.byteLength && a[at] === b[at]) at++;
  return at;
}

/** Writes an hour as a recorder does, media first, until the disk is full. Returns: how many groups were appended. */
async function recordAll(hour: ArchiveHour, files: MemoryFiles): Promise<number> {
  let before: { indexBytes: number; mediaBytes: readonly number[] } = { indexBytes: 0, mediaBytes: [] };
  let appended = -1;
  for (const group of hour.groups) {
    try {
      for (const [file, bytes] of group.mediaBytes.entries()) {
        const fresh = wholeFiles(hour)
          .get(mediaPath(file))!
          .subarray(before.mediaBytes[file] ?? 0, bytes);
        if (fresh.byteLength > 0) await append(files, mediaPath(file), fresh);
      }
      await append(
        files,
        INDEX,
        wholeFiles(hour).get(INDEX)!.subarray(before.indexBytes, group.indexBytes),
      );
    } catch (caught) {
      assert.equal(systemCodeOf(caught), "ENOSPC");
      return appended;
    }
    before = group;
    appended++;
  }
  return appended;
}

async function append(files: MemoryFiles, path: string, bytes: Uint8Array): Promise<void> {
  const file = await files.create(path);
  try {
    await file.append([bytes]);
  } finally {
    await file.close();
  }
}

const sample = (): ArchiveHour =>
  new ArchiveHour(HOUR)
    .segment({ sampleBytes: 1 })
    .segment({ durationUs: 6_000_000, groups: 3, end: "apart", leadUs: 80_000, sampleBytes: 2 })
    .clockStep(500_000)
    .newFile()
    .segment({ discontinuity: true, groups: 2, end: "apart", sampleBytes: 3 });

describe("an hour that is whole", () => {
  test("is left as it is", async () => {
    const hour = sample();
    const files = filesOf(hour);
    const recovered = await expectLeft(files, hour, hour.groups.length - 1, "whole");
    assert.deepEqual([recovered.cutIndexBytes, recovered.cutMediaBytes], [0, 0]);
    assert.deepEqual(recovered.lastEnd, hour.records.at(-1));
    assert.equal(recovered.isEndMissing, false);
    assert.equal(recovered.hour, HOUR);
  });

  test("is judged by the end of its index, and by few looks at its media", async () => {
    const hour = new ArchiveHour(HOUR);
    for (let i = 0; i < 1700; i++) hour.segment({ sampleBytes: 1 });
    const files = filesOf(hour);
    await recover(files);
    assert.deepEqual(files.changes, []);
    const reads = files.looks.filter((look) => look.startsWith("read"));
    // Of the last five seconds every chunk: three segments of two tracks, the newest first.
    const headers = [-3, -6, -9]
      .flatMap((at) => hour.records.slice(at, at + 2))
      .map(({ headerBytes }) => headerBytes);
    assert.deepEqual(reads, [
      `read ${INDEX} 64`,
      `read ${INDEX} ${64 * 1024}`,
      ...headers.map((bytes) => `read ${mediaPath(0)} ${bytes}`),
    ]);
    assert.equal(files.looks.length, reads.length + 5, files.looks.join("\n"));
  });

  test("that has no files at all is one to begin with", async () => {
    const files = new MemoryFiles();
    const recovered = await recover(files);
    const nothing = { indexBytes: 0, mediaBytes: new Map(), cutIndexBytes: 0, cutMediaBytes: 0 };
    assert.deepEqual(recovered, { hour: HOUR, ...nothing, lastEnd: null, isEndMissing: false });
    assert.deepEqual(files.changes, []);
  });

  test("does not have the files of other hours touched, nor strangers", async () => {
    const hour = new ArchiveHour(HOUR).segment();
    const names = ["07.mp4", "09.mp4", "07.idx", "08.copied", "08.mp4.part", "08.0.mp4", "notes.txt"];
    assert.equal(indexFile(HOUR).slice(-6), "08.idx");
    const day = INDEX.slice(0, -7);
    const others = Object.fromEntries(names.map((name) => [`${day}/${name}`, new Uint8Array(99)]));
    const files = new MemoryFiles({ ...hour.files(FOLDER), ...others });
    cut(files, INDEX, hour.index.byteLength - 1);
    await recover(files);
    for (const path of Object.keys(others)) assert.equal(files.contents.get(path)!.byteLength, 99, path);
    assert.deepEqual(files.changes, [`truncate ${INDEX} 64`, `truncate ${mediaPath(0)} 0`]);
  });
});

describe("an hour that was torn", () => {
  const hour = sample();
  const [index, media] = [hour.index, hour.media];
  const sizes = media.map((bytes) => bytes.byteLength);
  const all = hour.groups.length - 1;

  test("at any byte of its index keeps the groups in front of it", async () => {
    for (let at = INDEX_HEADER_BYTES; at < index.byteLength; at++) {
      const files = filesOf(hour);
      cut(files, INDEX, at);
      await expectLeft(files, hour, wholeGroups(hour, at, sizes), `index cut at ${at}`);
    }
  });

  test("at any byte of its index, with zeros or noise behind it, keeps the same", async () => {
    const noise = new Uint8Array(200).map((_, i) => (i * 7919) >>> 3);
    for (let at = INDEX_HEADER_BYTES; at < index.byteLength; at += 7) {
      for (const tail of [new Uint8Array(4096 - (at % 64)), noise]) {
        const files = filesOf(hour);
        const torn = concatBytes([index.subarray(0, at), tail]);
        files.contents.set(INDEX, torn);
        // The tail may begin as what was torn off did.
        await expectLeft(files, hour, wholeGroups(hour, agreed(torn, index), sizes), `torn at ${at}`);
      }
    }
  });

  for (const file of [0, 1]) {
    test(`at any byte of media file ${file} keeps the groups that have all of theirs`, async () => {
      const firstChunk = hour.records.find((record) => record.offset > 0 && record.file === file)!.offset;
      for (let at = 0; at < sizes[file]!; at += at < firstChunk - 99 ? 99 : 1) {
        const files = filesOf(hour);
        cut(files, mediaPath(file), at);
        const groups = wholeGroups(hour, index.byteLength, sizes.with(file, at));
        await expectLeft(files, hour, groups, `file ${file} cut at ${at}`);
      }
    });

    test(`by the loss of media file ${file} keeps the groups in front of it`, async () => {
      const files = filesOf(hour);
      files.contents.delete(mediaPath(file));
      await expectLeft(files, hour, wholeGroups(hour, index.byteLength, sizes.with(file, 0)), "lost");
    });
  }

  test("with media that was made longer and never filled keeps what has a header", async () => {
    const last = media[1]!;
    const chunks = hour.records.filter(({ kind, file }) => kind === RECORD_KIND.chunk && file === 1);
    for (const [number, chunk] of chunks.entries()) {
      for (const at of [chunk.offset, chunk.offset + 7, chunk.offset + chunk.headerBytes - 1]) {
        const files = filesOf(hour);
        cut(files, mediaPath(1), at, last.byteLength - at);
        // Two chunks a group.
        const lost = 2 - Math.floor(number / 2);
        await expectLeft(files, hour, all - 1 - lost, `zeros from ${at} on`);
      }
    }
  });

  test("with more media than records has it cut off, in each file", async () => {
    for (const file of [0, 1]) {
      for (const more of [1, 7, 8, 9, 500, 70_000]) {
        const files = filesOf(hour);
        files.contents.set(mediaPath(file), concatBytes([media[file]!, new Uint8Array(more).fill(1)]));
        const recovered = await expectLeft(files, hour, all, `${more} bytes more`);
        assert.equal(recovered.cutMediaBytes, more);
        assert.equal(recovered.cutIndexBytes, 0);
      }
    }
  });

  test("in front of the first record of its newest media file has that file to begin with", async () => {
    const files = filesOf(hour);
    files.contents.set(mediaPath(2), media[0]!.slice(0, 700));
    const recovered = await recover(files);
    assert.deepEqual(
      recovered.mediaBytes,
      new Map([
        [0, sizes[0]],
        [1, sizes[1]],
        [2, 0],
      ]),
    );
    assert.equal(recovered.cutMediaBytes, 700);
    assert.deepEqual(files.changes, [`truncate ${mediaPath(2)} 0`]);
  });

  test("in its index's header is to be begun", async () => {
    for (let at = 0; at < INDEX_HEADER_BYTES; at++) {
      const files = filesOf(hour);
      cut(files, INDEX, at);
      const recovered = await recover(files);
      assert.equal(recovered.indexBytes, 0);
      assert.deepEqual(
        recovered.mediaBytes,
        new Map([
          [0, 0],
          [1, 0],
        ]),
      );
      assert.equal(recovered.cutIndexBytes, at);
      assert.equal(recovered.lastEnd, null);
      assert.equal(files.contents.get(INDEX)!.byteLength, 0);
      files.changes.length = 0;
      await recover(files);
      assert.deepEqual(files.changes, []);
    }
  });

  test("so that its index is all zeros is to be begun", async () => {
    for (const bytes of [64, 65, 128, 70_000]) {
      const files = filesOf(hour);
      files.contents.set(INDEX, new Uint8Array(bytes));
      const recovered = await recover(files);
      assert.deepEqual([recovered.indexBytes, recovered.cutIndexBytes], [0, bytes]);
      assert.deepEqual(
        recovered.mediaBytes,
        new Map([
          [0, 0],
          [1, 0],
        ]),
      );
    }
  });

  test("so that its index is gone is to be begun", async () => {
    const files = filesOf(hour);
    files.contents.delete(INDEX);
    const recovered = await recover(files);
    assert.equal(recovered.indexBytes, 0);
    assert.deepEqual(
      recovered.mediaBytes,
      new Map([
        [0, 0],
        [1, 0],
      ]),
    );
    assert.equal(files.contents.has(INDEX), false);
  });

  test("in the middle of what never reached the disk keeps what is in front of it, though good records follow", async () => {
    const long = new ArchiveHour(HOUR);
    for (let i = 0; i < 900; i++) long.segment({ sampleBytes: 1, groups: 1 + (i % 2) });
    const count = long.records.length;
    for (const back of [1, 2, 300, 1023, 1024, 1025]) {
      const files = filesOf(long);
      const bytes = long.index;
      const at = INDEX_HEADER_BYTES + (count - back) * INDEX_RECORD_BYTES;
      bytes.fill(0, at, at + 32);
      files.contents.set(INDEX, bytes);
      const recovered = await recover(files);
      const groups = wholeGroups(long, at, [Infinity]);
      // What is farther from the end than all that can be on its way is not looked at: 64 KiB.
      const expected = back <= 1024 ? long.groups[groups]!.indexBytes : bytes.byteLength;
      assert.equal(recovered.indexBytes, expected, `${back} records from the end`);
    }
  });

  test("with more noise at its end than is read at first keeps the groups in front of it", async () => {
    for (const more of [64 * 1024, 64 * 1024 + 64, 200_001]) {
      const files = filesOf(hour);
      files.contents.set(INDEX, concatBytes([index, new Uint8Array(more).fill(0xee)]));
      await expectLeft(files, hour, all, `${more} bytes of noise`);
    }
  });

  test("where one group is longer than what is read at first keeps the groups in front of it, or all of it", async () => {
    const long = new ArchiveHour(HOUR).segment();
    const [, chunk] = long.records;
    long.append(Array.from({ length: 3000 }, () => ({ ...chunk!, flags: RECORD_FLAG.sync })));
    const files = filesOf(long);
    assert.equal((await recover(files)).indexBytes, long.index.byteLength);
    cut(files, INDEX, long.index.byteLength - 1);
    assert.equal((await recover(files)).indexBytes, long.groups[1]!.indexBytes);
  });

  test("at random is the longest beginning that is whole in all its files", async () => {
    const plan: fc.Arbitrary<SegmentPlan & { newFile: boolean; step: boolean }> = fc.record({
      groups: fc.integer({ min: 1, max: 3 }),
      end: fc.constantFrom("last", "apart"),
      discontinuity: fc.boolean(),
      leadUs: fc.constantFrom(0, 80_000),
      sampleBytes: fc.integer({ min: 0, max: 40 }),
      newFile: fc.boolean(),
      step: fc.boolean(),
    });
    const hours = fc.array(plan, { minLength: 1, maxLength: 8 }).map((segments) => {
      const made = new ArchiveHour(HOUR);
      for (const { newFile, step, ...segment } of segments) {
        made.segment(segment);
        if (step) made.clockStep(7);
        if (newFile) made.newFile();
      }
      return made;
    });
    // Cuts as fractions, mostly near the end, where crashes are.
    const fraction = fc.double({ min: 0, max: 1, noNaN: true }).map((x) => 1 - x ** 3);
    const cuts = fc.record({ index: fraction, media: fc.array(fraction, { minLength: 9, maxLength: 9 }) });
    await fc.assert(
      fc.asyncProperty(hours, cuts, async (made, fractions) => {
        const files = filesOf(made);
        const room = made.index.byteLength - INDEX_HEADER_BYTES;
        const indexBytes = INDEX_HEADER_BYTES + Math.round(room * fractions.index);
        cut(files, INDEX, indexBytes);
        const mediaBytes = made.media.map((bytes, file) =>
          Math.round(bytes.byteLength * fractions.media[file]!),
        );
        for (const [file, bytes] of mediaBytes.entries()) cut(files, mediaPath(file), bytes);
        await expectLeft(files, made, wholeGroups(made, indexBytes, mediaBytes), "at random");
      }),
      { numRuns: 300 },
    );
  });
});

describe("an index that is none is not touched", () => {
  const hour = sample();
  const refuse = async (index: Uint8Array, expected: { code: string; message?: RegExp }): Promise<void> => {
    const files = filesOf(hour);
    files.contents.set(INDEX, index);
    await assert.rejects(recoverHour(files, FOLDER, HOUR), expected);
    assert.deepEqual(files.changes, []);
    assert.equal(files.openFiles, 0);
  };

  test("when its header is damaged", async () => {
    for (const at of [0, 9, 17, 30, 63]) {
      const bytes = hour.index;
      bytes[at]! ^= 1;
      await refuse(bytes, { code: "DVR_BAD_INDEX" });
    }
  });

  test("when its header is damaged, unless it has no record: it was being begun when the power failed", async () => {
    for (const length of [INDEX_HEADER_BYTES, INDEX_HEADER_BYTES + INDEX_RECORD_BYTES - 1]) {
      const files = filesOf(hour);
      files.contents.set(INDEX, hour.index.slice(0, length).fill(7, 40));
      assert.equal((await recover(files)).indexBytes, 0);
    }
    await refuse(hour.index.slice(0, INDEX_HEADER_BYTES + INDEX_RECORD_BYTES).fill(7, 40), {
      code: "DVR_BAD_INDEX",
    });
  });

  test("when its header is zeros and good records follow", async () => {
    await refuse(hour.index.fill(0, 0, INDEX_HEADER_BYTES), { code: "DVR_BAD_INDEX" });
  });

  test("when a later version has written it", async () => {
    const bytes = hour.index;
    bytes.set(Buffer.from("5745495249445831020000004000000000f72268", "hex"), 0);
    await refuse(bytes, { code: "DVR_BAD_INDEX" });
    new DataView(bytes.buffer).setUint32(60, crc32(bytes.subarray(0, 60)), true);
    await refuse(bytes, { code: "DVR_INDEX_VERSION" });
  });

  test("when it is another hour's", async () => {
    const other = new ArchiveHour(HOUR + 1).segment();
    await refuse(other.index, { code: "DVR_BAD_INDEX", message: /it is the index of 2026\/08\/28\/09/ });
  });

  test("when it has more records than an hour may have", async () => {
    const bytes = new Uint8Array(INDEX_HEADER_BYTES + (MAX_HOUR_RECORDS + 1) * INDEX_RECORD_BYTES);
    bytes.set(buildIndexHeader(HOUR));
    await refuse(bytes, { code: "DVR_BAD_INDEX", message: /more than 262144 records/ });
  });
});

describe("a disk that fails during recovery", () => {
  test("fails it with the disk's error, whichever call it is, and the next time all is well", async () => {
    const hour = sample();
    const torn = (): MemoryFiles => {
      const files = filesOf(hour);
      cut(files, INDEX, hour.index.byteLength - 30);
      files.contents.set(mediaPath(0), concatBytes([hour.media[0]!, new Uint8Array(5)]));
      return files;
    };
    const whole = torn();
    await recover(whole);
    const calls = whole.looks.length + whole.changes.length;
    assert.ok(calls > 8);
    for (let good = 0; good < calls; good++) {
      const files = torn();
      files.callsLeft = good;
      await assert.rejects(recoverHour(files, FOLDER, HOUR), { code: "DVR_DISK_FAILED" }, `call ${good}`);
      assert.equal(files.openFiles, 0);
      files.callsLeft = Infinity;
      await recover(files);
      assert.deepEqual(files.contents, whole.contents, `call ${good}`);
    }
  });

  test("because it is full, in the middle of whatever append, leaves the groups that were appended", async () => {
    const hour = sample();
    const total = [hour.index, ...hour.media].reduce((sum, { byteLength }) => sum + byteLength, 0);
    for (let freeBytes = INDEX_HEADER_BYTES; freeBytes < total; freeBytes += 11) {
      const files = new MemoryFiles();
      files.freeBytes = freeBytes;
      const appended = await recordAll(hour, files);
      assert.ok(appended < hour.groups.length - 1);
      files.freeBytes = Infinity;
      await expectLeft(files, hour, appended, `${freeBytes} bytes free`);
    }
    const files = new MemoryFiles();
    assert.equal(await recordAll(hour, files), hour.groups.length - 1);
    assert.deepEqual(files.contents, wholeFiles(hour));
  });

  test("and an index that becomes shorter meanwhile is told", async () => {
    const files = filesOf(sample());
    const open = files.open.bind(files);
    files.open = async (path) => {
      const file = await open(path);
      if (path === INDEX) cut(files, INDEX, 100);
      return file === null
        ? null
        : Object.assign(file, { sizeBytes: async () => await Promise.resolve(640) });
    };
    await assert.rejects(recoverHour(files, FOLDER, HOUR), {
      code: "DVR_DISK_FAILED",
      message: /became shorter/,
    });
  });
});
