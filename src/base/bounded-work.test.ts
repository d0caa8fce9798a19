import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoundedWork } from "./bounded-work.ts";

const busy = (waiting: number): Error => new RangeError(`${waiting} wait`);

function gate() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { task: () => promise, open: resolve, fail: reject };
}

describe("BoundedWork", () => {
  test("runs no more than it may at a time, in order", async () => {
    const work = new BoundedWork({ running: 2, waiting: 10 }, busy);
    const gates = Array.from({ length: 4 }, gate);
    const started: number[] = [];
    const results = gates.map(({ task }, i) =>
      work.run(() => {
        started.push(i);
        return task();
      }),
    );
    await settle();
    assert.deepEqual(started, [0, 1]);
    gates[1]!.open("one");
    assert.equal(await results[1], "one");
    await settle();
    assert.deepEqual(started, [0, 1, 2]);
    for (const { open } of gates) open("rest");
    assert.deepEqual(await Promise.all(results), ["rest", "one", "rest", "rest"]);
    await settle();
    assert.equal(work.running, 0);
  });

  test("refuses when too many wait", async () => {
    const work = new BoundedWork({ running: 1, waiting: 1 }, busy);
    const first = gate();
    const running = work.run(first.task);
    const waiting = work.run(() => Promise.resolve("waited"));
    await assert.rejects(
      work.run(() => Promise.resolve("never")),
      /^RangeError: 1 wait$/,
    );
    first.open("done");
    assert.deepEqual(await Promise.all([running, waiting]), ["done", "waited"]);
    assert.equal(await work.run(() => Promise.resolve("again")), "again");
  });

  test("hands its place on when a task fails", async () => {
    const work = new BoundedWork({ running: 1, waiting: 1 }, busy);
    const first = gate();
    const running = work.run(first.task);
    const waiting = work.run(() => Promise.resolve("waited"));
    first.fail(new Error("broken"));
    await assert.rejects(running, /broken/);
    assert.equal(await waiting, "waited");
  });
});

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
