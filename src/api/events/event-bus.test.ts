import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { batchBody, batchSignature } from "./batch.ts";
import { EventBus, KEPT_EVENTS } from "./event-bus.ts";
import { eventLine } from "./event-line.ts";
import { MAX_EVENT_LENGTH } from "./event.ts";
import type { WrittenEvent } from "./event.ts";
import { eventFilter } from "./filter.ts";
import { playEvents } from "./play-events.ts";

function setUp(): { bus: EventBus; clock: FakeClock; had: WrittenEvent[] } {
  const clock = new FakeClock();
  const bus = new EventBus({ clock, server: () => "one" });
  const had: WrittenEvent[] = [];
  bus.subscribe(eventFilter([]), (written) => had.push(written));
  return { bus, clock, had };
}

test("an event says when, where and what", () => {
  const { bus, clock, had } = setUp();
  bus.emit("stream_closed", { media: "news", reason: "it ended", event: "other", event_id: 1 });
  assert.deepEqual(had[0]!.event, {
    event: "stream_closed",
    event_id: clock.wallUs(),
    utc_ms: clock.wallUs() / 1000,
    server: "one",
    media: "news",
    reason: "it ended",
  });
  assert.deepEqual(JSON.parse(had[0]!.json), had[0]!.event);
});

test("numbers increase, also where the clock stands or is set back, and over a restart", () => {
  const { bus, clock, had } = setUp();
  bus.emit("stream_opened");
  bus.emit("stream_opened");
  clock.stepWall(-60_000);
  bus.emit("stream_opened");
  const ids = had.map(({ event }) => event.event_id);
  assert.deepEqual(ids, [ids[0], ids[0]! + 1, ids[0]! + 2]);
  const { bus: next, had: later } = setUp();
  next.startBehind(ids[2]! + 100);
  next.startBehind(Number.NaN);
  next.emit("server_starting");
  assert.equal(later[0]!.event.event_id, ids[2]! + 101);
});

test("the last events are kept, and no more", () => {
  const { bus } = setUp();
  for (let n = 0; n < KEPT_EVENTS + 5; n++) bus.emit("stream_updated", { n });
  const kept = bus.recent(eventFilter([]));
  assert.equal(kept.length, KEPT_EVENTS);
  assert.equal(kept[0]!.event["n"], 5);
  assert.equal(bus.recent(eventFilter([]), kept.at(-2)!.event.event_id).length, 1);
  assert.equal(bus.recent(eventFilter([{ n: ["7"] }])).length, 1);
});

test("who has had enough gets nothing more", () => {
  const { bus } = setUp();
  const had: WrittenEvent[] = [];
  const end = bus.subscribe(eventFilter([{ event: ["play_*"] }]), (written) => had.push(written));
  bus.emit("play_opened");
  bus.emit("stream_opened");
  end();
  bus.emit("play_closed");
  assert.deepEqual(
    had.map(({ event }) => event.event),
    ["play_opened"],
  );
  assert.equal(bus.subscribers, 1);
});

test("what is too long or no JSON is told without its fields", () => {
  const { bus, had } = setUp();
  const round: Record<string, unknown> = {};
  round["round"] = round;
  for (const field of ["x".repeat(MAX_EVENT_LENGTH), 1n, round]) {
    bus.emit("stream_updated", { media: "news", field });
    const { event, json } = had.at(-1)!;
    assert.deepEqual([event["media"], event["is_cut"], event["field"]], ["news", true, undefined]);
    assert.deepEqual(JSON.parse(json), event);
  }
});

test("sessions are told without what lets others in", () => {
  const { bus, had } = setUp();
  const tell = playEvents(bus);
  const session = { id: "s", name: "news", type: "play", token: "secret", query_string: "token=secret" };
  for (const what of ["opened", "started", "updated", "closed", "denied"] as const) tell({ what, session });
  tell({ what: "opened", session: { ...session, type: "publish" } });
  for (const type of ["record", "ingest"]) tell({ what: "opened", session: { ...session, type } });
  tell({ what: "denied", session: { ...session, type: "publish", password: "secret" } });
  assert.deepEqual(
    had.map(({ event }) => event.event),
    ["play_opened", "play_started", "play_updated", "play_closed", "play_refused", "publish_refused"],
  );
  for (const { event, json } of had) {
    assert.equal(event.media, "news");
    assert.ok(!json.includes("secret"));
  }
});

test("a batch is an array, and signed", () => {
  const body = batchBody(['{"a":1}', '{"b":2}']);
  assert.deepEqual(JSON.parse(body.toString()), [{ a: 1 }, { b: 2 }]);
  // RFC 4231 section 4.3, test case 2.
  assert.equal(
    batchSignature(Buffer.from("what do ya want for nothing?"), "Jefe"),
    "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

test("a line of a log file is read by people", () => {
  const json =
    '{"event":"play_closed","event_id":7,"utc_ms":0,"media":"a/b","reason":"it\\nleft","bytes":1}';
  assert.equal(
    eventLine(json),
    '1970-01-01T00:00:00.000Z play_closed event_id=7 media=a/b reason="it\\nleft" bytes=1',
  );
});
