import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_AUTO_WINDOW_MS, SendPace } from "./send-pace.ts";

function withViewers(viewers: number): SendPace {
  const pace = new SendPace();
  for (let i = 0; i < viewers; i++) pace.joined();
  return pace;
}

for (const [viewers, leastMs, mostMs] of [
  [0, 0, 0],
  [1, 0, 1],
  [50, 1, 5],
  [1000, 80, 100],
  [3000, 250, 300],
  [20_000, MAX_AUTO_WINDOW_MS, MAX_AUTO_WINDOW_MS],
] as const) {
  test(`the adaptive window of ${viewers} viewers is ${leastMs} to ${mostMs} ms`, () => {
    const windowMs = withViewers(viewers).windowMs("auto");
    assert.ok(windowMs >= leastMs && windowMs <= mostMs, `${windowMs}`);
  });
}

test("writes of an adaptive window take a tenth of a core at 9 us each, up to its widest", () => {
  for (const viewers of [500, 1000, 3000]) {
    const writesPerSecond = (viewers * 1000) / withViewers(viewers).windowMs("auto");
    assert.ok(Math.abs(writesPerSecond * 9e-6 - 0.1) < 0.01);
  }
});

test("a fixed window stays what it is", () => {
  const pace = withViewers(5000);
  for (let i = 0; i < 50; i++) pace.noteLateness(500_000);
  assert.equal(pace.windowMs(100), 100);
  assert.equal(pace.windowMs(0), 0);
});

test("a loop that is late widens the adaptive window, and one late timer does not", () => {
  const pace = withViewers(10);
  pace.noteLateness(30_000);
  assert.ok(pace.windowMs("auto") < 1);
  for (let i = 0; i < 40; i++) pace.noteLateness(30_000);
  assert.ok(pace.windowMs("auto") > 100);
  for (let i = 0; i < 1000; i++) pace.noteLateness(1_000_000);
  assert.equal(pace.windowMs("auto"), MAX_AUTO_WINDOW_MS);
  for (let i = 0; i < 100; i++) pace.noteLateness(-500);
  assert.ok(pace.windowMs("auto") < 1, "it narrows again");
});

test("viewers that leave narrow it", () => {
  const pace = withViewers(1000);
  for (let i = 0; i < 1000; i++) pace.left();
  assert.equal(pace.windowMs("auto"), 0);
});

test("tasks run once, in order, after the turn; what they add runs after the next", () => {
  const turns: (() => void)[] = [];
  const pace = new SendPace((run) => turns.push(run));
  const ran: string[] = [];
  pace.atEndOfTurn({
    endOfTurn: () => {
      ran.push("a");
      pace.atEndOfTurn({ endOfTurn: () => void ran.push("c") });
    },
  });
  pace.atEndOfTurn({ endOfTurn: () => void ran.push("b") });
  assert.equal(turns.length, 1, "one call for all");
  turns.shift()!();
  assert.deepEqual(ran, ["a", "b"]);
  turns.shift()!();
  assert.deepEqual(ran, ["a", "b", "c"]);
});

test("without another way, a task runs as a microtask", async () => {
  let ran = false;
  new SendPace().atEndOfTurn({ endOfTurn: () => void (ran = true) });
  assert.equal(ran, false);
  await Promise.resolve();
  assert.equal(ran, true);
});
