import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOUR_US } from "../format/hour.ts";
import { nearestTimes } from "./nearest-times.ts";
import type { NearestSource, NearestTimes } from "./nearest-times.ts";

const MINUTE_US = 60_000_000;
const HERE = 496_640;

/** Minutes of each hour at which a segment of one minute begins. */
function archive(hours: Readonly<Record<number, readonly number[]>>) {
  const read: number[] = [];
  const source: NearestSource = {
    async *hours(from, to) {
      await Promise.resolve();
      for (const hour of Object.keys(hours).map(Number)) if (hour >= from && hour <= to) yield hour;
    },
    index: (hour) => {
      read.push(hour);
      const starts = (hours[hour] ?? []).map((minute) => hour * HOUR_US + minute * MINUTE_US);
      return Promise.resolve({
        segmentCount: starts.length,
        placeAt: (us) => starts.findLastIndex((start) => start <= us),
        segment: (place) => ({ startUs: starts[place]!, durationUs: MINUTE_US }) as never,
      });
    },
  };
  const at = async (hour: number, minute: number): Promise<NearestTimes> =>
    await nearestTimes(hour * HOUR_US + minute * MINUTE_US, source);
  return { at, read };
}

const us = (hour: number, minute: number): number => hour * HOUR_US + minute * MINUTE_US;

describe("the times nearest to one", () => {
  const cases: readonly [name: string, hours: Record<number, readonly number[]>, NearestTimes][] = [
    ["of nothing are none", {}, { beforeUs: null, afterUs: null }],
    ["in one hour", { [HERE]: [0, 10, 40, 50] }, { beforeUs: us(HERE, 11), afterUs: us(HERE, 40) }],
    [
      "in the hours beside it, and those that are empty do not count",
      { [HERE - 2]: [5, 6], [HERE - 1]: [], [HERE]: [], [HERE + 1]: [9, 10] },
      { beforeUs: us(HERE - 2, 7), afterUs: us(HERE + 1, 9) },
    ],
    ["on one side", { [HERE + 300 * 24]: [7] }, { beforeUs: null, afterUs: us(HERE + 300 * 24, 7) }],
    ["months away", { [HERE - 5000]: [1, 2] }, { beforeUs: us(HERE - 5000, 3), afterUs: null }],
    // An address of 1970 or of 2033 was told that nothing is recorded at all.
    ["decades away", { [HERE - 400_000]: [1] }, { beforeUs: us(HERE - 400_000, 2), afterUs: null }],
    [
      "decades away in the other direction",
      { [HERE + 9000]: [1], [HERE + 400_000]: [1] },
      { beforeUs: null, afterUs: us(HERE + 9000, 1) },
    ],
  ];
  for (const [name, hours, expected] of cases)
    test(name, async () => assert.deepEqual(await archive(hours).at(HERE, 30), expected));

  test("cost few reads, however much there is", async () => {
    const hours = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [HERE - 2100 + i, [1, 30]]));
    const { at, read } = archive(hours);
    assert.deepEqual(await at(HERE, 0), { beforeUs: us(HERE - 101, 31), afterUs: null });
    assert.deepEqual(read, [HERE - 101]);
    const empty = archive(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [HERE - 500 + i, []])));
    await empty.at(HERE, 0);
    assert.ok(empty.read.length <= 24 * 4, `${empty.read.length} reads`);
  });
});
