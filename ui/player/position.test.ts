import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTime } from "./position.js";

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
