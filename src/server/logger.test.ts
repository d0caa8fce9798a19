import assert from "node:assert/strict";
import { test } from "node:test";
import { makeLogger } from "./logger.ts";

function linesOf(level: Parameters<typeof makeLogger>[0]): Record<string, unknown>[] {
  const lines: string[] = [];
  const log = makeLogger(level, { write: (line) => lines.push(line) });
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
