import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PlayClock } from "./play-clock.ts";

describe("the clock of one player of an archive", () => {
  test("is the media clock, moved", () => {
    const clock = new PlayClock(1_000_000);
    assert.deepEqual([clock.offsetAt(-5), clock.offsetAt(0), clock.offsetAt(9e9)], [1e6, 1e6, 1e6]);
    assert.deepEqual([clock.timeOf(1_000_000), clock.timeOf(900_000)], [0, -100_000]);
  });

  test("goes on over a gap, and finds what is behind it and in front of it", () => {
    const clock = new PlayClock(1000);
    // Up to 6000 of the media clock; from 96 000 on.
    clock.goOn(5000, 91_000);
    assert.deepEqual([clock.offsetAt(4999), clock.offsetAt(5000)], [1000, 91_000]);
    for (const [media, time] of [
      [5999, 4999],
      [6000, 5000],
      [50_000, 5000],
      [96_000, 5000],
      [96_001, 5001],
    ] as const)
      assert.equal(clock.timeOf(media), time, `${media}`);
  });

  test("forgets what it knew of later times when it comes to a break from another side", () => {
    const clock = new PlayClock(0);
    clock.goOn(10, 100);
    clock.goOn(20, 200);
    clock.goOn(15, 150);
    assert.deepEqual([clock.offsetAt(12), clock.offsetAt(30)], [100, 150]);
  });

  test("knows 64 breaks at most, the newest ones", () => {
    const clock = new PlayClock(0);
    for (let i = 1; i <= 1000; i++) clock.goOn(i * 10, i * 100);
    assert.equal(clock.offsetAt(10_000), 100_000);
    assert.equal(clock.offsetAt(9380), 93_800);
    assert.equal(clock.offsetAt(9370), 93_700, "the oldest one stands for all before it");
    assert.equal(clock.offsetAt(0), 93_700);
    assert.equal(clock.offsetAt(5000), 93_700);
  });

  test("with any gaps: a time of it is found again by what it is on the media clock", () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 0, max: 1e12 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 1e10 }), (given, us) => {
        const clock = new PlayClock(1e15);
        let [at, offset] = [0, 1e15];
        for (const [step, gap] of given) {
          at += step;
          offset += gap;
          clock.goOn(at, offset);
        }
        assert.equal(clock.timeOf(us + clock.offsetAt(us)), us);
      }),
    );
  });
});
