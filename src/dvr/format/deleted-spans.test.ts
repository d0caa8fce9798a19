import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { concatBytes } from "../../base/bytes.ts";
import { DELETED_SPAN_BYTES, buildDeletedSpan, deletedFile, readDeletedSpans } from "./deleted-spans.ts";
import type { DeletedSpan } from "./deleted-spans.ts";
import { HOUR_US } from "./hour.ts";
import { HourIndex } from "./hour-index.ts";

const HOUR = 496_640;
const START_US = HOUR * HOUR_US;
const SPANS: readonly DeletedSpan[] = [
  { fromUs: START_US, toUs: START_US },
  { fromUs: START_US + 4_000_000, toUs: START_US + 9_000_000 },
  { fromUs: START_US + 4_000_001, toUs: START_US + 5_000_000 },
];

describe("the file of deleted spans", () => {
  const bytes = concatBytes(SPANS.map((span) => buildDeletedSpan(span, START_US + HOUR_US)));

  test("is read as it was written, in whatever order that was", () => {
    assert.deepEqual(readDeletedSpans(bytes), { spans: SPANS, wholeBytes: 96 });
    const other = concatBytes(SPANS.toReversed().map((span) => buildDeletedSpan(span, 0)));
    assert.deepEqual(readDeletedSpans(other).spans, SPANS);
    assert.equal(deletedFile(HOUR), "2026/08/28/08.del");
  });

  test("has the bytes of the format", () => {
    // Made by Python: struct.pack("<Iqqq", 1, from, to, when) behind its zlib.crc32.
    const hex = "d8a8a1090100000000090dd7165a0600405459d7165a060000a463ad175a0600";
    assert.equal(Buffer.from(buildDeletedSpan(SPANS[1]!, START_US + HOUR_US)).toString("hex"), hex);
  });

  test("that is cut anywhere has the spans whose records are whole", () => {
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      const whole = Math.floor(cut / DELETED_SPAN_BYTES);
      const { spans, wholeBytes } = readDeletedSpans(bytes.subarray(0, cut));
      assert.deepEqual(
        [spans, wholeBytes],
        [SPANS.slice(0, whole), whole * DELETED_SPAN_BYTES],
        `cut at ${cut}`,
      );
    }
  });

  test("with a byte that is wrong anywhere loses that one record, and none behind it", () => {
    for (let at = 0; at < bytes.byteLength; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 0x40;
      const expected = SPANS.toSpliced(Math.floor(at / DELETED_SPAN_BYTES), 1);
      assert.deepEqual(readDeletedSpans(damaged).spans, expected, `at ${at}`);
    }
  });

  test("has no spans that are none", () => {
    const rows: DeletedSpan[] = [
      { fromUs: 5, toUs: 4 },
      { fromUs: -1, toUs: 4 },
      { fromUs: 0, toUs: 2 ** 60 },
    ];
    for (const row of rows) assert.deepEqual(readDeletedSpans(buildDeletedSpan(row, 0)).spans, []);
  });
});

describe("an hour of which something is deleted", () => {
  const hour = new ArchiveHour(HOUR);
  for (let i = 0; i < 10; i++) hour.segment({ discontinuity: i === 3 });

  function read(spans: readonly (readonly [fromS: number, toS: number])[]): HourIndex {
    const deleted = spans.map(([fromS, toS]) => ({
      fromUs: START_US + fromS * 1e6,
      toUs: START_US + toS * 1e6,
    }));
    return HourIndex.parse(hour.index, { deleted: { spans: deleted, wholeBytes: 32 * spans.length } });
  }

  /** Seconds at which segments start, with `*` for a break. */
  function told(index: HourIndex): string {
    return [...index.segments()]
      .map(({ startUs, discontinuity }) => `${(startUs - START_US) / 1e6}${discontinuity ? "*" : ""}`)
      .join(" ");
  }

  const ROWS: readonly [spans: [number, number][], expected: string][] = [
    [[], "0 2 4 6* 8 10 12 14 16 18"],
    [[[4, 10]], "0 2 10* 12 14 16 18"],
    [[[4, 9]], "0 2 10* 12 14 16 18"],
    [[[3, 9]], "0 2 10* 12 14 16 18"],
    [[[0, 4]], "4* 6* 8 10 12 14 16 18"],
    [[[0, 0]], "0* 2 4 6* 8 10 12 14 16 18"],
    [[[12, 3600]], "0 2 4 6* 8 10"],
    [
      [
        [2, 4],
        [8, 14],
        [10, 12],
      ],
      "0 4* 6* 14* 16 18",
    ],
    [[[0, 3600]], ""],
  ];
  for (const [spans, expected] of ROWS)
    test(`lists ${expected === "" ? "nothing" : expected} without ${JSON.stringify(spans)}`, () => {
      assert.equal(told(read(spans)), expected);
    });

  test("finds no name of what is deleted, and all others with their numbers and bytes", () => {
    const [whole, cut] = [read([]), read([[4, 10]])];
    assert.equal(cut.placeOfName(String((START_US + 4_000_000) / 1000)), -1);
    const place = cut.placeOfName(String((START_US + 10_000_000) / 1000));
    assert.equal(place, 2);
    assert.deepEqual(cut.chunks(2), whole.chunks(5));
    assert.equal(cut.segment(2).ordinal, whole.segment(5).ordinal);
    assert.equal(cut.segment(2).isBehindDeleted, true);
    assert.equal(cut.segment(2).discontinuities, whole.segment(5).discontinuities);
    assert.deepEqual(cut.segment(3), whole.segment(6));
    assert.equal(cut.deletedBytes, 32);
  });

  test("is the same read at once or group by group", () => {
    const at = hour.groups[4]!.indexBytes;
    const deleted = {
      spans: [{ fromUs: START_US + 4_000_000, toUs: START_US + 10_000_000 }],
      wholeBytes: 32,
    };
    const index = HourIndex.parse(hour.index.subarray(0, at), { deleted });
    index.append(hour.index.subarray(index.readBytes));
    assert.equal(told(index), told(read([[4, 10]])));
  });
});
