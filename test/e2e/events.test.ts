/** What a server tells of itself: to a sink that fails half of the time, over a restart, and to clients that follow. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { EVENTS, isEventName } from "../../src/api/events/catalogue.ts";
import type { EventName } from "../../src/api/events/catalogue.ts";
import type { ServerEvent } from "../../src/api/events/event.ts";
import { silentLogger } from "../../src/base/log.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { EventSinkPlan, ResolvedConfig } from "../../src/config/plan.ts";
import { startServer } from "../../src/server/server.ts";
import type { Server } from "../../src/server/server.ts";
import { FailingSink, judgeEvents } from "../soak/events-sink.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

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

/** Of each event that came, what it says beside what all events say. */
function toldIn(text: string): Map<string, Record<string, unknown>[]> {
  const told = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!) as ServerEvent);
  const all = told.map(({ event, event_id: _, utc_ms: __, server: ___, ...fields }) => ({ event, fields }));
  return new Map(
    [...Map.groupBy(all, ({ event }) => event)].map(([event, rows]) => [
      event,
      rows.map((row) => row.fields),
    ]),
  );
}

/** Goes from playlist to playlist to the newest segment, as players do. */
async function playSegment(url: string): Promise<void> {
  const text = await (await fetch(url)).text();
  const next = text.split("\n").findLast((line) => line !== "" && !line.startsWith("#"));
  if (text.startsWith("#EXTM3U") && next !== undefined) await playSegment(new URL(next, url).href);
}

test("recordings, viewers, who is refused and wrong passwords are told of, in the fields of the catalogue", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "weir-events-"));
  await writeFile(join(root, "file"), "no folder");
  const text = (dvr: string): string => `
    stream cam { input fake://fake; ${dvr} }
    stream lame { input fake://fake; dvr ${root}/file/dvr; }
    stream shut { input fake://fake; on_play http://127.0.0.1:9/; }
    stream pub { input publish://; password good; }`;
  const server = await start(t, configOf(text(`dvr ${root}/dvr;`), { eventSinks: [] }));
  // Behind the server's end, which writes there until then.
  t.after(() => rm(root, { recursive: true, force: true }));
  const base = `http://127.0.0.1:${server.httpPorts[0]}`;
  const had = await follow(t, server, "", "1");
  const api = async (path: string, authorization = AUTHORIZATION, method = "GET"): Promise<Response> =>
    await fetch(`${base}/streamer/api/v3${path}`, { method, headers: { authorization } });
  await eventually(async () => assert.equal((await fetch(`${base}/cam/index.m3u8`)).status, 200));
  await playSegment(`${base}/cam/index.m3u8`);
  assert.equal((await fetch(`${base}/shut/index.m3u8`)).status, 403);
  assert.equal((await fetch(`${base}/pub/mpegts`, { method: "POST", body: "no" })).status, 401);
  await eventually(() => assert.match(had.text, /play_started/), { timeoutMs: 10_000 });
  const { sessions } = (await (await api("/sessions?type=play")).json()) as { sessions: { id: string }[] };
  await eventually(() => assert.match(had.text, /disk_failed/), { timeoutMs: 20_000 });
  await rm(join(root, "file"));
  await mkdir(join(root, "file"));
  await eventually(() => assert.match(had.text, /disk_recovered/), { timeoutMs: 20_000 });
  await api(`/sessions/${sessions[0]!.id}`, AUTHORIZATION, "DELETE");
  // Last: whoever comes from that address waits from now on.
  for (let n = 0; n < 6; n++) void api("/config", "Bearer wrong").catch(() => {});
  await server.configure(configOf(text(""), { eventSinks: [] }));
  server.reloadRefused();
  const names: EventName[] = [
    ...([
      "recording_started",
      "recording_stopped",
      "disk_failed",
      "disk_recovered",
      "auth_failed",
    ] as const),
    ...(["play_opened", "play_started", "play_closed", "play_refused", "publish_refused"] as const),
    ...(["config_applied", "config_refused"] as const),
  ];
  await eventually(() => {
    const told = toldIn(had.text);
    for (const name of names) assert.ok(told.has(name), `${name} was not told`);
  });
  for (const [name, rows] of toldIn(had.text)) {
    const known: readonly string[] = EVENTS[name as EventName].fields;
    for (const fields of rows)
      assert.deepEqual(
        Object.keys(fields).filter((field) => !known.includes(field)),
        [],
        name,
      );
  }
  const { media, root: recorded } = toldIn(had.text).get("recording_stopped")![0]!;
  assert.deepEqual([media, recorded], ["cam", `${root}/dvr`]);
});

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

test("a server that is stopped ends in order, and its sinks have the last events first", async (t) => {
  const had: ServerEvent[] = [];
  const sink = createServer((request, reply) => {
    let body = "";
    request.on("data", (piece: Buffer) => void (body += piece.toString()));
    request.on("end", () => {
      had.push(...(JSON.parse(body) as ServerEvent[]));
      reply.writeHead(200).end();
    });
  });
  sink.listen(0, "127.0.0.1");
  await once(sink, "listening");
  t.after(() => sink.close());
  const { port } = sink.address() as AddressInfo;
  const weir = await startWeir(t, {
    config: `event_sink at_once { url http://127.0.0.1:${port}/; }
event_sink slowly { url http://127.0.0.1:${port}/; throttle_delay 3; }`,
  });
  for (const end of ["SIGINT", "SIGTERM"] as const) {
    if (end === "SIGTERM") {
      had.length = 0;
      await weir.start(t);
    }
    await eventually(() => assert.equal(had.filter(({ event }) => event === "server_started").length, 2));
    const ended = await weir.program.stop(30_000, end);
    assert.deepEqual(ended, { code: 0, signal: null }, weir.describe());
    assert.equal(had.filter(({ event }) => event === "server_stopping").length, 2, end);
  }
});
