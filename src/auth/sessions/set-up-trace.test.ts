/** How traces are told of the set-up of sessions. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { playClaim, settle, TableUnderTest } from "../../../test/support/sessions.ts";
import { OPEN_RULES } from "../rules.ts";
import type { TraceOf } from "./set-up-trace.ts";

/** What each set-up was said to have become. */
function follow(): { ends: object[]; traceOf: TraceOf } {
  const ends: object[] = [];
  const traceOf: TraceOf = (claim) => ({
    asked: () => ({ traceparent: "", ended: () => {} }),
    judged: (end) => void ends.push({ name: claim.name, ...end }),
    media: (atUs) => void ends.push({ media: atUs }),
    gone: () => void ends.push({ gone: claim.name }),
  });
  return { ends, traceOf };
}

test("a set-up is told of once, however many wait for it", async () => {
  const { ends, traceOf } = follow();
  const { table, put } = new TableUnderTest({ traceOf });
  await Promise.all([table.open(0, playClaim()), table.open(1, playClaim())]);
  await table.open(1, playClaim());
  assert.deepEqual(ends, [{ name: "news", outcome: "allowed", sessionId: "s1" }]);
  assert.ok(put[0]!.question.trace !== undefined, "who is asked can be followed");
});

test("a set-up that ends otherwise says why, and never where a viewer is sent", async () => {
  const { ends, traceOf } = follow();
  const room = new TableUnderTest({ traceOf });
  room.judgement = { kind: "denied", status: 403, reason: "who is asked denies it", forMs: 0 };
  await room.table.open(0, playClaim());
  room.judgement = { kind: "redirected", location: "http://elsewhere/?token=secret", forMs: 0 };
  await room.table.open(0, playClaim({ ip: "192.0.2.2" }));
  room.judgement = { kind: "failed", reason: "it could not be judged" };
  await room.table.open(0, playClaim({ ip: "192.0.2.3" }));
  await settle();
  assert.deepEqual(ends, [
    { name: "news", outcome: "denied", reason: "who is asked denies it" },
    { name: "news", outcome: "redirected" },
    { name: "news", outcome: "failed", reason: "it could not be judged" },
  ]);
});

test("a session that nobody judges is told of too; a recording is none that is set up", () => {
  const { ends, traceOf } = follow();
  const room = new TableUnderTest({ traceOf });
  room.rules = OPEN_RULES;
  room.table.begin(0, playClaim(), "own");
  room.table.begin(0, playClaim(), "own");
  room.table.begin(0, { ...playClaim(), kind: "record", proto: "dvr" }, "recording");
  assert.deepEqual(ends, [{ name: "news", outcome: "allowed", sessionId: "own" }]);
});

test("a set-up goes on to the first media of its session, which is told once", async () => {
  const { ends, traceOf } = follow();
  const room = new TableUnderTest({ traceOf });
  await room.table.open(0, playClaim());
  await settle();
  const report = (mediaUs?: number): void =>
    room.table.report(0, [
      { id: "s1", bytes: 5, seenUs: 9, ...(mediaUs === undefined ? {} : { mediaUs }) },
    ]);
  report();
  report(7);
  report(8);
  room.table.kick("s1");
  assert.deepEqual(ends.slice(1), [{ media: 7 }]);
});

test("a set-up ends with a session that has brought no media, and with one that is over at once", async () => {
  const { ends, traceOf } = follow();
  const room = new TableUnderTest({ traceOf });
  await room.table.open(0, playClaim());
  await settle();
  room.table.kick("s1");
  assert.deepEqual(ends.slice(1), [{ gone: "news" }]);
  room.rules = OPEN_RULES;
  room.table.begin(0, playClaim({ proto: "rtmp", ip: "192.0.2.9" }), "own");
  room.table.closed(0, { id: "own", reason: "it left" });
  assert.deepEqual(ends.slice(-1), [{ gone: "news" }]);
});
