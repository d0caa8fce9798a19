import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  MAX_SPAN_FROM_S,
  MAX_SPAN_S,
  formatStem,
  formatTimeSpan,
  parseStem,
  parseTimeSpan,
} from "./time-span.ts";
import type { LiveStem, TimeSpan } from "./time-span.ts";

/** Each name, the span, and the name that is written of it where that is another one. */
const good: readonly (readonly [stem: string, span: TimeSpan, canonical?: string])[] = [
  ["archive-1700000000-3600", { kind: "archive", fromS: 1_700_000_000, durationS: 3600 }],
  ["archive-1700000000-1", { kind: "archive", fromS: 1_700_000_000, durationS: 1 }],
  ["archive-1700000000-now", { kind: "archive", fromS: 1_700_000_000, durationS: null }],
  ["archive-0-now", { kind: "archive", fromS: 0, durationS: null }],
  [
    `archive-${MAX_SPAN_FROM_S}-${MAX_SPAN_S}`,
    { kind: "archive", fromS: MAX_SPAN_FROM_S, durationS: MAX_SPAN_S },
  ],
  [
    "archive-1700000000250-3600",
    { kind: "archive", fromS: 1_700_000_000.25, durationS: 3600 },
    "archive-1700000000250-3600",
  ],
  [
    "archive-1700000000000-now",
    { kind: "archive", fromS: 1_700_000_000, durationS: null },
    "archive-1700000000-now",
  ],
  ["rewind-7200", { kind: "rewind", agoS: 7200 }],
  ["rewind-1", { kind: "rewind", agoS: 1 }],
  [`rewind-${MAX_SPAN_S}`, { kind: "rewind", agoS: MAX_SPAN_S }],
  ["timeshift_abs-1700000000", { kind: "timeshift_abs", fromS: 1_700_000_000 }],
  ["timeshift_abs-1700000000999", { kind: "timeshift_abs", fromS: 1_700_000_000.999 }],
  ["timeshift_rel-3600", { kind: "timeshift_rel", agoS: 3600 }],
];

for (const [stem, span, canonical = stem] of good) {
  test(`${stem} is a span of time, and is written as ${canonical}`, () => {
    assert.deepEqual(parseTimeSpan(stem), span);
    assert.equal(formatTimeSpan(span), canonical);
    assert.deepEqual(parseTimeSpan(canonical), span);
  });
}

const old: readonly (readonly [stem: string, word: LiveStem, canonical: string])[] = [
  ["index-1429829184-10800", "index", "archive-1429829184-10800"],
  ["index-1409148900-now", "index", "archive-1409148900-now"],
  ["index-1345345345354-3600", "index", "archive-1345345345354-3600"],
  ["video-1350274200-4200", "video", "archive-1350274200-4200"],
  ["video-1350274200-now", "video", "archive-1350274200-now"],
  ["video-timeshift_abs-1350274200", "video", "timeshift_abs-1350274200"],
  ["video-timeshift_rel-60", "video", "timeshift_rel-60"],
  ["video-rewind-7200", "video", "rewind-7200"],
  ["mono-1362504585-3600", "mono", "archive-1362504585-3600"],
  ["mono-timeshift_abs-1362504585", "mono", "timeshift_abs-1362504585"],
];

for (const [stem, word, canonical] of old) {
  test(`${stem} is ${canonical} where ${word} is a word, and nothing elsewhere`, () => {
    const span = parseTimeSpan(stem, word);
    assert.ok(span !== null);
    assert.equal(formatTimeSpan(span), canonical);
    assert.equal(parseTimeSpan(stem), null);
    assert.equal(parseTimeSpan(stem, word === "index" ? "mono" : "index"), null);
    assert.deepEqual(parseTimeSpan(canonical, word), span);
  });
}

test("the name of a playlist says that it is live, or which span it is", () => {
  assert.deepEqual(parseStem("mono", "mono"), {});
  assert.deepEqual(parseStem("rewind-60", "mono"), { span: { kind: "rewind", agoS: 60 } });
  assert.deepEqual(parseStem("mono-1-2", "mono"), parseStem("archive-1-2", "mono"));
  for (const stem of ["index", "mono-", "mon", "monos", "", "index-1-2"])
    assert.equal(parseStem(stem, "mono"), null, stem);
  for (const stem of ["video", "timeshift_abs-1700000000123"])
    assert.equal(formatStem(parseStem(stem, "video")!, "video"), stem);
});

describe("no span of time:", () => {
  const bad = [
    "",
    "-",
    "index",
    "now",
    "archive",
    "archive-",
    "archive-1700000000",
    "archive-1700000000-",
    "archive-1700000000-0",
    "archive-1700000000--5",
    "archive--1-5",
    "archive-+1-5",
    "archive-1-+5",
    "archive-1e3-5",
    "archive-1-5e3",
    "archive-0x10-5",
    "archive-1.5-5",
    "archive-1-5.5",
    "archive-01-5",
    "archive-00-5",
    "archive-1-05",
    "archive-1-5-now",
    "archive-1-5 ",
    " archive-1-5",
    "archive-1-5\n",
    "archive-now-5",
    "archive-1-NOW",
    "Archive-1-5",
    "archive-\u0661-5",
    "archive-NaN-5",
    "archive-Infinity-now",
    `archive-${MAX_SPAN_FROM_S + 1}-5`,
    `archive-${(MAX_SPAN_FROM_S + 1) * 1000}-5`,
    "archive-12345678901-5",
    "archive-17000000000000-5",
    `archive-1-${MAX_SPAN_S + 1}`,
    "archive-1-9999999999",
    "archive-1-99999999999999999999",
    `archive-${"9".repeat(400)}-5`,
    "archive_1-5",
    "rewind",
    "rewind-",
    "rewind-0",
    "rewind-00",
    "rewind-07",
    "rewind--1",
    "rewind-now",
    "rewind-1-2",
    `rewind-${MAX_SPAN_S + 1}`,
    "timeshift_abs-",
    "timeshift_abs-now",
    "timeshift_abs-1-2",
    "timeshift_abs-01",
    `timeshift_abs-${MAX_SPAN_FROM_S + 1}`,
    "timeshift_rel-0",
    "timeshift_rel-1-2",
    "timeshift-1",
    "timeshift_abs",
    "timeshift_abs/1700000000",
    "toString-1",
    "constructor-1-2",
    "1700000000-3600",
    "index-index-1-2",
    "index-video-1-2",
    "index-",
    "index-1",
    "index-1-0",
  ];
  for (const stem of bad) {
    test(JSON.stringify(stem.slice(0, 40)), () => {
      for (const word of [undefined, "index", "video", "mono"] as const)
        assert.equal(parseTimeSpan(stem, word), null, word);
    });
  }
});

test("of a name that is cut off anywhere a span of other words is never made", () => {
  for (const [stem, { kind }] of good) {
    for (let end = 0; end < stem.length; end++) {
      const span = parseTimeSpan(stem.slice(0, end));
      // A number that is cut is a number; anything else is nothing.
      if (span !== null) assert.match(stem.slice(end - 1), /^[0-9]{2,}(?:-|$)/, `${stem} at ${end}`);
      assert.ok(span === null || span.kind === kind);
    }
  }
});

test("numbers up to 2^40 are read as they are, or refused for what they are", () => {
  const number = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 31 }),
    fc.maxSafeInteger().map((value) => Math.abs(value) % 2 ** 40),
    fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32, MAX_SPAN_FROM_S, MAX_SPAN_FROM_S + 1, 2 ** 40),
  );
  const length = fc.oneof(number, fc.integer({ min: 0, max: MAX_SPAN_S }));
  fc.assert(
    fc.property(number, length, (from, seconds) => {
      const fromS = String(from).length === 13 ? from / 1000 : from;
      const isTime = fromS <= MAX_SPAN_FROM_S;
      const isLength = seconds >= 1 && seconds <= MAX_SPAN_S;
      const wanted = (isGood: boolean, span: TimeSpan): TimeSpan | null => (isGood ? span : null);
      const spans: readonly (readonly [string, TimeSpan | null])[] = [
        [
          `archive-${from}-${seconds}`,
          wanted(isTime && isLength, { kind: "archive", fromS, durationS: seconds }),
        ],
        [`archive-${from}-now`, wanted(isTime, { kind: "archive", fromS, durationS: null })],
        [`timeshift_abs-${from}`, wanted(isTime, { kind: "timeshift_abs", fromS })],
        [`timeshift_rel-${seconds}`, wanted(isLength, { kind: "timeshift_rel", agoS: seconds })],
        [`rewind-${seconds}`, wanted(isLength, { kind: "rewind", agoS: seconds })],
      ];
      for (const [stem, span] of spans) {
        assert.deepEqual(parseTimeSpan(stem), span, stem);
        if (span !== null) assert.deepEqual(parseTimeSpan(formatTimeSpan(span)), span, stem);
      }
      assert.equal(parseTimeSpan(`archive-0${from}-now`), null);
      assert.equal(parseTimeSpan(`rewind-0${seconds}`), null);
    }),
    { seed: 6, numRuns: 2000 },
  );
});

test("the end of the longest span is exact in microseconds", () => {
  assert.ok(Number.isSafeInteger((MAX_SPAN_FROM_S + MAX_SPAN_S) * 1_000_000));
});
