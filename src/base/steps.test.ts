import assert from "node:assert/strict";
import { test } from "node:test";
import { inSlices } from "./slices.ts";
import { finish } from "./steps.ts";
import type { Steps } from "./steps.ts";

function* count(to: number, each: () => void = () => {}): Steps<number> {
  for (let i = 0; i < to; i++) {
    each();
    yield;
  }
  return to;
}

test("steps are done at once, or in slices with turns between them", async () => {
  assert.equal(finish(count(3)), 3);
  let [nowUs, turns] = [0, 0];
  const options = {
    clock: { nowUs: () => nowUs },
    turn: () => Promise.resolve(void turns++),
  };
  // A millisecond each: a turn behind each fourth.
  assert.equal(
    await inSlices(
      count(12, () => void (nowUs += 1000)),
      options,
    ),
    12,
  );
  assert.equal(turns, 3);
  turns = 0;
  await inSlices(count(100), options);
  assert.equal(turns, 0);
});

test("other work of the event loop runs between slices", async () => {
  let nowUs = 0;
  let steps = 0;
  let seen = -1;
  setImmediate(() => void (seen = steps));
  const each = (): void => {
    steps++;
    nowUs += 5000;
  };
  await inSlices(count(10, each), { clock: { nowUs: () => nowUs } });
  assert.ok(seen >= 1 && seen < 10, `${seen}`);
});

test("what steps throw is what the slices reject with", async () => {
  const broken = function* (): Steps<void> {
    yield;
    throw new RangeError("broken");
  };
  await assert.rejects(inSlices(broken(), { clock: { nowUs: () => 0 } }), /broken/);
  assert.throws(() => finish(broken()), RangeError);
});
