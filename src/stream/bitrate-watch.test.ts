import assert from "node:assert/strict";
import { test } from "node:test";
import { BitrateWatch } from "./bitrate-watch.ts";

test("a bitrate is told after half a minute, and again when it is half as much again, or two thirds", () => {
  const watch = new BitrateWatch();
  let [bytes, nowUs] = [1000, 5_000_000];
  watch.begin(bytes, nowUs);
  const after = (kbps: number): number | null => {
    assert.equal(watch.dueUs, nowUs + 30_000_000);
    nowUs += 30_000_000;
    bytes += (kbps * 1000 * 30) / 8;
    return watch.look(bytes, nowUs);
  };
  assert.equal(after(2000), 2_000_000);
  for (const kbps of [2000, 2900, 1400, 2999]) assert.equal(after(kbps), null, `${kbps}`);
  assert.equal(after(3000), 3_000_000);
  assert.equal(after(2100), null);
  assert.equal(after(2000), 2_000_000);
  assert.equal(after(0), 0);
  assert.equal(after(100), 100_000);
});
