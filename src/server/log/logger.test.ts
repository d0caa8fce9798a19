import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerLogLevel } from "./log-level.ts";
import { makeLogger } from "./logger.ts";

function linesOf(level: ServerLogLevel): Record<string, unknown>[] {
  const lines: string[] = [];
  const log = makeLogger({ level }, { write: (line) => lines.push(line) });
  log.debug("one");
  log.child({ stream: "pub/x" }).info("two", { bytes: 3 });
  log.warn("three");
  log.error("four");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a line is a JSON object with time, level as a word, fields and the message", () => {
  const [, two] = linesOf("debug");
  assert.match(String(two!["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(
    { ...two, time: "" },
    { level: "info", time: "", stream: "pub/x", bytes: 3, msg: "two" },
  );
});

const table = [
  ["debug", 4],
  ["info", 3],
  ["warn", 2],
  ["error", 1],
  ["none", 0],
] as const;
for (const [level, count] of table) {
  test(`level ${level} lets ${count} of four lines through`, () =>
    assert.equal(linesOf(level).length, count));
}

test("a level that changes counts from the next line on, in the logs that were made before too", () => {
  const lines: string[] = [];
  const threshold: { level: ServerLogLevel } = { level: "error" };
  const log = makeLogger(threshold, { write: (line) => lines.push(line) });
  const child = log.child({ stream: "pub/x" });
  child.info("lost");
  threshold.level = "info";
  child.info("told");
  assert.deepEqual([lines.length, child.isEnabled("info"), log.isEnabled("debug")], [1, true, false]);
});
