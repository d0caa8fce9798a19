import assert from "node:assert/strict";
import { test } from "node:test";
import { PerSecondLog, silentLogger } from "./log.ts";
import type { LogFields } from "./log.ts";

test("a thousand events in a second are one line with a count", () => {
  const lines: LogFields[] = [];
  const log = new PerSecondLog(
    { ...silentLogger, warn: (_message, fields) => lines.push(fields ?? {}) },
    "dropped",
  );
  for (let i = 0; i < 1000; i++) log.add(5_000_000 + i * 100, { cause: i });
  assert.deepEqual(lines, [{ cause: 0, count: 1 }]);
  log.add(6_000_000, { cause: "last" });
  assert.deepEqual(lines[1], { cause: "last", count: 1000 });
  log.flush();
  assert.equal(lines.length, 2);
  assert.equal(log.total, 1001);
});
