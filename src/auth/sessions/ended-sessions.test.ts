import assert from "node:assert/strict";
import { test } from "node:test";
import { EndedSessions } from "./ended-sessions.ts";
import type { SessionEnded } from "./table-options.ts";

function setUp() {
  const over = new EndedSessions();
  const told: (readonly SessionEnded[])[] = [];
  over.onEnds((ends) => told.push(ends));
  return { over, told };
}

const END: SessionEnded = { id: "a", reason: "kicked", forMs: 0, threads: [0] };

test("all that end in one turn are told of together", async () => {
  const { over, told } = setUp();
  over.ended(END);
  over.ended({ ...END, id: "b" });
  await Promise.resolve();
  over.ended({ ...END, id: "c" });
  await Promise.resolve();
  assert.deepEqual(
    told.map((ends) => ends.map(({ id }) => id)),
    [["a", "b"], ["c"]],
  );
});

test("an end that concerns nobody is not told of; one that refuses for some time concerns all", async () => {
  const { over, told } = setUp();
  over.ended({ ...END, threads: [] });
  over.ended({ ...END, id: "b", threads: [], forMs: 1000 });
  await Promise.resolve();
  assert.deepEqual(told, [[{ ...END, id: "b", threads: [], forMs: 1000 }]]);
});

test("who goes on with a session is told again, until it is open again", async () => {
  const { over, told } = setUp();
  over.ended(END);
  await Promise.resolve();
  over.sayAgain("a", 1);
  over.sayAgain("never heard of", 1);
  await Promise.resolve();
  assert.deepEqual(told[1], [{ ...END, threads: [1] }]);
  over.opened("a");
  over.sayAgain("a", 1);
  await Promise.resolve();
  assert.equal(told.length, 2);
});

test("reasons are bounded: the oldest is forgotten", async () => {
  const { over, told } = setUp();
  for (let i = 0; i <= EndedSessions.MAX_KEPT; i++) over.ended({ ...END, id: String(i) });
  await Promise.resolve();
  over.sayAgain("0", 0);
  over.sayAgain("1", 0);
  await Promise.resolve();
  assert.deepEqual(
    told[1]?.map(({ id }) => id),
    ["1"],
  );
});
