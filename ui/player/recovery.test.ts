import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import type { Probe } from "./probe.js";
import { Budget, pollDelayMs, ServerWatch } from "./recovery.js";

const paces: [pace: "quick" | "normal" | "slow", delaysMs: number[]][] = [
  ["quick", [1000, 1500, 2000, 2000]],
  ["normal", [1000, 1500, 2250, 3375, 5000, 5000]],
  ["slow", [5000, 7500, 11_250, 16_875, 25_312.5, 30_000, 30_000]],
];
for (const [pace, delaysMs] of paces) {
  test(`the ${pace} pause between questions grows to ${delaysMs.at(-1)} ms`, () => {
    assert.deepEqual(
      delaysMs.map((_, attempt) => pollDelayMs(attempt, pace, 0)),
      delaysMs.map(Math.round),
    );
    assert.equal(pollDelayMs(1_000_000, pace, 0), delaysMs.at(-1));
  });
}

test("chance spreads the viewers of one stream, all but the first time", () => {
  assert.equal(pollDelayMs(0, "normal", 1), 1000);
  assert.equal(pollDelayMs(9, "normal", 1), 4000);
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

const MISSING: Probe = { finding: "missing", status: 404, reason: "", codecs: [], newest: "" };

/** A watch whose server always says the same, and how often it was asked. */
function watching(t: test.TestContext, finding: Probe["finding"] = "missing") {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const watch = new ServerWatch(() => {
    asked++;
    return Promise.resolve({ ...MISSING, finding });
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

test("a watch asks slowly where an answer may take hours, and not at all where asking cannot help", async (t) => {
  const slow = watching(t, "disabled");
  slow.watch.start(() => true);
  await slow.pass(0);
  await slow.pass(4999);
  assert.equal(slow.asked(), 1);
  await slow.pass(1);
  assert.equal(slow.asked(), 2);
  slow.watch.stop();
  t.mock.timers.reset();
  const never = watching(t, "off");
  never.watch.start(() => true);
  await never.pass(0);
  await never.pass(600_000);
  assert.equal(never.asked(), 1);
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
