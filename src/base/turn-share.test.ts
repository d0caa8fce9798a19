import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { TurnShare } from "./turn-share.ts";

/** A share whose turns the test begins. */
function share(perTurn: number): {
  readonly turns: TurnShare;
  next: () => Promise<void>;
  readonly deferred: number;
} {
  const deferred: (() => void)[] = [];
  return {
    turns: new TurnShare(perTurn, (run) => void deferred.push(run)),
    next: async () => {
      for (const run of deferred.splice(0)) run();
      await turn();
    },
    get deferred() {
      return deferred.length;
    },
  };
}

test("so many pass in a turn, the rest in the turns behind it and in their order", async () => {
  const { turns, next } = share(2);
  const passed: number[] = [];
  for (let i = 0; i < 5; i++) turns.pass(() => void passed.push(i));
  await turn();
  assert.deepEqual(passed, [0, 1]);
  assert.equal(turns.waiting, 3);
  await next();
  assert.deepEqual(passed, [0, 1, 2, 3]);
  await next();
  assert.deepEqual(passed, [0, 1, 2, 3, 4]);
  assert.equal(turns.waiting, 0);
});

test("who comes while others wait goes behind them", async () => {
  const { turns, next } = share(1);
  const passed: string[] = [];
  for (const who of ["first", "second"]) turns.pass(() => void passed.push(who));
  await next();
  turns.pass(() => void passed.push("third"));
  await turn();
  assert.deepEqual(passed, ["first", "second"]);
  await next();
  assert.deepEqual(passed, ["first", "second", "third"]);
});

test("a turn is over when nobody passed in the one behind it, and nothing is deferred any more", async () => {
  const parts = share(1);
  parts.turns.pass(() => {});
  assert.equal(parts.deferred, 1);
  await parts.next();
  assert.equal(parts.deferred, 0);
  parts.turns.pass(() => {});
  assert.equal(parts.deferred, 1);
});

test("sockets and timers have their turn between two shares", async () => {
  const turns = new TurnShare(1);
  const order: string[] = [];
  const passed = Array.from({ length: 3 }, async () => {
    await new Promise<void>((resolve) => turns.pass(resolve));
    order.push("share");
  });
  setImmediate(() => order.push("other"));
  await Promise.all(passed);
  assert.deepEqual(order, ["share", "share", "other", "share"]);
});
