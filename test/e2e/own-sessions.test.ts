/** What the server itself does is a session too: an input that it plays, a recording. And the metrics that count them. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { readMetrics } from "../support/metrics-text.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const API = "/streamer/api/v3";
const headers = { authorization: `Basic ${Buffer.from("admin:secret").toString("base64")}` };

type Session = Readonly<Record<"id" | "type" | "name" | "proto", string>> & { readonly bytes: number };

async function sessionsOf(weir: Weir): Promise<Session[]> {
  const reply = await fetch(weir.url(`${API}/sessions?sort=type`), { headers });
  return ((await reply.json()) as { sessions: Session[] }).sessions;
}

async function start(t: TestContext): Promise<Weir> {
  const root = await mkdtemp(join(tmpdir(), "weir-own-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  return await startWeir(t, {
    config: `edit_auth admin secret; stream_metrics true;
event_sink file { url jsonlog://${root}/events.log; }
stream film { input fake://fake; dvr ${root}/dvr; segment_duration 1; }
stream other { input publish://; }
stream off { input publish://; disabled; }`,
  });
}

test("a recording and an input are sessions, which the configuration ends and nobody else", async (t) => {
  const weir = await start(t);
  const rows = await eventually(
    async () => {
      const sessions = await sessionsOf(weir);
      const told = sessions.map(({ type, name, proto }) => [type, name, proto].join(" "));
      assert.deepEqual(told, ["ingest film fake", "record film dvr"]);
      assert.ok(sessions.every(({ bytes }) => bytes > 0));
      return sessions;
    },
    { timeoutMs: 30_000 },
  );
  for (const { id } of rows) {
    const reply = await fetch(weir.url(`${API}/sessions/${id}`), { method: "DELETE", headers });
    assert.deepEqual([reply.status, reply.headers.get("x-error-code")], [409, "API_OWN_SESSION"]);
  }
  await fetch(weir.url("/film/index.m3u8"));
  const types = async (): Promise<string[]> => (await sessionsOf(weir)).map(({ type }) => type);
  assert.deepEqual(await types(), ["ingest", "play", "record"]);
  const stopped = await fetch(weir.url(`${API}/streams/film/stop`), { method: "POST", headers });
  assert.ok(stopped.ok);
  await eventually(async () => {
    const now = (await sessionsOf(weir)).filter(({ type }) => type === "ingest");
    assert.deepEqual(
      now.map(({ id }) => id === rows[0]!.id),
      [false],
      "the input began anew",
    );
  });
});

test(
  "metrics are well formed in both formats, and at the reference's addresses",
  { timeout: 90_000 },
  async (t) => {
    const weir = await start(t);
    await eventually(async () => assert.equal((await fetch(weir.url("/film/index.m3u8"))).status, 200), {
      timeoutMs: 30_000,
    });
    const page = async (path: string, accept = "*/*"): Promise<Map<string, number>> => {
      const reply = await fetch(weir.url(path), { headers: { ...headers, accept } });
      const text = await reply.text();
      assert.equal(reply.status, 200, text);
      const isOpen = /openmetrics/.test(reply.headers.get("content-type") ?? "");
      assert.equal(isOpen, accept !== "*/*" || path.includes("openmetrics"), path);
      return new Map(readMetrics(text, isOpen).map(({ series, value }) => [series, value]));
    };
    const names = (samples: Map<string, number>): Set<string> =>
      new Set([...samples.keys()].map((series) => series.replace(/_.*/s, "")));
    const open = "application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1";
    for (const all of [await page("/metrics"), await page("/metrics", open)]) {
      assert.equal(all.get('weir_sessions{type="record",proto="dvr"}'), 1);
      assert.equal(all.get('weir_sessions{type="ingest",proto="fake"}'), 1);
      assert.equal(all.get('weir_sessions{type="play",proto="hls"}'), 1);
      assert.ok(all.has('weir_event_sink_sent_total{sink="file"}'));
      assert.deepEqual(names(all), new Set(["weir", "process", "server", "partition", "stream"]));
    }
    for (const [path, accept] of [
      [`${API}/streams?format=openmetrics`, "*/*"],
      [`${API}/streams`, open],
      [`${API}/monitoring/metrics?request=streams`, open],
    ] as const) {
      const streams = await page(path, accept);
      assert.deepEqual(names(streams), new Set(["stream"]), path);
      const film = [...streams].find(([series]) => /^stream_alive\{.*name="film"\}$/.test(series));
      assert.equal(film?.[1], 1);
      const rows = [...streams].filter(([series]) => series.startsWith("stream_alive{"));
      const other = rows.find(([series]) => series.includes('name="other"'));
      assert.deepEqual(
        [rows.length, other?.[1]],
        [2, 0],
        "one that never ran is 0, and one disabled is not there",
      );
    }
    for (const [path, accept] of [
      [`${API}/config?format=openmetrics`, "*/*"],
      [`${API}/config`, open],
      [`${API}/monitoring/metrics?request=server`, open],
    ] as const) {
      const server = await page(path, accept);
      assert.deepEqual(names(server), new Set(["server", "partition"]), path);
      const input = [...server].find(([series]) => series.startsWith("server_input_bitrate"));
      assert.ok(input![1] > 0);
    }
    assert.equal((await fetch(weir.url(`${API}/streams?format=openmetrics`))).status, 401);
  },
);
