import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_DAY_RANGES, readDayRanges, readRecordingRoot, showDayRanges } from "./recording-values.ts";
import { checkDayRanges, checkRecordingRoot } from "./recording-words.fuzz.ts";

const ROOTS: readonly [text: string, root: string][] = [
  ["/storage", "/storage"],
  ["/storage/", "/storage"],
  ["//a///b//", "/a/b"],
  ["/", "/"],
  ["/a b/\u00e9", "/a b/\u00e9"],
  ["/..a/.b", "/..a/.b"],
  ["/s3://x", "/s3:/x"],
  ["@disk1", "@disk1"],
  ["@a/b.c", "@a/b.c"],
];

for (const [text, root] of ROOTS) {
  test(`recordings go to ${text}`, () => {
    assert.deepEqual(readRecordingRoot(text), { root });
    for (let cut = 0; cut <= text.length; cut++) checkRecordingRoot(text.slice(0, cut));
  });
}

/** A root may have credentials in it by mistake: no fault quotes it. */
const NO_ROOTS: readonly [text: string, fault: RegExp][] = [
  ["", /neither a whole path nor @NAME/],
  ["storage", /neither a whole path nor @NAME/],
  ["./storage", /neither a whole path nor @NAME/],
  ["7d", /neither a whole path nor @NAME/],
  ["C:\\storage", /neither a whole path nor @NAME/],
  ["http://hunter2@h/x", /neither a whole path nor @NAME/],
  ["hunter2:x@h/x", /neither a whole path nor @NAME/],
  ["s3://k:hunter2@h/x", /to a bucket directly/],
  ["S3S://k:hunter2@h/x", /to a bucket directly/],
  ["/a/../b", /"\.\."/],
  ["/a/..", /"\.\."/],
  ["/./a", /"\."/],
  ["/a\u0000b", /control character/],
  ["/a\nb", /control character/],
  ["/a\uD800", /control character/],
  ["@", /not a good name/],
  ["@/a", /not a good name/],
  ["@a b", /not a good name/],
  ["@@a", /not a good name/],
  [`@${"a".repeat(256)}`, /not a good name/],
];

for (const [text, fault] of NO_ROOTS) {
  test(`recordings cannot go to ${JSON.stringify(text.slice(0, 40))}`, () => {
    const read = readRecordingRoot(text);
    assert.ok("fault" in read);
    assert.match(read.fault, fault);
    assert.doesNotMatch(JSON.stringify(read), /hunter2/);
  });
}

const SCHEDULES: readonly [text: string, ranges: readonly [from: number, to: number][], shown: string][] = [
  ["0800-1800", [[480, 1080]], "0800-1800"],
  ["8:00-18:00", [[480, 1080]], "0800-1800"],
  ["800-1800", [[480, 1080]], "0800-1800"],
  ["2200-0600", [[1320, 360]], "2200-0600"],
  ["1800-0000", [[1080, 1440]], "1800-2400"],
  ["0000-2400", [[0, 1440]], "0000-2400"],
  [
    "0000-0001,2359-2400",
    [
      [0, 1],
      [1439, 1440],
    ],
    "0000-0001 2359-2400",
  ],
];

for (const [text, pairs, shown] of SCHEDULES) {
  test(`${text} is a schedule`, () => {
    const ranges = pairs.map(([fromMinute, toMinute]) => ({ fromMinute, toMinute }));
    assert.deepEqual(readDayRanges(text), { ranges });
    assert.equal(showDayRanges(ranges).join(" "), shown);
    for (let cut = 0; cut <= text.length; cut++) checkDayRanges(text.slice(0, cut));
  });
}

const NO_SCHEDULES: readonly [text: string, fault: RegExp][] = [
  ["", /no part of a day/],
  ["0800", /no part of a day/],
  ["0800-", /no part of a day/],
  ["8-18", /no part of a day/],
  ["0800-1800,", /no part of a day/],
  ["0800 - 1800", /no part of a day/],
  ["0800-1800-2000", /no part of a day/],
  ["-800-1800", /no part of a day/],
  ["08000-1800", /no part of a day/],
  ["0800-1860", /no such time/],
  ["0860-1800", /no such time/],
  ["0800-2401", /no such time/],
  ["0800-9959", /no such time/],
  ["2400-0800", /no such time/],
  ["0800-0800", /ends where it begins/],
  ["0000-0000", /ends where it begins/],
  ["x token=hunter2", /no part of a day/],
  ["9".repeat(5000), /^"9{57}\.\.\." is no part of a day$/],
];

for (const [text, fault] of NO_SCHEDULES) {
  test(`${JSON.stringify(text.slice(0, 40))} is no schedule`, () => {
    const read = readDayRanges(text);
    assert.ok("fault" in read);
    assert.match(read.fault, fault);
    assert.doesNotMatch(JSON.stringify(read), /hunter2/);
  });
}

test("a schedule has a bounded number of parts", () => {
  const parts = (count: number): string => Array.from({ length: count }, () => "0800-1800").join(",");
  const most = readDayRanges(parts(MAX_DAY_RANGES));
  assert.ok("ranges" in most && most.ranges.length === MAX_DAY_RANGES);
  const more = readDayRanges(parts(MAX_DAY_RANGES + 1));
  assert.ok("fault" in more);
  assert.match(more.fault, /more than 48/);
});

test("every pair of minutes of a day is written so that it reads back the same", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1439 }),
      fc.integer({ min: 1, max: 1440 }),
      (fromMinute, toMinute) => {
        fc.pre(fromMinute !== toMinute);
        const ranges = [{ fromMinute, toMinute }];
        assert.deepEqual(readDayRanges(showDayRanges(ranges).join(",")), { ranges });
      },
    ),
  );
});
