import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { BelievedTime } from "./believed-time.ts";

const HOUR_MS = 3_600_000;

/** Looks every minute for a while. */
function pass(clock: FakeClock, time: BelievedTime, ms: number): void {
  for (let left = ms; left > 0; left -= 60_000) {
    clock.advance(Math.min(60_000, left));
    time.nowMs();
  }
}

function start(): { clock: FakeClock; time: BelievedTime; aheadMs: () => number } {
  const clock = new FakeClock();
  const time = new BelievedTime(clock);
  const startMs = time.nowMs();
  return { clock, time, aheadMs: () => Math.round(time.nowMs() - startMs - clock.nowUs() / 1000) };
}

test("a clock that goes as clocks go is believed, also where it is put right by seconds", () => {
  const { clock, time, aheadMs } = start();
  for (let i = 0; i < 100; i++) {
    clock.stepWall(3000);
    pass(clock, time, 60_000);
  }
  assert.equal(aheadMs(), 300_000);
});

test("a clock that is set on by hours is believed after a day", () => {
  const { clock, time, aheadMs } = start();
  clock.stepWall(30 * HOUR_MS);
  assert.equal(aheadMs(), 0);
  pass(clock, time, 23 * HOUR_MS);
  assert.equal(aheadMs(), 0);
  pass(clock, time, HOUR_MS);
  assert.equal(aheadMs(), 30 * HOUR_MS);
});

test("a clock that is set on and put right was never believed; what it was wrong by twice counts together", () => {
  const { clock, time, aheadMs } = start();
  clock.stepWall(30 * HOUR_MS);
  pass(clock, time, HOUR_MS);
  clock.stepWall(2 * HOUR_MS);
  pass(clock, time, HOUR_MS);
  assert.equal(aheadMs(), 0);
  clock.stepWall(-31 * HOUR_MS);
  assert.equal(aheadMs(), 0, "an hour of it is doubted still");
  clock.stepWall(-HOUR_MS);
  assert.equal(aheadMs(), 0);
  pass(clock, time, 30 * HOUR_MS);
  assert.equal(aheadMs(), 0);
});

test("a clock that is set back is believed at once", () => {
  const { clock, time, aheadMs } = start();
  clock.stepWall(-HOUR_MS);
  assert.equal(aheadMs(), -HOUR_MS);
  pass(clock, time, HOUR_MS);
  assert.equal(aheadMs(), -HOUR_MS);
});
