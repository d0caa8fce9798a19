import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { ReadingRests } from "./reading-rests.ts";

describe("connections that are not read for a while", () => {
  let clock: FakeClock;
  let rests: ReadingRests<Sleeper>;

  class Sleeper {
    wokenMs: number[] = [];
    wake(): void {
      this.wokenMs.push(clock.nowUs() / 1000);
    }
  }

  beforeEach(() => {
    clock = new FakeClock();
    rests = new ReadingRests(clock);
  });

  test("wake once, at the next multiple of ten milliseconds", () => {
    const sleeper = new Sleeper();
    clock.advance(3);
    rests.add(sleeper, 25);
    clock.advance(1000);
    assert.deepEqual([sleeper.wokenMs, rests.size, clock.pendingTimers], [[30], 0, 0]);
  });

  test("share one timer", () => {
    const sleepers = Array.from({ length: 100 }, () => new Sleeper());
    for (const [i, sleeper] of sleepers.entries()) rests.add(sleeper, 20 + i);
    assert.deepEqual([clock.pendingTimers, rests.size], [1, 100]);
    clock.advance(60);
    assert.equal(sleepers.filter(({ wokenMs }) => wokenMs.length === 1).length, 41);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(60);
    assert.ok(sleepers.every(({ wokenMs }, i) => wokenMs[0] === Math.ceil((20 + i) / 10) * 10));
  });

  test("wake in time although somebody rests longer already", () => {
    const [long, short] = [new Sleeper(), new Sleeper()];
    rests.add(long, 300);
    rests.add(short, 20);
    clock.advance(20);
    assert.deepEqual([short.wokenMs, long.wokenMs], [[20], []]);
    clock.advance(280);
    assert.deepEqual(long.wokenMs, [300]);
  });

  test("may rest again as they wake", () => {
    const sleeper = new Sleeper();
    sleeper.wake = () => {
      sleeper.wokenMs.push(clock.nowUs() / 1000);
      if (sleeper.wokenMs.length < 3) rests.add(sleeper, 50);
    };
    rests.add(sleeper, 50);
    clock.advance(1000);
    assert.deepEqual(sleeper.wokenMs, [50, 100, 150]);
  });

  test("do not wake when they are forgotten, or when all is stopped", () => {
    const [gone, stopped] = [new Sleeper(), new Sleeper()];
    rests.add(gone, 50);
    rests.add(stopped, 50);
    rests.remove(gone);
    rests.remove(gone);
    assert.equal(rests.size, 1);
    rests.stop();
    clock.advance(100);
    assert.deepEqual([gone.wokenMs, stopped.wokenMs, rests.size, clock.pendingTimers], [[], [], 0, 0]);
  });
});
