import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FAKE_WALL_START_US, FakeClock } from "./fake-clock.ts";

describe("the fake clock", () => {
  test("runs timers in order of time, then of their making, each at its own time", () => {
    const clock = new FakeClock();
    const ran: string[] = [];
    const note = (name: string) => () => ran.push(`${name} at ${clock.nowUs()}`);
    clock.schedule(20, note("late"));
    clock.schedule(10, note("first"));
    clock.schedule(10, note("second"));
    clock.advance(9.999);
    assert.deepEqual(ran, []);
    clock.advance(100);
    assert.deepEqual(ran, ["first at 10000", "second at 10000", "late at 20000"]);
    assert.equal(clock.nowUs(), 109_999);
    assert.equal(clock.pendingTimers, 0);
  });

  test("runs what is scheduled meanwhile, when it falls due within the move", () => {
    const clock = new FakeClock();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.schedule(10, tick);
    };
    clock.schedule(10, tick);
    clock.advance(35);
    assert.equal(ticks, 3);
    assert.equal(clock.pendingTimers, 1);
  });

  test("takes a timer back, also twice and after it ran", () => {
    const clock = new FakeClock();
    let ran = 0;
    const kept = clock.schedule(1, () => ran++);
    const cancelled = clock.schedule(1, () => ran++);
    cancelled.cancel();
    cancelled.cancel();
    clock.advance(1);
    kept.cancel();
    assert.equal(ran, 1);
  });

  test("lets promises settle between its steps", async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const work = (async () => {
      for (let round = 0; round < 3; round++) {
        await new Promise<void>((resolve) => clock.schedule(100, resolve));
        seen.push(clock.nowUs());
      }
    })();
    await clock.advanceSettling(300);
    await work;
    assert.deepEqual(seen, [100_000, 200_000, 300_000]);
  });

  test("has wall time that runs with it and can be set", () => {
    const clock = new FakeClock();
    clock.advance(5);
    assert.equal(clock.wallUs(), FAKE_WALL_START_US + 5000);
    clock.stepWall(-1000);
    assert.equal(clock.wallUs(), FAKE_WALL_START_US + 5000 - 1_000_000);
    assert.equal(clock.nowUs(), 5000);
  });
});
