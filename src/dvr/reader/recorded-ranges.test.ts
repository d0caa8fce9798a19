import assert from "node:assert/strict";
import { test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { HOUR_US, indexFile } from "../format/hour.ts";
import { HourIndex } from "../format/hour-index.ts";
import { MAX_HOURS, MAX_RANGES, MIN_GAP_US, RecordedRanges, rangesOf } from "./recorded-ranges.ts";
import type { RangesSource } from "./recorded-ranges.ts";

const FOLDER = "/dvr/news";
const HOUR = 496_640;
const START_US = HOUR * HOUR_US;

/** Reads indexes as the archive's reader does, and counts it. */
function sourceOf(files: MemoryFiles, clock = new FakeClock(START_US)): RangesSource & { reads: number } {
  return {
    ...{ folder: FOLDER, files, clock },
    reads: 0,
    async index(hour) {
      this.reads++;
      const bytes = files.contents.get(`${FOLDER}/${indexFile(hour)}`);
      return await Promise.resolve(bytes === undefined ? null : HourIndex.parse(bytes));
    },
  };
}

/** Segments of two seconds, at these seconds of their hour. */
function hourWith(hour: number, seconds: readonly number[]): ArchiveHour {
  const made = new ArchiveHour(hour);
  for (const second of seconds) made.segment({ atUs: second * 1e6 });
  return made;
}

const secondsOf = ({ ranges }: { ranges: readonly { fromUs: number; toUs: number }[] }): number[][] =>
  ranges.map(({ fromUs, toUs }) => [(fromUs - START_US) / 1e6, (toUs - START_US) / 1e6]);

test("what follows without a gap is one range, over hours too", async () => {
  const hours = [hourWith(HOUR, [3596, 3598]), hourWith(HOUR + 1, [0, 2, 10]), hourWith(HOUR + 30, [5])];
  const files = new MemoryFiles(Object.assign({}, ...hours.map((hour) => hour.files(FOLDER))));
  const extent = await new RecordedRanges(sourceOf(files)).within(0, START_US * 2);
  assert.deepEqual(secondsOf(extent), [
    [3596, 3604],
    [3610, 3612],
    [108_005, 108_007],
  ]);
  assert.equal(extent.isCut, false);
  assert.equal(
    extent.mediaBytes,
    hours.reduce((sum, hour) => sum + hour.media[0]!.byteLength, 0),
  );
});

test("only what lies between the times is told, and no hour beside them is read", async () => {
  const hours = [hourWith(HOUR, [0, 2, 4]), hourWith(HOUR + 1, [0, 2]), hourWith(HOUR + 2, [0])];
  const files = new MemoryFiles(Object.assign({}, ...hours.map((hour) => hour.files(FOLDER))));
  const source = sourceOf(files);
  const ranges = new RecordedRanges(source);
  assert.deepEqual(secondsOf(await ranges.within(START_US + 3e6, START_US + 5e6)), [[3, 5]]);
  assert.equal(source.reads, 1);
  assert.deepEqual(secondsOf(await ranges.within(START_US + 6e6, START_US + 7e6)), []);
  assert.deepEqual(secondsOf(await ranges.within(START_US + 5e6, START_US + 3602e6)), [
    [5, 6],
    [3600, 3602],
  ]);
});

test("a gap is one from half a second on", () => {
  for (const [gapUs, count] of [
    [MIN_GAP_US - 1, 1],
    [MIN_GAP_US, 2],
  ] as const) {
    const hour = new ArchiveHour(HOUR).segment({ atUs: 0 }).segment({ atUs: 2_000_000 + gapUs });
    assert.equal(rangesOf(HourIndex.parse(hour.index)).ranges.length, count);
  }
});

test("who asks from the end of what was told is told the rest, also of more hours than are told at a time", async () => {
  const folders = new Map<string, Set<string>>();
  for (let number = 0; number < MAX_HOURS + 30; number++) {
    const parts = `${FOLDER}/${indexFile(HOUR + number)}`.split("/");
    for (let i = 3; i < parts.length; i++) {
      const folder = parts.slice(0, i).join("/");
      folders.set(folder, (folders.get(folder) ?? new Set()).add(parts[i]!));
    }
  }
  const list = (folder: string): Promise<string[]> => Promise.resolve([...(folders.get(folder) ?? [])]);
  const source = {
    ...{ folder: FOLDER, clock: new FakeClock(START_US), files: { list, stat: () => Promise.resolve(0) } },
    index: (hour: number) => {
      const segment = { startUs: hour * HOUR_US, durationUs: 2e6, file: 0 };
      const view = {
        segmentCount: 1,
        segment: () => segment,
        chunks: () => [],
        readBytes: 0,
        deletedBytes: 0,
      };
      return Promise.resolve(view);
    },
  };
  const ranges = new RecordedRanges(source as unknown as RangesSource);
  const first = await ranges.within(0, START_US * 2);
  assert.deepEqual([first.ranges.length, first.isCut], [MAX_HOURS, true]);
  assert.equal(first.ranges[0]!.fromUs, START_US);
  const rest = await ranges.within(first.ranges.at(-1)!.toUs, START_US * 2);
  assert.deepEqual([rest.ranges.length, rest.isCut], [30, false]);
});

test("an hour is read again when its index has grown, and forgotten when it is deleted", async () => {
  const files = new MemoryFiles(hourWith(HOUR, [0]).files(FOLDER));
  const source = sourceOf(files);
  const ranges = new RecordedRanges(source);
  const told = async (): Promise<number[][]> => secondsOf(await ranges.within(0, START_US * 2));
  await told();
  assert.deepEqual(await told(), [[0, 2]]);
  assert.equal(source.reads, 1);
  for (const [path, bytes] of Object.entries(hourWith(HOUR, [0, 2]).files(FOLDER)))
    files.contents.set(path, bytes);
  assert.deepEqual(await told(), [[0, 4]]);
  assert.equal(source.reads, 2);
  files.contents.clear();
  assert.deepEqual(await told(), []);
});

test("of hours that are over the files are looked at each half a minute, and at once when something was deleted", async () => {
  const clock = new FakeClock(START_US + 100 * HOUR_US);
  const hours = [0, 1, 2].map((number) => hourWith(HOUR + number, [0]));
  const files = new MemoryFiles(Object.assign({}, ...hours.map((hour) => hour.files(FOLDER))));
  const source = sourceOf(files, clock);
  const ranges = new RecordedRanges(source);
  const look = async (): Promise<[ranges: number, stats: number]> => {
    files.looks.length = 0;
    const { ranges: told } = await ranges.within(0, START_US * 2);
    return [told.length, files.looks.filter((line) => line.startsWith("stat ")).length];
  };
  assert.deepEqual(
    [await look(), await look()],
    [
      [3, 0],
      [3, 0],
    ],
  );
  clock.advance(29_000);
  for (const [path, bytes] of Object.entries(hourWith(HOUR + 1, [0, 10]).files(FOLDER)))
    files.contents.set(path, bytes);
  assert.deepEqual(await look(), [3, 0]);
  clock.advance(1000);
  assert.deepEqual(await look(), [4, 9]);
  assert.deepEqual([await look(), source.reads], [[4, 0], 4]);
  files.contents.delete(`${FOLDER}/${indexFile(HOUR)}`);
  assert.deepEqual(await look(), [3, 0], "what is listed no more is not told");
  files.contents.set(`${FOLDER}/${indexFile(HOUR + 2)}`, new ArchiveHour(HOUR + 2).index);
  ranges.forget();
  assert.deepEqual(await look(), [2, 0]);
});

test("the ranges that are told are bounded, and it is said that there are more", async () => {
  const perHour = 1700;
  const hours = Math.ceil(MAX_RANGES / perHour) + 1;
  const contents: Record<string, Uint8Array> = {};
  for (let number = 0; number < hours; number++) {
    const hour = new ArchiveHour(HOUR + number, { firstOrdinal: number * perHour });
    for (let place = 0; place < perHour; place++)
      hour.segment({ atUs: place * 2_000_000, durationUs: 1_000_000 });
    contents[`${FOLDER}/${indexFile(hour.hour)}`] = hour.index;
  }
  const { ranges, isCut } = await new RecordedRanges(sourceOf(new MemoryFiles(contents))).within(
    0,
    START_US * 2,
  );
  assert.deepEqual([ranges.length, isCut], [MAX_RANGES, true]);
});
