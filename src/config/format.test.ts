import assert from "node:assert/strict";
import { test } from "node:test";
import { countProblems, formatProblems } from "./format.ts";
import { wholeFile } from "./place.ts";
import { problem, ProblemList } from "./problem.ts";
import type { Paint } from "./format.ts";
import type { Place } from "./place.ts";

const files = [{ file: "a", text: "one two\nthree\n\tfour five\n" }];

function at(line: number, column: number, length: number): Place {
  return { file: "a", line, column, length };
}

function lines(...all: string[]): string {
  return all.join("\n");
}

test("a problem without a line is named by its file", () => {
  const found = problem("error", "CONFIG_FILE_UNREADABLE", wholeFile("/etc/x.conf"), "cannot be read", {
    hint: "look",
  });
  assert.equal(
    formatProblems([found], []),
    lines("error: cannot be read", "  --> /etc/x.conf", "   = look", ""),
  );
});

test("a problem in a file that is not at hand is named by its place", () => {
  const found = problem("warning", "CONFIG_NO_EFFECT_YET", { ...at(3, 4, 1), file: "b" }, "text");
  assert.equal(formatProblems([found], files), lines("warning: text", "  --> b:3:4", ""));
});

test("two problems have an empty line between them", () => {
  const one = problem("error", "CONFIG_BAD_VALUE", at(1, 1, 3), "m");
  const two = problem("note", "CONFIG_NOT_NEEDED", at(2, 1, 5), "n");
  const expected = lines(
    "error: m",
    "  --> a:1:1",
    "   |",
    " 1 | one two",
    "   | ^^^",
    "",
    "note: n",
    "  --> a:2:1",
    "   |",
    " 2 | three",
    "   | ^^^^^",
    "",
  );
  assert.equal(formatProblems([one, two], files), expected);
});

test("a tab stays a tab, so that the caret stands under its word", () => {
  const found = problem("error", "CONFIG_BAD_VALUE", at(3, 7, 4), "m", { hint: "h" });
  const expected = lines("error: m", "  --> a:3:7", "   |", " 3 | \tfour five", "   | \t     ^^^^ h", "");
  assert.equal(formatProblems([found], files), expected);
});

test("the gutter is as wide as the widest line number of a problem", () => {
  const text = "x\n".repeat(120);
  const related = [{ file: "a", line: 120, column: 1, length: 1, message: "there" }];
  const found = problem("error", "CONFIG_DEFINED_TWICE", at(9, 1, 1), "m", { related });
  const expected = lines(
    "error: m",
    "    --> a:9:1",
    "     |",
    "   9 | x",
    "     | ^",
    "    ::: a:120:1",
    "     |",
    " 120 | x",
    "     | - there",
    "",
  );
  assert.equal(formatProblems([found], [{ file: "a", text }]), expected);
});

test("a related place without a text is named in one line", () => {
  const related = [{ ...wholeFile("b"), message: "there" }];
  const found = problem("error", "CONFIG_DEFINED_TWICE", at(2, 1, 5), "m", { related });
  const expected = lines(
    "error: m",
    "  --> a:2:1",
    "   |",
    " 2 | three",
    "   | ^^^^^",
    "  ::: b there",
    "",
  );
  assert.equal(formatProblems([found], files), expected);
});

test("of a long line the part around the place is shown", () => {
  const text = `${"a".repeat(500)} here ${"b".repeat(500)}`;
  const found = problem("error", "CONFIG_BAD_VALUE", at(1, 502, 4), "m");
  const rendered = formatProblems([found], [{ file: "a", text }]).split("\n");
  assert.equal(rendered[3], ` 1 | ...${"a".repeat(39)} here ${"b".repeat(75)}...`);
  assert.equal(rendered[4]?.indexOf("^^^^"), rendered[3].indexOf("here"));
  assert.ok(rendered.every((line) => line.length < 140));
});

test("marks end where the shown line ends", () => {
  const found = problem("error", "CONFIG_BAD_VALUE", at(1, 2, 100_000), "m");
  const rendered = formatProblems([found], [{ file: "a", text: "abc" }]);
  assert.equal(rendered, lines("error: m", "  --> a:1:2", "   |", " 1 | abc", "   |  ^^", ""));
});

test("nothing that a terminal would obey is printed", () => {
  const text = "a\u001b[31m\u0007\u009b\u202E\u0000b";
  const bad = "x\u001b]0;evil\u0007";
  const found = problem("error", "CONFIG_BAD_CHARACTER", { ...at(1, 1, 1), file: bad }, bad, { hint: bad });
  const rendered = formatProblems([found], [{ file: bad, text }]);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(rendered, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
  assert.match(rendered, / 1 \| a\?\[31m\?\?\?\?b/);
});

test("colour is put on by whoever asks for it", () => {
  const paint: Paint = (role, text) => `<${role}>${text}</>`;
  const found = problem("error", "CONFIG_BAD_VALUE", at(1, 1, 3), "m", { hint: "h" });
  const expected = lines(
    "<error>error</><message>: m</>",
    "  <gutter>--></> a:1:1",
    "<gutter>   |</>",
    "<gutter> 1 |</> one two",
    "<gutter>   |</> <error>^^^ h</>",
    "",
  );
  assert.equal(formatProblems([found], files, paint), expected);
});

const SECRETS: readonly [text: string, shown: string][] = [
  ["edit_auth root hunter2;", "edit_auth root *******;"],
  ['view_auth "a b" "hunter 2";', 'view_auth "a b" ******* **;'],
  ["cluster_key hunter2;", "cluster_key *******;"],
  ["stream a { password hunter2; }", "stream a { password *******; }"],
  ["pasword hunter2;", "pasword *******;"],
  ["edit_aut root hunter2", "edit_aut root *******"],
  ["http 80 edit_auth", "http 80 edit_auth"],
  ["storage s3://key:hunter2@host/x;", "storage s3://***********@host/x;"],
  ["input a passphrase=hunter2;", "input a passphrase=*******;"],
  ['input a headers="hunter 2";', "input a headers=******* **;"],
  ["on_play securetoken://hunter2;", "on_play securetoken://*******;"],
  ["# a comment\thunter", "# a comment\thunter"],
];

for (const [text, shown] of SECRETS) {
  test(`the excerpt of ${text.replace("hunter", "")} does not show the secret`, () => {
    const found = problem("error", "CONFIG_BAD_VALUE", at(1, 1, 1), "m");
    assert.equal(formatProblems([found], [{ file: "a", text }]).split("\n")[3], ` 1 | ${shown}`);
  });
}

test("a secret on the next line is hidden too, and so is one whose quote is not closed", () => {
  const text = 'edit_auth root\n  hunter2\n  "hunter2\n;';
  for (const line of [2, 3]) {
    const found = problem("error", "CONFIG_BAD_VALUE", at(line, 1, 1), "m");
    assert.doesNotMatch(formatProblems([found], [{ file: "a", text }]), /hunter/);
  }
});

test("problems are counted in words", () => {
  const list = new ProblemList();
  assert.equal(countProblems(list.list([])), "");
  list.error("CONFIG_BAD_VALUE", at(1, 1, 1), "m");
  list.note("CONFIG_NOT_NEEDED", at(1, 1, 1), "m");
  assert.equal(countProblems(list.list([])), "1 error");
  list.error("CONFIG_BAD_VALUE", at(1, 1, 1), "m");
  list.warning("CONFIG_NO_EFFECT_YET", at(1, 1, 1), "m");
  assert.equal(countProblems(list.list([])), "2 errors, 1 warning");
});

test("problems are listed by file, line and column, unknown files last", () => {
  const list = new ProblemList();
  const places = [
    { ...at(2, 1, 1), file: "z" },
    { ...at(1, 5, 1), file: "b" },
    at(9, 1, 1),
    at(2, 7, 1),
    at(2, 3, 1),
  ];
  for (const place of places) list.error("CONFIG_BAD_VALUE", place, "m");
  assert.deepEqual(
    list.list(["b", "a"]).map((one) => `${one.file}:${one.line}:${one.column}`),
    ["b:1:5", "a:2:3", "a:2:7", "a:9:1", "z:2:1"],
  );
});
