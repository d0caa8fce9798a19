/** How often a session that goes on is told of. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { playClaim, settle, TableUnderTest } from "../../../test/support/sessions.ts";

/** Lets a session go on for so many seconds. Returns: how often it was told of. */
async function goOn(room: TableUnderTest, seconds: number): Promise<number> {
  for (let s = 0; s < seconds; s++) {
    room.table.report(0, [{ id: "s1", bytes: 1, seenUs: room.clock.wallUs() }]);
    room.clock.advance(1000);
    await settle();
  }
  return room.changes.filter((change) => change.startsWith("updated")).length;
}

test("a session that runs is told of every five minutes", async () => {
  const room = new TableUnderTest();
  await room.table.open(0, playClaim());
  assert.equal(await goOn(room, 299), 0);
  assert.equal(await goOn(room, 3), 1);
  assert.equal(await goOn(room, 300), 2);
});

test("a session that is judged again is told of once a minute at most", async () => {
  const room = new TableUnderTest();
  room.judgement = { kind: "allowed", recheckMs: 5000 };
  await room.table.open(0, playClaim());
  const told = await goOn(room, 190);
  assert.ok(room.put.length > 30, "it was judged often");
  assert.equal(told, 3);
});
