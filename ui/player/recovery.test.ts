import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import type { Probe } from "./probe.js";
import { Budget, pollDelayMs, ServerWatch } from "./recovery.js";

test("the pause between questions grows from 1 s to 5 s", () => {
  const delays = Array.from({ length: 8 }, (_, attempt) => pollDelayMs(attempt, 0));
  assert.deepEqual(delays, [1000, 1500, 2250, 3375, 5000, 5000, 5000, 5000]);
  assert.equal(pollDelayMs(1_000_000, 0), 5000);
});

test("chance spreads the viewers of one stream, all but the first time", () => {
  assert.equal(pollDelayMs(0, 1), 1000);
  assert.equal(pollDelayMs(9, 1), 4000);
});

test("a budget counts its attempts, ends, and forgives what is old", () => {
  const budget = new Budget(2, 60_000);
  assert.deepEqual(
    [0, 1000, 2000, 59_999].map((ms) => budget.take(ms)),
    [1, 2, 0, 0],
  );
  assert.equal(budget.take(60_000), 2);
  assert.equal(budget.take(60_500), 0);
  budget.refill();
  assert.equal(budget.take(60_600), 1);
});

const MISSING: Probe = { finding: "missing", status: 404, reason: "", codecs: [] };

/** A watch whose server always says the same, and how often it was asked. */
function watching(t: test.TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const watch = new ServerWatch(() => {
    asked++;
    return Promise.resolve(MISSING);
  });
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await settled();
  };
  return { watch, pass, asked: () => asked };
}

test("a watch asks at once, then in its rhythm, until the answer is enough", async (t) => {
  const { watch, pass, asked } = watching(t);
  watch.start((_probe, attempt) => attempt < 2);
  await pass(0);
  assert.equal(asked(), 1);
  await pass(999);
  assert.equal(asked(), 1);
  await pass(1);
  assert.equal(asked(), 2);
  await pass(1500);
  assert.equal(asked(), 3);
  await pass(60_000);
  assert.equal(asked(), 3);
});

test("a poke ends the pause, and nothing else", async (t) => {
  const { watch, pass, asked } = watching(t);
  watch.poke();
  watch.start(() => true);
  await pass(0);
  watch.poke();
  await pass(0);
  assert.equal(asked(), 2);
  watch.poke();
  watch.poke();
  await pass(0);
  assert.equal(asked(), 3);
});

test("a stopped watch neither asks nor tells", async (t) => {
  const { watch, pass, asked } = watching(t);
  let told = 0;
  watch.start(() => {
    told++;
    return true;
  });
  watch.stop();
  await pass(10_000);
  assert.deepEqual([asked(), told], [1, 0]);
  watch.start(() => {
    told++;
    return true;
  });
  await pass(0);
  watch.stop();
  watch.stop();
  await pass(60_000);
  assert.deepEqual([asked(), told], [2, 1]);
});

test("a new start takes the place of the one before", async (t) => {
  const { watch, pass } = watching(t);
  const told: string[] = [];
  watch.start(() => told.push("first") > 0);
  watch.start(() => told.push("second") > 0);
  await pass(0);
  await pass(1000);
  assert.deepEqual(told, ["second", "second"]);
});
