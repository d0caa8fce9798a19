import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("work is done one after the other, also behind work that failed", async () => {
  const turns = new Turns();
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = turns.run(async () => {
    await gate.promise;
    done.push("first");
    throw new Error("a fault");
  });
  const second = turns.run(() => done.push("second"));
  done.push("asked");
  gate.resolve();
  await assert.rejects(first, /a fault/);
  assert.equal(await second, 3);
  assert.deepEqual(done, ["asked", "first", "second"]);
});
