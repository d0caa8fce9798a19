import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { buildFillIndex, fillIndexFile, parseFillIndexFile, recordsOf } from "./fill.ts";
import { storedFills, storedMediaFile } from "./fill.ts";
import { HourIndex } from "./hour-index.ts";
import { INDEX_HEADER_BYTES } from "./index-header.ts";
import { INDEX_RECORD_BYTES } from "./index-record.ts";
import { hoursOfStream, hoursWithFills } from "./hours-of-stream.ts";

const HOUR = 496_640;

async function listOf(hours: AsyncIterable<number>): Promise<number[]> {
  const found: number[] = [];
  for await (const hour of hours) found.push(hour);
  return found;
}

describe("the files of fills", () => {
  test("lie beside those of the recorder", () => {
    assert.equal(fillIndexFile(HOUR), "2026/08/28/08.fill");
    assert.equal(parseFillIndexFile("2026/08/28/08.fill"), HOUR);
    assert.equal(storedMediaFile(HOUR, 0), "2026/08/28/08.mp4");
    assert.equal(storedMediaFile(HOUR, 255), "2026/08/28/08.255.mp4");
    assert.equal(storedMediaFile(HOUR, 256), "2026/08/28/08.fill.mp4");
    assert.equal(storedMediaFile(HOUR, 511), "2026/08/28/08.fill.255.mp4");
    for (const file of [512, -1, 256.5, NaN]) assert.throws(() => storedMediaFile(HOUR, file), RangeError);
  });

  for (const path of ["", "08.fill", "2026/08/28/24.fill", "2026/08/28/08.fill.new", "2026/08/28/08.idx"]) {
    test(`are none at "${path}"`, () => {
      assert.equal(parseFillIndexFile(path), null);
    });
  }

  test("make an hour that is played, and none that was recorded", async () => {
    const folder = "/a/cam";
    const names = ["2026/08/28/08.idx", "2026/08/28/08.fill", "2026/08/28/09.fill", "2026/08/28/07.mp4"];
    const files = new MemoryFiles(
      Object.fromEntries(names.map((name) => [`${folder}/${name}`, new Uint8Array(0)])),
    );
    assert.deepEqual(await listOf(hoursWithFills(files, folder)), [HOUR + 1, HOUR]);
    assert.deepEqual(await listOf(hoursOfStream(files, folder)), [HOUR]);
  });
});

describe("an index of fills", () => {
  const hour = new ArchiveHour(HOUR)
    .segment({ groups: 3, discontinuity: true })
    .segment()
    .segment({ atUs: 60_000_000 })
    .newFile()
    .segment({ discontinuity: true });
  const fills = storedFills(HourIndex.parse(hour.index));

  test("reads back as what it was built of", () => {
    const bytes = buildFillIndex(HOUR, fills);
    assert.equal(bytes.byteLength, INDEX_HEADER_BYTES + recordsOf(fills) * INDEX_RECORD_BYTES);
    const index = HourIndex.parse(bytes);
    assert.equal(index.stop, null);
    assert.equal(index.ignoredRecords, 0);
    const again = storedFills(index);
    const without = (all: typeof fills): unknown =>
      all.map(({ ordinal, discontinuities, discontinuity, ...facts }) => ({
        ...facts,
        chunks: facts.chunks,
      }));
    assert.deepEqual(without(again), without(fills));
    assert.deepEqual(
      again.map(({ ordinal }) => ordinal),
      [1, 2, 3, 4],
    );
    assert.deepEqual(
      again.map(({ discontinuity }) => discontinuity),
      [true, false, true, true],
    );
    assert.deepEqual(
      again.map(({ discontinuities }) => discontinuities),
      [1, 1, 2, 3],
    );
    assert.deepEqual(buildFillIndex(HOUR, again), bytes);
  });

  test("of nothing is a header", () => {
    assert.equal(HourIndex.parse(buildFillIndex(HOUR, [])).segmentCount, 0);
  });
});
