import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { concatBytes } from "../../base/bytes.ts";
import { HOUR_US } from "./hour.ts";
import { HourIndex, MAX_HOUR_RECORDS } from "./hour-index.ts";
import { INDEX_HEADER_BYTES, buildIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND, writeIndexRecord } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";

const HOUR = 496_640;
const START_US = HOUR * HOUR_US;

/** Four segments: two plain ones, one of three groups whose end comes apart, one behind a gap. */
const sample = (): ArchiveHour =>
  new ArchiveHour(HOUR)
    .segment()
    .segment({ durationUs: 1_999_960 })
    .segment({ durationUs: 6_000_000, groups: 3, end: "apart", leadUs: 80_000 })
    .clockStep(-HOUR_US)
    .segment({ atUs: 20_000_000, discontinuity: true });

/** All that a reader can ask for. */
const facts = (index: HourIndex): unknown => ({
  segments: [...index.segments()].map((segment, place) => [segment, index.chunks(place)]),
  steps: index.clockSteps(),
  writtenUs: index.writtenUs,
  readBytes: index.readBytes,
  stop: index.stop,
  ignored: index.ignoredRecords,
});

describe("the index of an hour", () => {
  test("knows when its last complete segment was written, and of none that is not complete", () => {
    const hour = new ArchiveHour(HOUR);
    assert.equal(HourIndex.parse(hour.index).writtenUs, 0);
    hour.segment();
    assert.equal(HourIndex.parse(hour.index).writtenUs, START_US + 150_000);
    hour.segment({ end: "none" });
    assert.equal(HourIndex.parse(hour.index).writtenUs, START_US + 150_000);
    hour.segment();
    const torn = hour.index.subarray(0, -INDEX_RECORD_BYTES);
    assert.equal(HourIndex.parse(torn).writtenUs, START_US + 150_000, "a group that is not whole");
    assert.equal(HourIndex.parse(hour.index).writtenUs, START_US + 4_150_000);
  });

  const index = HourIndex.parse(sample().index);

  test("lists complete segments", () => {
    const common = {
      ...{ independent: true, discontinuity: false, isBehindDeleted: false, file: 0, discontinuities: 3 },
    };
    assert.deepEqual(
      [...index.segments()],
      [
        { startUs: START_US, durationUs: 2_000_000, ordinal: 7000, sequence: 14_011, ...common },
        {
          startUs: START_US + 2_000_000,
          durationUs: 1_999_960,
          ordinal: 7001,
          sequence: 14_013,
          ...common,
        },
        {
          startUs: START_US + 3_999_960,
          durationUs: 6_000_000,
          ordinal: 7002,
          sequence: 14_015,
          ...common,
        },
        {
          ...common,
          startUs: START_US + 20_000_000,
          durationUs: 2_000_000,
          ordinal: 7003,
          sequence: 14_017,
          discontinuity: true,
          discontinuities: 4,
        },
      ].map((segment) => ({ ...segment, name: String(Math.floor(segment.startUs / 1000)) })),
    );
    assert.equal(index.hour, HOUR);
    assert.equal(index.segmentCount, 4);
    assert.equal(index.stop, null);
    assert.equal(index.ignoredRecords, 0);
    assert.equal(index.readBytes, sample().index.byteLength);
    assert.deepEqual(index.clockSteps(), [
      { mediaUs: START_US + 9_999_960, utcUs: START_US + 9_999_960 - HOUR_US },
    ]);
  });

  test("gives the chunks of a segment in order, of all tracks or of one", () => {
    const recorded = sample().records.filter(({ kind }) => kind === RECORD_KIND.chunk);
    const wanted = recorded.map((record) => ({
      trackNumber: record.trackNumber,
      offset: record.offset,
      size: record.size,
      headerBytes: record.headerBytes,
      samples: record.samples,
      startUs: record.startUs,
      durationUs: record.durationUs,
      isSync: true,
    }));
    assert.deepEqual(index.chunks(0), wanted.slice(0, 2));
    assert.deepEqual(index.chunks(1), wanted.slice(2, 4));
    assert.deepEqual(index.chunks(2), wanted.slice(4, 10));
    assert.deepEqual(index.chunks(3), wanted.slice(10));
    assert.deepEqual(
      index.chunks(2, 101),
      wanted.slice(4, 10).filter(({ trackNumber }) => trackNumber === 101),
    );
    assert.equal(index.chunks(2, 101).length, 3);
    assert.deepEqual(index.chunks(2, 2), []);
    assert.equal(index.chunks(2, 1)[0]?.startUs, START_US + 3_999_960 - 80_000);
  });

  test("finds segments by time", () => {
    const starts = [0, 2_000_000, 3_999_960, 20_000_000];
    const cases = starts.flatMap((us, place) => [
      { us: us - 1, from: place, at: place - 1 },
      { us, from: place, at: place },
      { us: us + 1, from: place + 1, at: place },
    ]);
    for (const { us, from, at } of cases) {
      assert.equal(index.placeFrom(START_US + us), from, `from ${us}`);
      assert.equal(index.placeAt(START_US + us), at, `at ${us}`);
    }
    assert.equal(index.placeFrom(0), 0);
    assert.equal(index.placeFrom(Infinity), 4);
    assert.equal(index.placeAt(0), -1);
    assert.equal(index.placeAt(Infinity), 3);
  });

  test("finds segments by name, and no others", () => {
    for (let place = 0; place < 4; place++)
      assert.equal(index.placeOfName(index.segment(place).name), place);
    const first = START_US / 1000;
    const strangers = [
      first - 1,
      first + 1,
      first + 3998,
      0,
      2 ** 60,
      "",
      "x",
      `0${first}`,
      `${first}.0`,
      `+${first}`,
    ];
    for (const name of strangers) assert.equal(index.placeOfName(String(name)), -1, String(name));
    // Its start is no whole number of milliseconds.
    assert.equal(index.placeOfName(String(first + 3999)), 2);
  });

  test("gives a range of segments", () => {
    assert.deepEqual(
      [...index.segments(1, 3)].map(({ ordinal }) => ordinal),
      [7001, 7002],
    );
    assert.deepEqual([...index.segments(2, 2)], []);
    for (const place of [-1, 4, NaN]) {
      assert.throws(() => index.segment(place), RangeError);
      assert.throws(() => index.chunks(place), RangeError);
    }
  });

  test("without a segment finds none", () => {
    const empty = HourIndex.parse(buildIndexHeader(HOUR));
    assert.equal(empty.segmentCount, 0);
    assert.equal(empty.placeAt(START_US), -1);
    assert.equal(empty.placeFrom(START_US), 0);
    assert.equal(empty.placeOfName(String(START_US / 1000)), -1);
    assert.equal(empty.stop, null);
  });
});

describe("an index that is read", () => {
  const bytes = sample().index;
  const ends = sample().groups.map(({ indexBytes }) => indexBytes);
  const whole = facts(HourIndex.parse(bytes));

  test("up to any byte has the groups that end in front of it, and goes on from there to the same", () => {
    for (let cut = INDEX_HEADER_BYTES; cut <= bytes.byteLength; cut++) {
      const index = HourIndex.parse(bytes.subarray(0, cut));
      const end = ends.findLast((place) => place <= cut)!;
      assert.equal(index.readBytes, end, `cut at ${cut}`);
      assert.deepEqual(index.stop, end === cut ? null : { kind: "open-group", offset: end });
      assert.deepEqual(facts(HourIndex.parse(bytes.subarray(0, end))), {
        ...(facts(index) as object),
        stop: null,
      });
      assert.equal(index.append(bytes.subarray(index.readBytes)), bytes.byteLength - end);
      assert.deepEqual(facts(index), whole, `cut at ${cut}`);
    }
  });

  test("record by record, the way it grows, is the same", () => {
    const index = HourIndex.parse(bytes.subarray(0, INDEX_HEADER_BYTES));
    for (let end = INDEX_HEADER_BYTES; end <= bytes.byteLength; end += INDEX_RECORD_BYTES)
      index.append(bytes.subarray(index.readBytes, end));
    assert.deepEqual(facts(index), whole);
  });

  test("is read no further than a record that is none", () => {
    for (let at = INDEX_HEADER_BYTES; at < bytes.byteLength; at += INDEX_RECORD_BYTES) {
      const torn = bytes.slice();
      torn[at + 20]! ^= 0x10;
      const index = HourIndex.parse(torn);
      assert.equal(
        index.readBytes,
        ends.findLast((place) => place <= at),
      );
      assert.deepEqual(index.stop, { kind: "bad-record", offset: at });
      // Whoever mends the file can have the rest.
      index.append(bytes.subarray(index.readBytes));
      assert.deepEqual(facts(index), whole);
    }
  });

  for (const [name, tail] of [
    ["zeros", new Uint8Array(4096)],
    ["noise", new Uint8Array(4096).fill(0x5a)],
  ] as const) {
    test(`ends in front of ${name} at its end`, () => {
      const index = HourIndex.parse(concatBytes([bytes, tail]));
      const stop = { kind: "bad-record", offset: bytes.byteLength };
      assert.deepEqual(facts(index), { ...(whole as object), stop });
    });
  }

  test("is refused without a whole header, by its path", () => {
    const refused = {
      code: "DVR_BAD_INDEX",
      message: /"\/a\/08\.idx" cannot be read: its header is cut off/,
    };
    for (let cut = 0; cut < INDEX_HEADER_BYTES; cut++)
      assert.throws(() => HourIndex.parse(bytes.subarray(0, cut), { path: "/a/08.idx" }), refused);
    assert.throws(() => HourIndex.parse(bytes.subarray(1)), { code: "DVR_BAD_INDEX" });
  });

  test("has no more records than an hour may have", () => {
    const records = (bytes.byteLength - INDEX_HEADER_BYTES) / INDEX_RECORD_BYTES;
    assert.deepEqual(facts(HourIndex.parse(bytes, { maxRecords: records })), whole);
    for (let maxRecords = 0; maxRecords < records; maxRecords++) {
      const index = HourIndex.parse(bytes, { maxRecords });
      const offset = INDEX_HEADER_BYTES + maxRecords * INDEX_RECORD_BYTES;
      assert.deepEqual(index.stop, { kind: "full", offset });
      assert.equal(
        index.readBytes,
        ends.findLast((place) => place <= offset),
      );
      assert.equal(index.append(bytes.subarray(index.readBytes)), 0);
      assert.deepEqual(index.stop, { kind: "full", offset });
    }
    assert.equal(MAX_HOUR_RECORDS, 262_144);
  });

  test("takes at most 64 bytes of memory a record, however it came", () => {
    const plan = fc.array(fc.record({ groups: fc.integer({ min: 1, max: 3 }), steps: fc.nat(2) }), {
      minLength: 30,
      maxLength: 60,
    });
    // Tables begin with room for 16 rows each.
    const smallest = 16 * (32 + 32 + 16);
    fc.assert(
      fc.property(plan, fc.integer({ min: 1, max: 40 }), (segments, step) => {
        const hour = new ArchiveHour(HOUR);
        for (const { groups, steps } of segments) {
          hour.segment({ groups, end: "apart" });
          for (let i = 0; i < steps; i++) hour.clockStep(i);
        }
        const all = hour.index;
        const limit = hour.records.length * 64 + smallest;
        assert.ok(HourIndex.parse(all).memoryBytes <= limit);
        const grown = HourIndex.parse(all.subarray(0, INDEX_HEADER_BYTES));
        for (let end = 0; end < all.byteLength; end += step * INDEX_RECORD_BYTES) {
          grown.append(all.subarray(grown.readBytes, Math.max(end, grown.readBytes)));
          const taken = (grown.readBytes - INDEX_HEADER_BYTES) / INDEX_RECORD_BYTES;
          // Tables may have grown for records of a group that is not whole.
          assert.ok(grown.memoryBytes <= (taken + 4) * 64 + smallest);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("whole, keeps no more than it needs", () => {
    const { memoryBytes } = HourIndex.parse(new ArchiveHour(HOUR).segment({ groups: 9 }).segment().index);
    assert.equal(memoryBytes, 20 * 32 + 2 * 32);
  });
});

/** An index of these records, each a group of its own. */
function indexOf(records: readonly Partial<IndexRecord>[]): HourIndex {
  const [chunk, , end] = new ArchiveHour(HOUR).segment().records;
  const bytes = new Uint8Array(records.length * INDEX_RECORD_BYTES);
  for (const [number, record] of records.entries()) {
    const base = record.kind === RECORD_KIND.segmentEnd ? end! : chunk!;
    const flags = (record.flags ?? 0) | RECORD_FLAG.groupEnd;
    writeIndexRecord(bytes, number * INDEX_RECORD_BYTES, { ...base, ...record, flags });
  }
  return HourIndex.parse(concatBytes([buildIndexHeader(HOUR), bytes]));
}

describe("records that make no sense where they stand cost their segment and not the hour", () => {
  const first = (ordinal: number, atUs: number, more: Partial<IndexRecord> = {}): Partial<IndexRecord> => {
    const place = { ordinal, startUs: START_US + atUs };
    return { kind: RECORD_KIND.chunk, flags: RECORD_FLAG.segmentStart, ...place, ...more };
  };
  const chunk = (ordinal: number, more: Partial<IndexRecord> = {}): Partial<IndexRecord> => ({
    kind: RECORD_KIND.chunk,
    ordinal,
    ...more,
  });
  const end = (ordinal: number, atUs: number): Partial<IndexRecord> => ({
    kind: RECORD_KIND.segmentEnd,
    ordinal,
    startUs: START_US + atUs,
  });
  const good = (ordinal: number, atUs: number): Partial<IndexRecord>[] => [
    first(ordinal, atUs),
    end(ordinal, atUs),
  ];
  const cases: readonly {
    name: string;
    records: readonly Partial<IndexRecord>[];
    ordinals: readonly number[];
    ignored: number;
  }[] = [
    { name: "a chunk of no segment", records: [chunk(1), ...good(2, 5)], ordinals: [2], ignored: 1 },
    { name: "an end of no segment", records: [end(1, 0), ...good(2, 5)], ordinals: [2], ignored: 1 },
    { name: "an end that comes twice", records: [...good(1, 0), end(1, 0)], ordinals: [1], ignored: 1 },
    {
      name: "a chunk of another segment than the open one",
      records: [first(1, 0), chunk(2), end(1, 0), ...good(3, 5000)],
      ordinals: [3],
      ignored: 2,
    },
    {
      name: "an end of another segment than the open one",
      records: [first(1, 0), end(2, 0), end(1, 0), ...good(3, 5000)],
      ordinals: [3],
      ignored: 2,
    },
    {
      name: "a segment in two media files",
      records: [first(1, 0), chunk(1, { file: 1 }), end(1, 0), ...good(2, 5000)],
      ordinals: [2],
      ignored: 2,
    },
    {
      name: "a segment that never ended",
      records: [first(1, 0), ...good(2, 5000)],
      ordinals: [2],
      ignored: 0,
    },
    {
      name: "a segment of the hour before",
      records: [first(1, -5), end(1, -5), ...good(2, 5000)],
      ordinals: [2],
      ignored: 1,
    },
    {
      name: "a segment of the hour after",
      records: [...good(1, 0), ...good(2, HOUR_US), ...good(3, HOUR_US - 1)],
      ordinals: [1, 3],
      ignored: 1,
    },
    {
      name: "a segment that starts before the one before it",
      records: [...good(1, 9000), ...good(2, 3000), ...good(3, 12_000)],
      ordinals: [1, 3],
      ignored: 1,
    },
    {
      name: "a segment within the millisecond of the one before it, whose name it would have",
      records: [...good(1, 9000), ...good(2, 9999), ...good(3, 10_000)],
      ordinals: [1, 3],
      ignored: 1,
    },
    {
      name: "an ordinal that was there before",
      records: [...good(5, 0), ...good(5, 3000), ...good(4, 6000), ...good(6, 9000)],
      ordinals: [5, 6],
      ignored: 2,
    },
    {
      name: "an ordinal that is four thousand millions further",
      records: [...good(5, 0), ...good(5 + 2 ** 32, 3000), ...good(4 + 2 ** 32, 6000)],
      ordinals: [5, 4 + 2 ** 32],
      ignored: 1,
    },
  ];
  for (const { name, records, ordinals, ignored } of cases) {
    test(name, () => {
      const index = indexOf(records);
      assert.deepEqual(
        [...index.segments()].map(({ ordinal }) => ordinal),
        ordinals,
      );
      assert.equal(index.ignoredRecords, ignored);
      assert.equal(index.stop, null);
      assert.equal(index.readBytes, INDEX_HEADER_BYTES + records.length * INDEX_RECORD_BYTES);
      for (let place = 0; place < index.segmentCount; place++) assert.equal(index.chunks(place).length, 1);
    });
  }

  test("more chunks than a segment may have", () => {
    const many = Array.from({ length: 65_535 }, (_, i) => (i === 0 ? first(1, 0) : chunk(1)));
    const full = indexOf([...many, end(1, 0)]);
    assert.equal(full.segmentCount, 1);
    assert.equal(full.chunks(0).length, 65_535);
    const beyond = indexOf([...many, chunk(1), end(1, 0), ...good(2, 5000)]);
    assert.deepEqual(
      [...beyond.segments()].map(({ ordinal }) => ordinal),
      [2],
    );
    assert.equal(beyond.ignoredRecords, 2);
    assert.equal(beyond.chunks(0).length, 1);
  });
});
