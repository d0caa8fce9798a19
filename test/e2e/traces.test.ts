/** Traces of how sessions are set up, from the server to who collects them, and to the portal that it asks. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, probeStreams, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startTraceCollector, wordsOf } from "../support/trace-collector.ts";
import type { CollectedSpan, TraceCollector } from "../support/trace-collector.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

/** A portal that lets everybody in but the token `thief`, and keeps what it was told of traces. */
async function portal(t: TestContext): Promise<{ url: string; parents: Map<string, string | undefined> }> {
  const parents = new Map<string, string | undefined>();
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, "http://portal");
    const told = request.headers["traceparent"];
    parents.set(searchParams.get("session_id")!, typeof told === "string" ? told : undefined);
    response.writeHead(searchParams.get("token") === "thief" ? 403 : 200, { "x-userid": "alice" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/may?portal_key=hidden`,
    parents,
  };
}

/** Takes one segment, and the playlists on the way to it. Returns: between which times. Units: milliseconds UTC. */
async function takeSegment(weir: Weir, path: string): Promise<[number, number]> {
  for (let url = weir.url(path); ;) {
    const fromMs = Date.now();
    const reply = await fetch(url);
    assert.equal(reply.status, 200, url);
    if (!/mpegurl/.test(reply.headers.get("content-type") ?? "")) {
      await reply.arrayBuffer();
      return [fromMs, Date.now()];
    }
    const lines = (await reply.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    url = new URL(lines.at(-1)!, url).href;
  }
}

/** The span of a set-up, and below it that of the portal's answer and that of the wait for media. */
type SetUpSpans = [CollectedSpan, CollectedSpan, CollectedSpan | undefined];

function setUpSpans(collector: TraceCollector, name: string, words: object): SetUpSpans {
  const spans = collector.spans();
  const setUp = spans.find((span) => {
    const own = wordsOf(span);
    return span.name === name && Object.entries(words).every(([key, value]) => own[key] === value);
  });
  assert.ok(setUp !== undefined, `no span ${name} with ${JSON.stringify(words)} in ${collector.text()}`);
  const below = spans.filter(({ parentSpanId }) => parentSpanId === setUp.spanId);
  for (const span of below) {
    assert.equal(span.traceId, setUp.traceId);
    assert.ok(BigInt(span.startTimeUnixNano) >= BigInt(setUp.startTimeUnixNano));
    assert.ok(BigInt(span.endTimeUnixNano) <= BigInt(setUp.endTimeUnixNano));
  }
  const [asked, media, ...others] = below;
  assert.deepEqual([asked?.name, others], ["authorize", []]);
  // Its end is the first media; the wait for it begins where it is known whether it may.
  assert.equal(media?.name, wordsOf(setUp)["weir.outcome"] === "allowed" ? "first_media" : undefined);
  assert.equal(media?.endTimeUnixNano ?? setUp.endTimeUnixNano, setUp.endTimeUnixNano);
  return [setUp, asked!, media];
}

test(
  "a publisher and a viewer whom a portal is asked about are a trace each, which the portal can join",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const collector = await startTraceCollector(t);
    const { url, parents } = await portal(t);
    const weir = await startWeir(t, {
      config: `template live { prefix live; input publish://; on_publish ${url}; on_play ${url}; }
stream open { input fake://fake; }
traces ${collector.url} share=1;`,
    });
    publish(t, weir.rtmpUrl("live/news?token=publisher-secret"), await makeClip({ durationS: 10 }), {
      loop: true,
    });
    const play = async (path: string): Promise<Response> => await fetch(weir.url(path));
    await eventually(async () => {
      const reply = await play("/live/news/index.m3u8?token=viewer-secret");
      assert.equal(reply.status, 200, await reply.text());
    });
    const [fromMs, untilMs] = await takeSegment(weir, "/live/news/index.m3u8?token=viewer-secret");
    assert.ok((await probeStreams(weir.rtmpUrl("live/news?token=rtmp-secret"))).length > 0);
    assert.equal((await play("/live/news/index.m3u8?token=thief")).status, 403);
    await eventually(async () => assert.equal((await play("/open/index.m3u8")).status, 200));
    await takeSegment(weir, "/open/index.m3u8");
    await eventually(() => {
      const names = collector.spans().map(({ name }) => name);
      assert.ok(names.filter((name) => name === "play").length >= 4 && names.includes("publish"));
    });

    const live = { "weir.stream": "live/news", "weir.outcome": "allowed" };
    const [published, publishAsked] = setUpSpans(collector, "publish", {
      ...live,
      "network.protocol.name": "rtmp",
    });
    const [played, playAsked] = setUpSpans(collector, "play", { ...live, "network.protocol.name": "hls" });
    const [overRtmp, rtmpAsked] = setUpSpans(collector, "play", {
      ...live,
      "network.protocol.name": "rtmp",
    });
    for (const [setUp, asked] of [
      [published, publishAsked],
      [played, playAsked],
      [overRtmp, rtmpAsked],
    ] as const) {
      assert.equal(wordsOf(setUp)["weir.media"], "flows");
      const told = parents.get(wordsOf(setUp)["session.id"]!);
      assert.equal(told, `00-${setUp.traceId}-${asked.spanId}-01`, "what the portal was told");
      assert.equal(wordsOf(asked)["server.address"], "127.0.0.1");
    }
    assert.notEqual(published.traceId, played.traceId);
    assert.notEqual(overRtmp.traceId, played.traceId);
    const playedAtMs = Number(BigInt(played.endTimeUnixNano) / 1_000_000n);
    assert.ok(fromMs <= playedAtMs && playedAtMs <= untilMs, `${fromMs} ${playedAtMs} ${untilMs}`);
    const [refused] = setUpSpans(collector, "play", { "weir.outcome": "denied" });
    assert.equal(wordsOf(refused)["session.id"], undefined);
    const free = collector.spans().find((span) => wordsOf(span)["weir.stream"] === "open")!;
    assert.equal(free.name, "play");
    const belowFree = collector.spans().filter(({ parentSpanId }) => parentSpanId === free.spanId);
    assert.deepEqual(
      belowFree.map(({ name }) => name),
      ["first_media"],
    );
    assert.doesNotMatch(
      collector.text().replaceAll('"stringValue":"127.0.0.1"', ""),
      /secret|thief|hidden|portal_key|127\.0\.0\.1|token|alice/,
    );
  },
);

test("a server that is stopped sends the traces that wait, and a portal hears of none where there are none", async (t) => {
  const collector = await startTraceCollector(t);
  const { url, parents } = await portal(t);
  const config = `stream open { input fake://fake; on_play ${url}; }\n`;
  const quiet = await startWeir(t, { config });
  await eventually(async () => assert.equal((await fetch(quiet.url("/open/index.m3u8"))).status, 200));
  assert.deepEqual([...parents.values()], [undefined]);
  const weir = await startWeir(t, {
    config,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.replace("/v1/traces", "") },
  });
  await eventually(async () => assert.equal((await fetch(weir.url("/open/index.m3u8"))).status, 200));
  await weir.stop();
  assert.deepEqual(
    collector.spans().map(({ name }) => name),
    ["authorize", "play"],
  );
});
