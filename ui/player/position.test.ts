import assert from "node:assert/strict";
import { test } from "node:test";
import { clockTime, formatDelay, formatTime } from "./position.js";

const times: [seconds: number, text: string][] = [
  [0, "0:00"],
  [7.9, "0:07"],
  [61, "1:01"],
  [3599, "59:59"],
  [3723, "1:02:03"],
  [360_000, "100:00:00"],
  [-1, "0:00"],
  [NaN, "0:00"],
  [Infinity, "0:00"],
];

for (const [seconds, text] of times) {
  test(`${seconds} s is written ${text}`, () => assert.equal(formatTime(seconds), text));
}

const delays: [seconds: number, text: string][] = [
  [0, "0.0 s"],
  [0.84, "0.8 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [42.4, "42 s"],
  [200, "3:20 min"],
];
for (const [seconds, text] of delays) {
  test(`a delay of ${seconds} s is written ${text}`, () => assert.equal(formatDelay(seconds), text));
}

test("a time of day is that of this device, or of UTC", () => {
  const timeMs = Date.UTC(2024, 0, 2, 3, 4, 5);
  assert.equal(clockTime(timeMs, false), "03:04:05 UTC");
  const local = new Date(timeMs);
  const parts = clockTime(timeMs, true).split(":").map(Number);
  assert.deepEqual(parts, [local.getHours(), local.getMinutes(), 5]);
  assert.equal(clockTime(NaN, true), "");
});
