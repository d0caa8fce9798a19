/** Traces of how sessions are set up, from the server to who collects them, and to the portal that it asks. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startTraceCollector, wordsOf } from "../support/trace-collector.ts";
import type { CollectedSpan, TraceCollector } from "../support/trace-collector.ts";
import { startWeir } from "../support/weir.ts";

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

/** The span of a set-up, and that of the portal's answer below it. */
function pair(collector: TraceCollector, name: string, words: object): [CollectedSpan, CollectedSpan] {
  const spans = collector.spans();
  const setUp = spans.find((span) => {
    const own = wordsOf(span);
    return span.name === name && Object.entries(words).every(([key, value]) => own[key] === value);
  });
  assert.ok(setUp !== undefined, `no span ${name} with ${JSON.stringify(words)} in ${collector.text()}`);
  const below = spans.filter(({ parentSpanId }) => parentSpanId === setUp.spanId);
  assert.deepEqual(
    below.map((span) => span.name),
    ["authorize"],
  );
  assert.equal(below[0]!.traceId, setUp.traceId);
  assert.ok(BigInt(below[0]!.startTimeUnixNano) >= BigInt(setUp.startTimeUnixNano));
  assert.ok(BigInt(below[0]!.endTimeUnixNano) <= BigInt(setUp.endTimeUnixNano));
  return [setUp, below[0]!];
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
    assert.equal((await play("/live/news/index.m3u8?token=thief")).status, 403);
    await eventually(async () => assert.equal((await play("/open/index.m3u8")).status, 200));
    await eventually(() => {
      const names = collector.spans().map(({ name }) => name);
      assert.ok(names.filter((name) => name === "play").length >= 3 && names.includes("publish"));
    });

    const live = { "weir.stream": "live/news", "weir.outcome": "allowed" };
    const [published, publishAsked] = pair(collector, "publish", {
      ...live,
      "network.protocol.name": "rtmp",
    });
    const [played, playAsked] = pair(collector, "play", { ...live, "network.protocol.name": "hls" });
    for (const [setUp, asked] of [
      [published, publishAsked],
      [played, playAsked],
    ] as const) {
      const told = parents.get(wordsOf(setUp)["weir.session.id"]!);
      assert.equal(told, `00-${setUp.traceId}-${asked.spanId}-01`, "what the portal was told");
      assert.equal(wordsOf(asked)["server.address"], "127.0.0.1");
    }
    assert.notEqual(published.traceId, played.traceId);
    const [refused] = pair(collector, "play", { "weir.outcome": "denied" });
    assert.equal(wordsOf(refused)["weir.session.id"], undefined);
    const free = collector.spans().find((span) => wordsOf(span)["weir.stream"] === "open")!;
    assert.equal(free.name, "play");
    assert.ok(!collector.spans().some(({ parentSpanId }) => parentSpanId === free.spanId));
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
