import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LoopMeter } from "./loop-meter.ts";

test("how busy a loop is counts from the look before", () => {
  const clock = new FakeClock();
  let sums = { active: 1000, idle: 1000, utilization: 0.5 };
  const meter = new LoopMeter(clock, () => sums);
  sums = { active: 1250, idle: 1750, utilization: 0.45 };
  assert.equal(meter.percent(), 0, "too soon");
  clock.advance(1000);
  assert.equal(meter.percent(), 25);
  sums = { active: 2250, idle: 1750, utilization: 0.56 };
  clock.advance(999);
  assert.equal(meter.percent(), 25, "too soon");
  clock.advance(1);
  assert.equal(meter.percent(), 100);
  clock.advance(1000);
  assert.equal(meter.percent(), 0, "nothing is known of the time between");
});

test("the loop of this thread has a share", () => {
  const clock = new FakeClock();
  const meter = new LoopMeter(clock);
  for (let i = 0, sum = 0; i < 1e6; i++) sum += i;
  clock.advance(1000);
  const percent = meter.percent();
  assert.ok(percent >= 0 && percent <= 100, String(percent));
});
