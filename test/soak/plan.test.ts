import assert from "node:assert/strict";
import { test } from "node:test";
import { CROWD, makePlan } from "./plan.ts";

function take<T>(lives: Iterator<T>, count: number): T[] {
  return Array.from({ length: count }, () => lives.next().value as T);
}

test("a seed repeats every life of every role", () => {
  const [one, same, other] = [makePlan(7), makePlan(7), makePlan(8)];
  for (const role of ["publisher", "viewer", "intruder"] as const) {
    const lives = take<unknown>(one[role](3), 50);
    assert.deepEqual(take<unknown>(same[role](3), 50), lives);
    assert.notDeepEqual(take<unknown>(other[role](3), 50), lives);
    assert.notDeepEqual(take<unknown>(one[role](4), 50), lives);
  }
});

test("a slot's lives do not depend on how far the others are", () => {
  const plan = makePlan(7);
  const alone = take(makePlan(7).viewer(1), 10);
  take(plan.viewer(0), 1000);
  take(plan.publisher(1), 1000);
  assert.deepEqual(take(plan.viewer(1), 10), alone);
});

test("half of the viewers stall, a third of these for good", () => {
  const plan = makePlan(1);
  const lives = Array.from({ length: CROWD.viewers }, (_, slot) => take(plan.viewer(slot), 4)).flat();
  const stalls = lives.flatMap(({ stall }) => (stall === null ? [] : [stall]));
  assert.equal(stalls.length * 2, lives.length);
  const forGood = stalls.filter(({ lastsMs }) => lastsMs === null).length / stalls.length;
  assert.ok(forGood > 0.28 && forGood < 0.39, `${forGood}`);
});

test("publishers stay 5 to 60 s, leave in every way, and sometimes want another's name", () => {
  const plan = makePlan(1);
  const lives = Array.from({ length: CROWD.publishers }, (_, slot) =>
    take(plan.publisher(slot), 20).map((life) => ({ slot, ...life })),
  ).flat();
  assert.ok(lives.every(({ lifeMs }) => lifeMs >= 5000 && lifeMs <= 60_000));
  assert.ok(lives.every(({ stream }) => stream >= 0 && stream < CROWD.publishers));
  assert.deepEqual([...new Set(lives.map(({ leaving }) => leaving))].toSorted(), [
    "freeze",
    "polite",
    "reset",
  ]);
  const strangers = lives.filter(({ slot, stream }) => slot !== stream).length / lives.length;
  assert.ok(strangers > 0.03 && strangers < 0.15, `${strangers}`);
});
