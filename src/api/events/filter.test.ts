import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerEvent } from "./event.ts";
import { eventFilter, fitsPattern, queryFilter } from "./filter.ts";

const opened: ServerEvent = {
  event: "play_opened",
  event_id: 1,
  utc_ms: 2,
  server: "one",
  media: "sport/news",
  proto: "hls",
  bytes: 0,
};

test("a filter is lines of keys, all of which have to fit", () => {
  const rows: [string, Parameters<typeof eventFilter>, boolean][] = [
    ["nothing is asked", [[]], true],
    ["the name", [[{ event: ["play_opened"] }]], true],
    ["a part of the name", [[{ event: ["play_*"] }]], true],
    ["another name", [[{ event: ["source_*"] }]], false],
    ["one of two values", [[{ event: ["source_*", "play_*"] }]], true],
    ["both keys", [[{ event: ["play_*"], media: ["sport/*"] }]], true],
    ["one key of two", [[{ event: ["play_*"], media: ["films/*"] }]], false],
    ["one line of two", [[{ media: ["films/*"] }, { proto: ["hls"] }]], true],
    ["a number", [[{ bytes: ["0"] }]], true],
    ["a key that it does not have", [[{ country: ["*"] }]], false],
    ["a key of every object", [[{ constructor: ["*"] }]], false],
    ["an exception", [[], [{ media: ["sport/*"] }]], false],
    ["an exception for others", [[{ event: ["*"] }], [{ media: ["films/*"] }]], true],
    ["what is wanted and excepted", [[{ event: ["*"] }], [{ proto: ["hls"] }]], false],
  ];
  for (const [name, [only, except], isWanted] of rows) {
    assert.equal(eventFilter(only, except)(opened), isWanted, name);
  }
});

test("a star stands for anything and nothing", () => {
  const rows: [string, string, boolean][] = [
    ["abc", "abc", true],
    ["abc", "ab", false],
    ["abc", "*", true],
    ["", "*", true],
    ["abc", "a*c", true],
    ["ac", "a*c", true],
    ["a", "a*a", false],
    ["abcabc", "*b*b*", true],
    ["abc", "*b*b*", false],
    ["a.c", "a.c", true],
    ["abc", "a.c", false],
    ["aXbXc", "a*X*X*c", true],
    ["aXc", "a*X*X*c", false],
  ];
  for (const [text, pattern, fits] of rows)
    assert.equal(fitsPattern(text, pattern), fits, `${text} ${pattern}`);
});

test("a pattern of many stars takes no longer than a short one", () => {
  assert.equal(fitsPattern("a".repeat(10_000), `${"a*".repeat(500)}b`), false);
});

test("a query is a line, within bounds", () => {
  const query = new URLSearchParams("event=play_*,stream_*&media=a&media=b&last_event_id=7");
  assert.deepEqual(queryFilter(query, ["last_event_id"]), {
    event: ["play_*", "stream_*"],
    media: ["a", "b"],
  });
  const keys = new URLSearchParams(
    Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "x"])),
  );
  assert.throws(() => queryFilter(keys, []), { code: "EVENTS_BAD_FILTER" });
  const values = new URLSearchParams({ event: "x,".repeat(65) });
  assert.throws(() => queryFilter(values, []), { code: "EVENTS_BAD_FILTER" });
});
