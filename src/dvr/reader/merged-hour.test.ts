import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { NOTHING_DELETED } from "../format/deleted-spans.ts";
import { buildFillIndex, storedFills } from "../format/fill.ts";
import { HourIndex } from "../format/hour-index.ts";
import { MergedHour } from "./merged-hour.ts";

const HOUR = 496_640;
const BEFORE = { ordinal: 0, discontinuities: 0 };

/** An index with segments at these seconds of the hour, two seconds long unless told. */
function indexOf(seconds: readonly number[], durationUs = 2_000_000): HourIndex {
  const hour = new ArchiveHour(HOUR, { firstOrdinal: 100 });
  let endS = -1;
  for (const second of seconds) {
    hour.segment({ atUs: second * 1_000_000, durationUs, discontinuity: second !== endS });
    endS = second + durationUs / 1_000_000;
  }
  return HourIndex.parse(hour.index);
}

function fillsOf(seconds: readonly number[], durationUs?: number): HourIndex {
  return HourIndex.parse(buildFillIndex(HOUR, storedFills(indexOf(seconds, durationUs))));
}

function secondsOf(hour: MergedHour): number[] {
  return Array.from({ length: hour.segmentCount }, (_, i) => hour.segment(i).startUs / 1e6 - HOUR * 3600);
}

describe("an hour with fills", () => {
  test("has both in the order of their starts, each with its media file", () => {
    const hour = new MergedHour(indexOf([0, 2, 10]), fillsOf([4, 6, 12]), {
      before: BEFORE,
      deleted: NOTHING_DELETED,
    });
    assert.deepEqual(secondsOf(hour), [0, 2, 4, 6, 10, 12]);
    const files = Array.from({ length: 6 }, (_, place) => hour.segment(place).file);
    assert.deepEqual(files, [0, 0, 256, 256, 0, 256]);
  });

  test("shows what was recorded here where a fill overlaps it", () => {
    const hour = new MergedHour(indexOf([0, 3, 10]), fillsOf([1, 6, 9, 13]), {
      before: BEFORE,
      deleted: NOTHING_DELETED,
    });
    assert.deepEqual(secondsOf(hour), [0, 3, 6, 10, 13]);
  });

  test("numbers its segments by one, and breaks too", () => {
    const hour = new MergedHour(indexOf([2, 4, 10]), fillsOf([0, 6, 8, 20]), {
      before: BEFORE,
      deleted: NOTHING_DELETED,
    });
    const segments = Array.from({ length: hour.segmentCount }, (_, place) => hour.segment(place));
    assert.deepEqual(secondsOf(hour), [0, 2, 4, 6, 8, 10, 20]);
    assert.deepEqual(
      segments.map(({ ordinal }) => ordinal - 100),
      [0, 1, 2, 3, 4, 5, 6],
    );
    assert.deepEqual(
      segments.map(({ discontinuity }) => discontinuity),
      [true, true, false, true, false, true, true],
    );
    assert.deepEqual(
      segments.map(({ discontinuities }) => discontinuities - 3),
      [1, 2, 2, 3, 3, 4, 5],
    );
    assert.deepEqual(hour.fillCounts(), { segments: 4, breaks: 3 });
  });

  test("goes on from what was recorded before it where nothing was in it", () => {
    const hour = new MergedHour(null, fillsOf([0, 2, 10]), {
      before: { ordinal: 41, discontinuities: 5 },
      deleted: NOTHING_DELETED,
    });
    const segments = Array.from({ length: 3 }, (_, place) => hour.segment(place));
    assert.deepEqual(
      segments.map(({ ordinal }) => ordinal),
      [42, 43, 44],
    );
    assert.deepEqual(
      segments.map(({ discontinuities }) => discontinuities),
      [6, 6, 7],
    );
  });

  test("grows with the recorder's index, and says when that changes what was there", () => {
    const made = new ArchiveHour(HOUR).segment({ atUs: 0 });
    const own = HourIndex.parse(made.index);
    const fills = fillsOf([4, 20]);
    const hour = new MergedHour(own, fills, { before: BEFORE, deleted: NOTHING_DELETED });
    const grow = (atUs: number): void => {
      const from = own.readBytes;
      made.segment({ atUs });
      own.append(made.index.subarray(from));
    };
    assert.equal(hour.isOf(own, fills, NOTHING_DELETED), true);
    assert.equal(hour.isOf(own, null, NOTHING_DELETED), false);
    assert.equal(hour.isOf(own, fills, { spans: [], wholeBytes: 32 }), false);
    assert.equal(hour.readOn(), true);
    grow(30_000_000);
    assert.equal(hour.readOn(), true);
    assert.deepEqual(secondsOf(hour), [0, 4, 20, 30]);
    const late = new ArchiveHour(HOUR).segment({ atUs: 0 });
    const other = HourIndex.parse(late.index);
    const changed = new MergedHour(other, fills, { before: BEFORE, deleted: NOTHING_DELETED });
    late.segment({ atUs: 10_000_000 });
    other.append(late.index.subarray(other.readBytes));
    assert.equal(changed.readOn(), false);
    assert.deepEqual(secondsOf(changed), [0, 4, 20]);
  });

  test("finds places as a list of its starts does", () => {
    const seconds = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(seconds, seconds, fc.nat(70), (own, copied, half) => {
        const sorted = (all: number[]): number[] => all.map((s) => s * 2).sort((a, b) => a - b);
        const hour = new MergedHour(indexOf(sorted(own)), fillsOf(sorted(copied)), {
          before: BEFORE,
          deleted: NOTHING_DELETED,
        });
        const starts = secondsOf(hour);
        const all = new Set([...own, ...copied].map((s) => s * 2));
        assert.deepEqual(
          starts,
          [...all].sort((a, b) => a - b),
        );
        const us = HOUR * 3_600_000_000 + half * 1_000_000;
        const from = starts.findIndex((second) => second >= half);
        assert.equal(hour.placeFrom(us), from < 0 ? starts.length : from);
        assert.equal(
          hour.placeAt(us),
          starts.findLastIndex((second) => second <= half),
        );
        const name = String(us / 1000);
        assert.equal(hour.placeOfName(name), starts.indexOf(half));
        const place = hour.placeOfName(name);
        if (place >= 0) assert.equal(hour.chunks(place, 1).length, 1);
      }),
    );
  });

  test("has no segment where there is none, and no name that is none", () => {
    const hour = new MergedHour(indexOf([0]), fillsOf([4]), { before: BEFORE, deleted: NOTHING_DELETED });
    assert.throws(() => hour.segment(2), RangeError);
    assert.throws(() => hour.chunks(-1), RangeError);
    for (const name of ["", "x", "-1", "1e3", "00"]) assert.equal(hour.placeOfName(name), -1);
    assert.ok(hour.memoryBytes > 0 && hour.readBytes > 2 * 64);
  });
});

describe("an hour with fills of which something is deleted", () => {
  const us = (second: number): number => HOUR * 3_600_000_000 + second * 1_000_000;
  const without = (fromS: number, toS: number): MergedHour =>
    new MergedHour(indexOf([2, 4, 10]), fillsOf([0, 6, 8, 20]), {
      before: BEFORE,
      deleted: { spans: [{ fromUs: us(fromS), toUs: us(toS) }], wholeBytes: 32 },
    });
  const told = (hour: MergedHour): string =>
    Array.from({ length: hour.segmentCount }, (_, place) => hour.segment(place))
      .map(({ startUs, ordinal, discontinuities, discontinuity, isBehindDeleted }) => {
        const at = `${startUs / 1e6 - HOUR * 3600}:${ordinal - 100}/${discontinuities - 3}`;
        return `${at}${discontinuity ? (isBehindDeleted ? "+" : "*") : ""}`;
      })
      .join(" ");

  const ROWS: readonly [fromS: number, toS: number, expected: string][] = [
    [30, 40, "0:0/1* 2:1/2* 4:2/2 6:3/3* 8:4/3 10:5/4* 20:6/5*"],
    [6, 8, "0:0/1* 2:1/2* 4:2/2 8:4/3+ 10:5/4* 20:6/5*"],
    [0, 4, "4:2/2+ 6:3/3* 8:4/3 10:5/4* 20:6/5*"],
    [2, 7, "0:0/1* 8:4/3+ 10:5/4* 20:6/5*"],
    [0, 3600, ""],
  ];
  for (const [fromS, toS, expected] of ROWS)
    test(`has ${expected || "nothing"} without ${fromS} to ${toS}`, () => {
      const hour = without(fromS, toS);
      assert.equal(told(hour), expected);
      assert.deepEqual(hour.fillCounts(), { segments: 4, breaks: 3 }, "what is deleted keeps its numbers");
      assert.equal(hour.deletedBytes, 32);
    });

  test("does not show the fill that overlaps what was recorded, when that is deleted", () => {
    const deleted = { spans: [{ fromUs: us(2), toUs: us(4) }], wholeBytes: 32 };
    const hour = new MergedHour(indexOf([2, 4]), fillsOf([1]), { before: BEFORE, deleted });
    assert.deepEqual(secondsOf(hour), [4]);
  });

  test("grows with the recorder's index", () => {
    const made = new ArchiveHour(HOUR).segment({ atUs: 0 });
    const own = HourIndex.parse(made.index);
    const deleted = { spans: [{ fromUs: us(4), toUs: us(6) }], wholeBytes: 32 };
    const hour = new MergedHour(own, fillsOf([4, 20]), { before: BEFORE, deleted });
    made.segment({ atUs: 30_000_000 });
    own.append(made.index.subarray(own.readBytes));
    assert.equal(hour.readOn(), true);
    assert.deepEqual(secondsOf(hour), [0, 20, 30]);
  });
});
