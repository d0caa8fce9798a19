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
  assert.deepEqual(look(0, ["a", 100]), {});
  assert.deepEqual(look(1000, ["a", 1000]), { a: 0 });
  assert.deepEqual(look(2000, ["a", 1500], ["b", 9]), { a: 2000, b: 0 });
  assert.deepEqual(look(999, ["a", 9000]), { a: 2000, b: 0 }, "too soon");
  assert.deepEqual(look(1, ["a", 10], ["b", 134]), { a: 0, b: 1000 }, "one began anew");
});
