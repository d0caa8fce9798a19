import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "./index-record.ts";
import { emptyRecord, readIndexRecord, writeIndexRecord } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";

/** 2025-12-01T00:00:00Z. */
const START_US = 1_764_547_200_000_000;
const MAX_U32 = 2 ** 32 - 1;
const { groupEnd, segmentStart, sync, discontinuity, independent, clockStep } = RECORD_FLAG;

const CHUNK: IndexRecord = {
  kind: RECORD_KIND.chunk,
  trackNumber: 1,
  flags: segmentStart | sync | independent,
  ordinal: 7000,
  startUs: START_US,
  utcUs: START_US + 150_000,
  durationUs: 2_000_000,
  discontinuities: 3,
  offset: 1313,
  size: 250_123,
  headerBytes: 412,
  samples: 50,
  file: 0,
  sequence: 14_011,
};
const MARK = { trackNumber: 0, offset: 0, size: 0, headerBytes: 0, samples: 0 };
const END: IndexRecord = {
  ...CHUNK,
  ...MARK,
  kind: RECORD_KIND.segmentEnd,
  flags: groupEnd | discontinuity | independent,
  ordinal: Number.MAX_SAFE_INTEGER,
  durationUs: MAX_U32,
  discontinuities: MAX_U32,
  file: 3,
};
const STEP: IndexRecord = {
  ...emptyRecord(),
  kind: RECORD_KIND.fact,
  flags: groupEnd | clockStep,
  startUs: START_US,
  utcUs: START_US - 3_600_000_000,
};

/** Laid out by hand from docs/archive-format.md; checksums by Python's zlib. */
const table: readonly { name: string; record: IndexRecord; hex: string }[] = [
  {
    name: "the first chunk of a segment",
    record: CHUNK,
    hex: "51736d8e 01 01 1600 581b000000000000 00a00ba9d8440600 f0e90da9d8440600 80841e00 03000000 2105000000000000 0bd10300 9c010000 3200 00 00 bb360000",
  },
  {
    name: "a chunk of sound far into the last media file",
    record: {
      ...CHUNK,
      trackNumber: 101,
      flags: groupEnd | sync,
      startUs: START_US + 5333,
      durationUs: 2_005_333,
      offset: 2 ** 40 + 5,
      size: 33_000,
      headerBytes: 560,
      samples: 94,
      file: 255,
      sequence: MAX_U32,
    },
    hex: "14aff418 01 65 0500 581b000000000000 d5b40ba9d8440600 f0e90da9d8440600 55991e00 03000000 0500000000010000 e8800000 30020000 5e00 ff 00 ffffffff",
  },
  {
    name: "a segment's end with numbers as large as they may be",
    record: END,
    hex: "3e9b4b3f 02 00 1900 ffffffffffff1f00 00a00ba9d8440600 f0e90da9d8440600 ffffffff ffffffff 0000000000000000 00000000 00000000 0000 03 00 bb360000",
  },
  {
    name: "a clock that was set back by an hour",
    record: STEP,
    hex: "a94f7b48 03 00 2100 0000000000000000 00a00ba9d8440600 00fc77d2d7440600 00000000 00000000 0000000000000000 00000000 00000000 0000 00 00 00000000",
  },
  {
    name: "a segment's start that is shown later than it is decoded",
    record: {
      ...CHUNK,
      ...MARK,
      kind: RECORD_KIND.segmentStart,
      flags: discontinuity | independent,
      ordinal: 7001,
      startUs: START_US + 2_080_000,
      utcUs: START_US + 2_150_000,
      durationUs: 0,
      discontinuities: 4,
      sequence: 14_013,
    },
    hex: "91c9afad 04 00 1800 591b000000000000 005d2ba9d8440600 706e2ca9d8440600 00000000 04000000 0000000000000000 00000000 00000000 0000 00 00 bd360000",
  },
];

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

function written(record: IndexRecord): Buffer {
  const bytes = Buffer.alloc(INDEX_RECORD_BYTES);
  writeIndexRecord(bytes, 0, record);
  return bytes;
}

/** The bytes with other ones at a place, and a checksum that is right again. */
function forged(record: IndexRecord, at: number, hex: string): Buffer {
  const bytes = written(record);
  bytesOf(hex).copy(bytes, at);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

describe("a record of an index", () => {
  for (const { name, record, hex } of table) {
    test(`is written as the page says, and read back: ${name}`, () => {
      assert.equal(written(record).toString("hex"), hex.replaceAll(" ", ""));
      assert.deepEqual(readIndexRecord(bytesOf(hex), 0), record);
    });

    test(`is none when it is cut off, wherever: ${name}`, () => {
      const bytes = bytesOf(hex);
      for (let cut = 0; cut < bytes.byteLength; cut++) {
        assert.equal(readIndexRecord(bytes.subarray(0, cut), 0), null, `cut at ${cut}`);
        const zeroed = Buffer.concat([bytes.subarray(0, cut), Buffer.alloc(bytes.byteLength - cut)]);
        // What is cut off may have been zeros.
        if (!zeroed.equals(bytes)) assert.equal(readIndexRecord(zeroed, 0), null, `zeros from ${cut} on`);
      }
    });

    test(`is none when any bit of it is another: ${name}`, () => {
      for (let bit = 0; bit < INDEX_RECORD_BYTES * 8; bit++) {
        const bytes = bytesOf(hex);
        bytes[bit >>> 3]! ^= 1 << (bit & 7);
        assert.equal(readIndexRecord(bytes, 0), null, `bit ${bit}`);
      }
    });
  }

  test("is read and written at its place among others", () => {
    const bytes = new Uint8Array(40 + table.length * INDEX_RECORD_BYTES).subarray(3);
    for (const [number, { record }] of table.entries()) writeIndexRecord(bytes, 5 + number * 64, record);
    for (const [number, { record }] of table.entries())
      assert.deepEqual(readIndexRecord(bytes, 5 + number * 64), record);
    assert.deepEqual(bytes.subarray(0, 5), new Uint8Array(5));
    assert.equal(readIndexRecord(bytes, 4), null);
    assert.equal(readIndexRecord(bytes, -1), null);
    assert.equal(readIndexRecord(bytes, bytes.byteLength), null);
    assert.throws(() => writeIndexRecord(bytes, bytes.byteLength - 63, CHUNK), RangeError);
  });

  for (const [name, fill] of [
    ["zeros", 0],
    ["ones", 0xff],
  ] as const) {
    test(`is not ${name}`, () =>
      assert.equal(readIndexRecord(new Uint8Array(INDEX_RECORD_BYTES).fill(fill), 0), null));
  }

  test("is read back whatever it says", () => {
    const safe = fc.maxSafeNat();
    const u32 = fc.nat(MAX_U32);
    const chunks = fc.record({
      kind: fc.constant(RECORD_KIND.chunk),
      trackNumber: fc.integer({ min: 1, max: 255 }).filter((number) => number % 100 !== 0),
      flags: fc.nat(7),
      ordinal: safe,
      startUs: fc.nat(2 ** 53 - 2 ** 32),
      utcUs: safe,
      durationUs: u32,
      discontinuities: u32,
      offset: fc.integer({ min: 1, max: 2 ** 53 - 2 ** 32 }),
      size: fc.integer({ min: 2 ** 21, max: MAX_U32 }),
      headerBytes: fc.integer({ min: 32, max: 2 ** 21 }),
      samples: fc.integer({ min: 1, max: 65_535 }),
      file: fc.nat(255),
      sequence: u32,
    });
    fc.assert(
      fc.property(chunks, (record) => assert.deepEqual(readIndexRecord(written(record), 0), { ...record })),
    );
  });
});

describe("a record with a good checksum is none all the same", () => {
  const cases: readonly { name: string; record: IndexRecord; at: number; hex: string }[] = [
    { name: "of kind 0", record: CHUNK, at: 4, hex: "00" },
    { name: "of kind 5", record: CHUNK, at: 4, hex: "05" },
    { name: "of kind 255", record: CHUNK, at: 4, hex: "ff" },
    { name: "with a flag that nobody knows", record: CHUNK, at: 6, hex: "1640" },
    { name: "with the flag of a fact on a chunk", record: CHUNK, at: 6, hex: "3600" },
    { name: "with the flag of a chunk on an end", record: END, at: 6, hex: "1d00" },
    { name: "with the flag of a chunk on a fact", record: STEP, at: 6, hex: "2500" },
    { name: "of a fact that says nothing", record: STEP, at: 6, hex: "0100" },
    { name: "with a break in the middle of its segment", record: CHUNK, at: 6, hex: "0c00" },
    { name: "of track 0", record: CHUNK, at: 5, hex: "00" },
    { name: "of track 100, between video and audio", record: CHUNK, at: 5, hex: "64" },
    { name: "of track 200, between audio and text", record: CHUNK, at: 5, hex: "c8" },
    { name: "of an end with a track", record: END, at: 5, hex: "01" },
    { name: "with an ordinal of 2^53", record: CHUNK, at: 8, hex: "0000000000002000" },
    { name: "with the largest ordinal", record: CHUNK, at: 8, hex: "ffffffffffffffff" },
    { name: "that starts before 1970", record: CHUNK, at: 16, hex: "ffffffffffffffff" },
    { name: "that starts after the year 2255", record: CHUNK, at: 16, hex: "0000000000002000" },
    { name: "that ends after the year 2255", record: CHUNK, at: 16, hex: "ffffffffffff1f00" },
    { name: "that arrived before 1970", record: CHUNK, at: 24, hex: "00000000000000ff" },
    { name: "that arrived after the year 2255", record: STEP, at: 24, hex: "0000000000002000" },
    { name: "of a fact that lasts", record: STEP, at: 32, hex: "01000000" },
    { name: "of a chunk in front of the init segment", record: CHUNK, at: 40, hex: "0000000000000000" },
    { name: "of a chunk beyond what can be counted", record: CHUNK, at: 40, hex: "0000000000002000" },
    { name: "of a chunk that ends there", record: CHUNK, at: 40, hex: "ffffffffffff1f00" },
    { name: "of an end with a place", record: END, at: 40, hex: "0100000000000000" },
    { name: "of a chunk smaller than its header", record: CHUNK, at: 48, hex: "9b010000" },
    { name: "of an end with a size", record: END, at: 48, hex: "01000000" },
    { name: "of a header too small for its boxes", record: CHUNK, at: 52, hex: "1f000000" },
    { name: "of a header larger than all samples need", record: CHUNK, at: 48, hex: "ffffffff01002000" },
    { name: "of an end with a header", record: END, at: 52, hex: "01000000" },
    { name: "of a chunk without samples", record: CHUNK, at: 56, hex: "0000" },
    { name: "of an end with samples", record: END, at: 56, hex: "0100" },
    { name: "with something where nothing is", record: CHUNK, at: 59, hex: "01" },
  ];
  for (const { name, record, at, hex } of cases) {
    test(name, () => {
      assert.deepEqual(readIndexRecord(forged(record, at, ""), 0), record);
      assert.equal(readIndexRecord(forged(record, at, hex), 0), null);
    });
  }

  test("and is not written", () => {
    const bytes = Buffer.alloc(INDEX_RECORD_BYTES);
    const wrong: readonly Partial<IndexRecord>[] = [
      { flags: -1 },
      { flags: 2 ** 16 },
      { trackNumber: 256 },
      { trackNumber: 1.5 },
      { ordinal: -1 },
      { startUs: NaN },
      { utcUs: 2 ** 53 },
      { durationUs: 2 ** 32 },
      { durationUs: -1 },
      { discontinuities: 2 ** 32 },
      { size: 2 ** 32 },
      { headerBytes: 0.5 },
      { samples: 65_536 },
      { file: 256 },
      { sequence: -1 },
      { kind: 7 as IndexRecord["kind"] },
    ];
    for (const change of wrong) {
      const [field] = Object.keys(change);
      const says = new RegExp(`^no index record can have ${field} `);
      assert.throws(
        () => writeIndexRecord(bytes, 0, { ...CHUNK, ...change }),
        (error: Error) => error instanceof RangeError && says.test(error.message),
      );
    }
    assert.deepEqual(bytes, Buffer.alloc(INDEX_RECORD_BYTES));
  });
});
