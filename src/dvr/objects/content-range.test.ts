import assert from "node:assert/strict";
import { test } from "node:test";
import { parseContentRange } from "./content-range.ts";

const GOOD = [
  { text: "bytes 0-0/1", value: { from: 0, to: 1, totalBytes: 1 } },
  { text: "bytes 100-199/1000", value: { from: 100, to: 200, totalBytes: 1000 } },
  { text: "bytes 5-9/*", value: { from: 5, to: 10, totalBytes: null } },
  { text: "Bytes 0-999999999999999/*", value: { from: 0, to: 1e15, totalBytes: null } },
] as const;

const BAD = [
  "",
  "bytes",
  "bytes */1000",
  "bytes 5-4/10",
  "bytes 0-10/10",
  "bytes 0-9/10, 20-29/10",
  "bytes -1-5/10",
  "bytes 0-9/10 ",
  "items 0-9/10",
  "bytes 0x0-9/10",
  "bytes 0-9999999999999999/*",
  "bytes 0\u0660-9/10",
];

test("a range of bytes is read", () => {
  for (const { text, value } of GOOD) assert.deepEqual(parseContentRange(text), value, text);
});

test("what is no range of bytes is none", () => {
  for (const text of BAD) assert.equal(parseContentRange(text), null, text);
});

test("a range that is cut is none, or a smaller number of the same range", () => {
  for (const { text, value } of GOOD)
    for (let cut = 0; cut < text.length; cut++) {
      const read = parseContentRange(text.slice(0, cut));
      if (read === null) continue;
      assert.deepEqual([read.from, read.to], [value.from, value.to]);
      assert.ok(
        read.totalBytes !== null && value.totalBytes !== null && read.totalBytes < value.totalBytes,
      );
    }
});
