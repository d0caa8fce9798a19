import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { concatBytes } from "../../base/bytes.ts";
import { HOUR_US, indexFile } from "./hour.ts";
import { HourIndex } from "./hour-index.ts";
import { buildIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND, writeIndexRecord } from "./index-record.ts";
import { recoverHour } from "./recover.ts";
import type { RecoveredHour } from "./recover.ts";

const FOLDER = "/archive/cam/one";
const HOUR = 496_640;
const INDEX = `${FOLDER}/${indexFile(HOUR)}`;

const filesOf = (hour: ArchiveHour): MemoryFiles => new MemoryFiles(hour.files(FOLDER));
const recover = async (files: MemoryFiles): Promise<RecoveredHour> =>
  await recoverHour(files, FOLDER, HOUR);

describe("the last segment of an hour", () => {
  const missing = async (hour: ArchiveHour): Promise<RecoveredHour> => await recover(filesOf(hour));

  test("that has no end record gets told the one that it lacks", async () => {
    const hour = new ArchiveHour(HOUR).segment().segment({ groups: 3, durationUs: 6_000_000, end: "none" });
    const { lastEnd, isEndMissing } = await missing(hour);
    assert.equal(isEndMissing, true);
    assert.deepEqual(lastEnd, {
      kind: RECORD_KIND.segmentEnd,
      trackNumber: 0,
      flags: RECORD_FLAG.groupEnd | RECORD_FLAG.independent,
      ordinal: 7001,
      startUs: HOUR * HOUR_US + 2_000_000,
      utcUs: hour.records.at(-1)!.utcUs,
      durationUs: 6_000_000,
      discontinuities: 3,
      offset: 0,
      size: 0,
      headerBytes: 0,
      samples: 0,
      file: 0,
      sequence: 14_013,
    });
  });

  test("is as long, and has the name, as if it had ended, though its pictures are shown late", async () => {
    const plan = { groups: 2, leadUs: 80_000, discontinuity: true, durationUs: 4_000_000 };
    const ended = new ArchiveHour(HOUR).newFile().segment({ ...plan, end: "apart" });
    const open = new ArchiveHour(HOUR).newFile().segment({ ...plan, end: "none" });
    assert.deepEqual((await missing(open)).lastEnd, (await missing(ended)).lastEnd);
    assert.equal((await missing(ended)).isEndMissing, false);
  });

  test("that began to be decoded in the hour before is named for this one, though no record says its start", async () => {
    const hour = new ArchiveHour(HOUR).segment({ leadUs: 80_000, end: "none" });
    const [start, ...chunks] = hour.records;
    assert.equal(start!.kind, RECORD_KIND.segmentStart);
    const files = filesOf(hour);
    const bytes = new Uint8Array(chunks.length * INDEX_RECORD_BYTES);
    for (const [number, record] of chunks.entries())
      writeIndexRecord(bytes, number * INDEX_RECORD_BYTES, record);
    files.contents.set(INDEX, concatBytes([buildIndexHeader(HOUR), bytes]));
    const { lastEnd } = await recover(files);
    assert.deepEqual(lastEnd, (await missing(hour)).lastEnd);
    assert.equal(lastEnd!.startUs, HOUR * HOUR_US);
  });

  test("is as long as the shortest of its pictures and its sound, but for what had stopped before", async () => {
    const hour = new ArchiveHour(HOUR).segment({ end: "none" });
    const [video, audio] = hour.records;
    const wanted = [
      { videoUs: 2_000_000, audioUs: 2_300_000, durationUs: 2_000_000 },
      { videoUs: 2_000_000, audioUs: 1_720_000, durationUs: 1_720_000 },
      { videoUs: 2_000_000, audioUs: 1_000_000, durationUs: 1_000_000 },
      { videoUs: 2_000_000, audioUs: 999_999, durationUs: 2_000_000 },
      // What players cannot tell apart has no less than the millisecond that names count.
      { videoUs: 0, audioUs: 0, durationUs: 1000 },
      { videoUs: 2 ** 32 - 1, audioUs: 2 ** 32 - 1, durationUs: 2 ** 32 - 1 },
    ];
    for (const { videoUs, audioUs, durationUs } of wanted) {
      const files = filesOf(hour);
      const bytes = hour.index;
      writeIndexRecord(bytes, 64, { ...video!, durationUs: videoUs });
      writeIndexRecord(bytes, 128, { ...audio!, durationUs: audioUs });
      files.contents.set(INDEX, bytes);
      assert.equal((await recover(files)).lastEnd?.durationUs, durationUs);
    }
  });

  test("does not end for its text, which comes when something is said, unless it has nothing else", async () => {
    const hour = new ArchiveHour(HOUR).segment({ end: "none" });
    const [video, audio] = hour.records;
    const text = { ...audio!, trackNumber: 201 };
    const wanted = [
      { records: [video!, { ...text, durationUs: 1_500_000 }], durationUs: 2_000_000 },
      { records: [video!, { ...text, durationUs: 9_000_000 }], durationUs: 2_000_000 },
      {
        records: [
          { ...video!, trackNumber: 201 },
          { ...text, durationUs: 1_500_000 },
        ],
        durationUs: 2_000_000,
      },
    ];
    for (const { records, durationUs } of wanted) {
      const files = filesOf(hour);
      const bytes = hour.index;
      for (const [i, record] of records.entries()) writeIndexRecord(bytes, 64 * (i + 1), record);
      files.contents.set(INDEX, bytes);
      assert.equal((await recover(files)).lastEnd?.durationUs, durationUs);
    }
  });

  test("is the one in front of facts, of a start without media, and of chunks whose segment never began", async () => {
    const [start] = new ArchiveHour(HOUR).segment().segment({ leadUs: 1 }).records.slice(3);
    const [, audio, ended] = new ArchiveHour(HOUR).segment().records;
    const stray = { ...audio!, ordinal: start!.ordinal, flags: RECORD_FLAG.sync };
    for (const behind of [[], [[start!]], [[start!], [stray]], [[stray], [{ ...stray, ordinal: 9999 }]]]) {
      const hour = new ArchiveHour(HOUR).segment().clockStep(5);
      for (const group of behind) hour.append(group);
      const { lastEnd, isEndMissing, cutIndexBytes } = await missing(hour);
      assert.deepEqual(lastEnd, ended);
      assert.deepEqual([isEndMissing, cutIndexBytes], [false, 0]);
    }
  });

  test("is none where there is none", async () => {
    for (const hour of [new ArchiveHour(HOUR), new ArchiveHour(HOUR).clockStep(-1)]) {
      const { lastEnd, isEndMissing } = await missing(hour);
      assert.deepEqual([lastEnd, isEndMissing], [null, false]);
    }
  });

  test("is listed when the record was appended, and nothing is missing then", async () => {
    for (const leadUs of [0, 80_000]) {
      const hour = new ArchiveHour(HOUR).segment().segment({ groups: 2, leadUs, end: "none" });
      const files = filesOf(hour);
      const { lastEnd } = await recover(files);
      const bytes = new Uint8Array(INDEX_RECORD_BYTES);
      writeIndexRecord(bytes, 0, lastEnd!);
      const file = await files.open(INDEX);
      await file!.append([bytes]);
      await file!.close();
      const index = HourIndex.parse(files.contents.get(INDEX)!);
      assert.equal(index.segmentCount, 2);
      assert.equal(index.segment(1).startUs, lastEnd!.startUs);
      assert.equal(index.chunks(1).length, 4);
      const again = await recover(files);
      assert.deepEqual([again.lastEnd, again.isEndMissing, again.cutIndexBytes], [lastEnd, false, 0]);
    }
  });
});
