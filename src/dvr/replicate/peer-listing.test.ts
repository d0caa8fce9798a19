import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MAX_LISTED_HOURS, MAX_LISTED_STREAMS } from "./peer-listing.ts";
import {
  buildHourListing,
  buildStreamListing,
  parseHourListing,
  parseStreamListing,
} from "./peer-listing.ts";

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const HOURS = [
  { hour: 496_640, indexBytes: 64, fillBytes: 0 },
  { hour: 496_642, indexBytes: 0, fillBytes: 640 },
];

describe("a list of hours", () => {
  test("is read as it was built", () => {
    assert.deepEqual(parseHourListing(bytesOf(buildHourListing(HOURS))), HOURS);
  });

  test("is none at any cut", () => {
    const bytes = bytesOf(buildHourListing(HOURS));
    for (let cut = 0; cut < bytes.byteLength; cut++)
      assert.equal(parseHourListing(bytes.subarray(0, cut)), null);
  });

  const odd: readonly (readonly [name: string, value: unknown])[] = [
    ["another version", { version: 2, hours: [] }],
    ["no version", { hours: [] }],
    ["no list", { version: 1, hours: {} }],
    ["a list alone", []],
    ["nothing", null],
    [
      "hours out of order",
      {
        version: 1,
        hours: [
          [2, 64, 0],
          [1, 64, 0],
        ],
      },
    ],
    [
      "an hour twice",
      {
        version: 1,
        hours: [
          [2, 64, 0],
          [2, 64, 0],
        ],
      },
    ],
    ["an hour that there is not", { version: 1, hours: [[1e9, 64, 0]] }],
    ["a part of an hour", { version: 1, hours: [[1.5, 64, 0]] }],
    ["less than no bytes", { version: 1, hours: [[1, -1, 0]] }],
    ["text for a number", { version: 1, hours: [[1, "64", 0]] }],
    ["too few numbers", { version: 1, hours: [[1, 64]] }],
    ["a row that is none", { version: 1, hours: [{ hour: 1 }] }],
    ["too many", { version: 1, hours: Array.from({ length: MAX_LISTED_HOURS + 1 }, (_, i) => [i, 1, 1]) }],
  ];
  for (const [name, value] of odd) {
    test(`is none with ${name}`, () => {
      assert.equal(parseHourListing(bytesOf(value)), null);
    });
  }
});

describe("a list of streams", () => {
  test("is read as it was built, each name once, without those that cannot be", () => {
    const listing = buildStreamListing(["cam/one", "a", "a", "../b", "/c", ""]);
    assert.deepEqual(parseStreamListing(bytesOf(listing)), ["cam/one", "a"]);
  });

  test("is cut to what one list may have", () => {
    const names = Array.from({ length: MAX_LISTED_STREAMS + 1 }, (_, i) => `s${i}`);
    assert.equal(parseStreamListing(bytesOf(buildStreamListing(names)))?.length, MAX_LISTED_STREAMS);
    assert.equal(parseStreamListing(bytesOf({ version: 1, streams: names })), null);
  });

  test("is none with another version, and names are text", () => {
    assert.equal(parseStreamListing(bytesOf({ version: "1", streams: [] })), null);
    assert.deepEqual(parseStreamListing(bytesOf({ version: 1, streams: [1, null, ["a"]] })), []);
  });
});
