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

test("the first event is said at once, also in the first second of a clock", () => {
  for (const nowUs of [0, 1, 999_999]) {
    const lines: LogFields[] = [];
    const warn = (_message: string, fields?: LogFields): void => void lines.push(fields ?? {});
    const log = new PerSecondLog({ ...silentLogger, warn }, "dropped");
    log.add(nowUs);
    log.add(nowUs);
    assert.deepEqual(lines, [{ count: 1 }]);
  }
});
