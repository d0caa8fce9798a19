import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesPattern, MAX_PATTERN_LENGTH } from "./name-pattern.ts";

const table: readonly [pattern: string, name: string, fits: boolean][] = [
  ["live/news", "live/news", true],
  ["live/news", "live/news2", false],
  ["live/*", "live/news/low", true],
  ["live/*", "live/", true],
  ["live/*", "liv", false],
  ["*", "", true],
  ["", "", true],
  ["", "a", false],
  ["*news*", "live/news/low", true],
  ["*/a*b", "x/a1b2b", true],
  ["*/a*b", "x/a1b2c", false],
  ["a.c", "abc", false],
  ["(a+)+", "aaaa", false],
  ["[a-z]", "b", false],
  ["a**b", "ab", true],
];
for (const [pattern, name, fits] of table)
  test(`"${name}" ${fits ? "fits" : "does not fit"} "${pattern}"`, () =>
    assert.equal(matchesPattern(name, pattern), fits));

test("a pattern that would take a regular expression for ever is answered at once, a longer one is not looked at", () => {
  const pattern = "*a".repeat(MAX_PATTERN_LENGTH / 2);
  assert.equal(matchesPattern(`${"a".repeat(4000)}b`, pattern), false);
  assert.equal(matchesPattern("a", `${pattern}*`), false);
});
