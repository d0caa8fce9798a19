import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ring } from "./ring.ts";

test("behaves like an array with a bound under any sequence of pushes and shifts", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: null }), { maxLength: 300 }), (steps) => {
      const ring = new Ring<number>(40);
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) assert.equal(ring.shift(), model.shift());
        else {
          assert.equal(ring.push(step), model.length < 40);
          if (model.length < 40) model.push(step);
        }
        assert.equal(ring.length, model.length);
        assert.equal(ring.at(0), model[0]);
        assert.equal(ring.at(model.length), undefined);
      }
    }),
    { seed: 11 },
  );
});

test("the bound holds and clearing makes room", () => {
  const ring = new Ring<number>(3);
  assert.deepEqual(
    [1, 2, 3, 4].map((n) => ring.push(n)),
    [true, true, true, false],
  );
  ring.clear();
  assert.equal(ring.length, 0);
  assert.equal(ring.push(5), true);
});
