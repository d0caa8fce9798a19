import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RateMeter } from "./rate-meter.ts";

test("rates are of the time between two looks, and of what was there at both", () => {
  const clock = new FakeClock();
  const meter = new RateMeter(clock);
  const look = (afterMs: number, ...sums: [string, number][]): object => {
    clock.advance(afterMs);
    return Object.fromEntries(meter.bps(new Map(sums)));
  };
  assert.deepEqual(look(0, ["a", 1000]), {}, "nothing is known of the time before");
  assert.deepEqual(look(999, ["a", 1200]), {}, "too soon");
  assert.deepEqual(look(1001, ["a", 1500], ["b", 9]), { a: 2000 });
  assert.deepEqual(look(999, ["a", 9000]), { a: 2000 }, "too soon");
  assert.deepEqual(look(1, ["a", 10], ["b", 134]), { a: 0, b: 1000 }, "one began anew");
});

test("sums that are known at the beginning have a rate at the first look", () => {
  const clock = new FakeClock();
  const meter = new RateMeter(clock, new Map([["", 0]]));
  assert.equal(meter.bps(new Map([["", 500]])).get(""), undefined, "too soon");
  clock.advance(4000);
  assert.equal(meter.bps(new Map([["", 500]])).get(""), 1000);
});
