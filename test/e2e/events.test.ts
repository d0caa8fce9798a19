/** What a server tells of itself: to a sink that fails half of the time, over a restart, and to clients that follow. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { EVENTS, isEventName } from "../../src/api/events/catalogue.ts";
import { silentLogger } from "../../src/base/log.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { EventSinkPlan, ResolvedConfig } from "../../src/config/plan.ts";
import { startServer } from "../../src/server/server.ts";
import type { Server } from "../../src/server/server.ts";
import { FailingSink, judgeEvents } from "../soak/events-sink.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";

const AUTHORIZATION = `Bearer ${Buffer.from("admin:secret").toString("base64")}`;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-events-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function sinkPlan(name: string, url: string): EventSinkPlan {
  return {
    name,
    url,
    only: [],
    except: [],
    throttleDelayMs: 0,
    resendTimeoutMs: 20,
    maxSizeBytes: 64 * 1024 * 1024,
    place: { file: "test.conf", line: 1, column: 1, length: 1 },
  };
}

function configOf(
  text: string,
  events: Pick<ResolvedConfig, "eventSinks"> & { eventQueue?: string },
): ResolvedConfig {
  const head = "http 127.0.0.1:0;\nrtmp 127.0.0.1:0;\nedit_auth admin secret;\n";
  const { config, problems } = loadConfig([{ file: "test.conf", text: head + text }], {});
  assert.ok(config !== undefined, JSON.stringify(problems));
  return { ...config, ...events };
}

async function start(t: TestContext, config: ResolvedConfig): Promise<Server> {
  const server = await startServer({ config, log: silentLogger });
  t.after(() => server.stop());
  return server;
}

/** Follows a server's events; `text` grows. */
async function follow(
  t: TestContext,
  server: Server,
  query: string,
  lastId = "",
): Promise<{ text: string }> {
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  const reply = await fetch(`http://127.0.0.1:${server.httpPorts[0]}/streamer/api/v3/events?${query}`, {
    headers: { authorization: AUTHORIZATION, ...(lastId === "" ? {} : { "last-event-id": lastId }) },
    signal: leaving.signal,
  });
  assert.equal(reply.status, 200);
  assert.match(reply.headers.get("content-type") ?? "", /^text\/event-stream/);
  const had = { text: "" };
  const read = async (): Promise<void> => {
    for await (const piece of reply.body!) had.text += Buffer.from(piece).toString();
  };
  void read().catch(() => {});
  return had;
}

test(
  "all events reach a sink that fails half of the time, over a restart",
  { skip: needs("ffmpeg") },
  async (t) => {
    const eventQueue = join(await folderOf(t), "queue");
    const clip = await makeClip({ durationS: 4 });
    const sink = new FailingSink(5);
    t.after(() => sink.close());
    const eventSinks = [sinkPlan("portal", await sink.listen())];
    const config = configOf(`stream film { input file://${clip}; }\n`, { eventSinks, eventQueue });
    const first = await start(t, config);
    await eventually(() =>
      assert.ok([...sink.had.values()].some(({ event }) => event === "source_started")),
    );
    emit(first, 0, 3000);
    await first.stop();
    const second = await start(t, config);
    emit(second, 3000, 6000);
    await eventually(() => assert.ok(sink.had.size >= 6000 && hasAll(sink, 6000)), { timeoutMs: 60_000 });
    await second.stop();
    const last = new Map(Array.from({ length: 10 }, (_, i) => [`s${i}`, 599]));
    assert.deepEqual(judgeEvents(sink, last), []);
    const told = new Set([...sink.had.values()].map(({ event }) => event));
    for (const name of [
      ...["server_starting", "server_started", "server_stopping", "stream_opened", "stream_updated"],
      ...["source_opened", "source_connected", "source_started", "source_closed", "stream_closed"],
    ]) {
      assert.ok(told.has(name), `${name} was not told`);
    }
    assert.deepEqual([...sink.had.values()].flatMap(strangeFields), []);
  },
);

/** Fields of an event that its page does not tell of; `n` is this test's. */
function strangeFields(event: object & { readonly event: string }): string[] {
  const known = ["event", "event_id", "utc_ms", "server", "n", "run"];
  const own: readonly string[] = isEventName(event.event) ? EVENTS[event.event].fields : [];
  const strange = Object.keys(event).filter((key) => !known.includes(key) && !own.includes(key));
  return strange.map((key) => `${event.event} has ${key}`);
}

function emit(server: Server, from: number, to: number): void {
  for (let k = from; k < to; k++) {
    server.events.bus.emit("stream_updated", { media: `s${k % 10}`, n: Math.floor(k / 10) });
  }
}

function hasAll(sink: FailingSink, count: number): boolean {
  return [...sink.had.values()].filter(({ n }) => n !== undefined).length === count;
}

test("clients follow events through any thread, and go on where they left", async (t) => {
  const config = { ...configOf("", { eventSinks: [] }), threads: 2 };
  const server = await start(t, config);
  const had = await follow(t, server, "event=stream_*,config_*&media=a,b");
  const id = server.events.bus.emit("stream_opened", { media: "a" });
  server.events.bus.emit("stream_opened", { media: "c" });
  server.events.bus.emit("play_opened", { media: "a" });
  server.events.bus.emit("stream_closed", { media: "b" });
  await eventually(() => assert.match(had.text, /stream_closed/));
  assert.deepEqual(
    [...had.text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name),
    ["stream_opened", "stream_closed"],
  );
  const later = await follow(t, server, "media=b", String(id));
  await eventually(() => assert.match(later.text, /stream_closed/));
  assert.equal(server.events.clients, 2);
  await server.configure(config, 3);
  const sinceThen = await follow(t, server, "event=config_applied", String(id));
  await eventually(() => assert.match(sinceThen.text, /"warnings":3/));
  server.reloadRefused([{ file: "a.conf", line: 2, column: 3, message: "no" }]);
  const refused = await follow(t, server, "event=config_refused", String(id));
  await eventually(() => assert.match(refused.text, /"errors":1,"problems":\[\{"file":"a.conf","line":2/));
});

test("who may not look does not follow, and no more follow than may", async (t) => {
  const server = await start(t, configOf("", { eventSinks: [] }));
  const url = `http://127.0.0.1:${server.httpPorts[0]}/streamer/api/v3/events`;
  assert.equal((await fetch(url)).status, 401);
  const clients = await Promise.all(Array.from({ length: 100 }, () => follow(t, server, "")));
  await eventually(() => assert.equal(server.events.clients, clients.length));
  const reply = await fetch(url, { headers: { authorization: AUTHORIZATION } });
  assert.equal(reply.status, 503);
  assert.match(await reply.text(), /events_too_many_clients|100 clients follow/i);
});

test("what a sink's filter let through can be asked for", async (t) => {
  const folder = await folderOf(t);
  const plan = { ...sinkPlan("file", `jsonlog://${folder}/events.log`), only: [{ event: ["stream_*"] }] };
  const server = await start(t, configOf("", { eventSinks: [plan] }));
  server.events.bus.emit("stream_opened", { media: "a" });
  server.events.bus.emit("play_opened", { media: "a" });
  const ask = (name: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.httpPorts[0]}/streamer/api/v3/event_sinks/${name}/events`, {
      headers: { authorization: AUTHORIZATION },
    });
  const { events } = (await (await ask("file")).json()) as { events: { event: string }[] };
  assert.deepEqual(
    events.map(({ event }) => event),
    ["stream_opened"],
  );
  // EVENTS_NO_SINK
  assert.equal((await ask("other")).status, 404);
});

test("a lost thread is told of", async (t) => {
  const server = await start(t, { ...configOf("", { eventSinks: [] }), threads: 2 });
  const had = await follow(t, server, "event=thread_lost");
  server.injectFault("throw");
  await eventually(() => {
    const kept = server.events.bus.recent((event) => event.event === "thread_lost");
    assert.equal(kept.length, 1);
    assert.equal(kept[0]!.event["thread"], 1);
  });
  assert.ok(had.text.startsWith("retry"));
});
