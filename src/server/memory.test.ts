import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryBudgetBytes, memoryLimitBytes, overBudget } from "./memory.ts";

const holdings = [
  { stream: "camera", bytes: 10 },
  { stream: "flood", bytes: 500 },
  { stream: "show", bytes: 40 },
  { stream: "flood 2", bytes: 400 },
];

const table: [budget: number, gone: string[]][] = [
  [950, []],
  [949, ["flood"]],
  [100, ["flood", "flood 2"]],
  [5, ["flood", "flood 2", "show", "camera"]],
];
for (const [budget, gone] of table) {
  test(`with room for ${budget}, ${gone.length} of the largest go`, () =>
    assert.deepEqual(overBudget(holdings, budget), gone));
}

test("a budget is a share of what the process may use", () => {
  assert.ok(memoryLimitBytes() > 0);
  assert.ok(memoryBudgetBytes(25) <= Math.max(128 * 2 ** 20, memoryLimitBytes() / 4));
  assert.equal(memoryBudgetBytes(0), 128 * 2 ** 20);
});
