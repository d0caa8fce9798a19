import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { HttpBodySink, HttpBodySource, HttpRequest } from "../../base/http-message.ts";
import { EventBus } from "./event-bus.ts";
import { LiveEvents } from "./live-events.ts";

type Client = { text: string; queued: number; end: string | null; source: HttpBodySource };

function setUp(maxClients?: number): {
  bus: EventBus;
  clock: FakeClock;
  live: LiveEvents;
  connect: (query?: string, lastId?: string) => Client;
} {
  const clock = new FakeClock();
  const bus = new EventBus({ clock, server: () => "one" });
  const live = new LiveEvents({ bus, clock, ...(maxClients === undefined ? {} : { maxClients }) });
  const connect = (query = "", lastId?: string): Client => {
    const client: Client = { text: "", queued: 0, end: null, source: { close: () => {} } };
    const sink: HttpBodySink = {
      write: (bytes) => void (client.text += Buffer.from(bytes).toString()),
      queuedBytes: () => client.queued,
      end: () => void (client.end = "end"),
      abort: () => void (client.end = "abort"),
    };
    const request: HttpRequest = {
      method: "GET",
      path: "/streamer/api/v3/events",
      query: new URLSearchParams(query),
      header: (name) => (name === "last-event-id" ? lastId : undefined),
      remoteAddress: "127.0.0.1",
    };
    client.source = live.reply(request).stream!(sink);
    return client;
  };
  return { bus, clock, live, connect };
}

test("a client gets the events that it asks for, as they happen", () => {
  const { bus, connect } = setUp();
  const client = connect("event=play_*");
  bus.emit("stream_opened", { media: "news" });
  const id = bus.emit("play_opened", { media: "news" });
  const [beginning, event, rest] = client.text.split("\n\n");
  assert.equal(beginning, "retry: 2000");
  assert.match(event!, new RegExp(`^id: ${id}\nevent: play_opened\ndata: \\{.*"media":"news"\\}$`));
  assert.equal(rest, "");
});

test("who comes back gets what happened meanwhile, once", () => {
  const { bus, connect } = setUp();
  const first = bus.emit("stream_opened", { n: 1 });
  bus.emit("stream_opened", { n: 2 });
  const client = connect("", String(first));
  bus.emit("stream_opened", { n: 3 });
  assert.deepEqual(
    [...client.text.matchAll(/"n":(\d)/g)].map(([, n]) => n),
    ["2", "3"],
  );
  assert.equal(connect("", "nonsense").text, "retry: 2000\n\n");
});

test("a quiet connection shows that it lives", () => {
  const { clock, connect } = setUp();
  const client = connect();
  clock.advance(45_000);
  assert.equal(client.text, "retry: 2000\n\n:\n\n:\n\n:\n\n");
});

test("a client that takes nothing is closed, and leaves nothing behind", () => {
  const { bus, clock, live, connect } = setUp();
  const client = connect();
  client.queued = 256 * 1024 + 1;
  bus.emit("stream_opened");
  assert.equal(client.end, "abort");
  assert.deepEqual([live.clients, bus.subscribers, clock.pendingTimers], [0, 0, 0]);
});

test("a client that leaves leaves nothing behind", () => {
  const { bus, clock, live, connect } = setUp();
  connect().source.close();
  const other = connect();
  live.close();
  assert.equal(other.end, "end");
  assert.deepEqual([live.clients, bus.subscribers, clock.pendingTimers], [0, 0, 0]);
});

test("no more clients follow than may", () => {
  const { connect } = setUp(2);
  const first = connect();
  connect();
  assert.throws(() => connect(), { code: "EVENTS_TOO_MANY_CLIENTS" });
  first.source.close();
  connect();
});
