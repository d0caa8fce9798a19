import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Allowance } from "./allowance.ts";

test("so many at once, then so many a second, and never more than at once", () => {
  const clock = new FakeClock();
  const allowance = new Allowance(clock, { burst: 3, perSecond: 2 });
  const taken = (): number => {
    let count = 0;
    while (allowance.take()) count++;
    return count;
  };
  assert.equal(taken(), 3);
  clock.advance(499);
  assert.equal(taken(), 0);
  clock.advance(1);
  assert.equal(taken(), 1, "what was refused costs nothing");
  clock.advance(1000);
  assert.equal(taken(), 2);
  clock.advance(60_000);
  assert.equal(taken(), 3);
});
