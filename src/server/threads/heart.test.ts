import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { Heart } from "./heart.ts";

test("a heart beats, and knows how late it was when the loop stood still", async () => {
  let beats = 0;
  const heart = new Heart(() => beats++);
  assert.equal(beats, 1, "a thread that hangs before its second beat is missed");
  assert.equal(heart.latenessMs(0.99), 0);
  await eventually(() => assert.ok(beats >= 2));
  const until = performance.now() + 900;
  while (performance.now() < until);
  await eventually(() => assert.ok(beats >= 3));
  assert.ok(heart.latenessMs(0.99) > 200, `${heart.latenessMs(0.99)} ms`);
});
