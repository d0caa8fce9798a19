import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceText } from "./place.ts";

const file = "a.conf";

test("a place counts lines and columns from one", () => {
  const source = new SourceText({ file, text: "one\ntwo three\n" });
  assert.deepEqual(source.place(8, 13), { file, line: 2, column: 5, length: 5 });
});

test("a column counts characters: a tab is one, and so is a character outside the basic plane", () => {
  const text = "\t\u{1F600}\u{1F600} x\n\u{1F600}y";
  const source = new SourceText({ file, text });
  assert.deepEqual(source.place(1, 5), { file, line: 1, column: 2, length: 2 });
  assert.deepEqual(source.place(6, 7), { file, line: 1, column: 5, length: 1 });
  assert.deepEqual(source.place(10, 11), { file, line: 2, column: 2, length: 1 });
});

test("a place after the last character is the next column", () => {
  const source = new SourceText({ file, text: "rtmp" });
  assert.deepEqual(source.place(4, 5), { file, line: 1, column: 5, length: 1 });
});

test("a place that runs over a line end is cut there", () => {
  const source = new SourceText({ file, text: "one\r\ntwo" });
  assert.deepEqual(source.place(1, 7), { file, line: 1, column: 2, length: 2 });
});

test("a line is given without its line end, whichever it is", () => {
  const source = new SourceText({ file, text: "one\r\ntwo\n\nfour" });
  assert.deepEqual(
    [1, 2, 3, 4].map((line) => source.line(line)),
    ["one", "two", "", "four"],
  );
  assert.equal(source.lineCount, 4);
  assert.equal(source.line(0), "");
  assert.equal(source.line(5), "");
});

test("a byte order mark is no character of the text", () => {
  const source = new SourceText({ file, text: "\uFEFFone" });
  assert.equal(source.text, "one");
  assert.equal(source.place(0, 3).column, 1);
});

test("places in one line of a megabyte are found fast enough to ask for a hundred thousand", () => {
  const source = new SourceText({ file, text: "\u{1F600};".repeat(300_000) });
  let columns = 0;
  for (let offset = 0; offset < 900_000; offset += 9) columns += source.place(offset, offset + 2).column;
  assert.equal(columns, sumOfColumns());
});

/** Every ninth code unit is every sixth character. */
function sumOfColumns(): number {
  let sum = 0;
  for (let index = 0; index < 100_000; index++) sum += index * 6 + 1;
  return sum;
}
