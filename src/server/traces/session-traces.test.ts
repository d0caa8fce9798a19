/** Traces, as a collector gets them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { playClaim, settle } from "../../../test/support/sessions.ts";
import { startTraceCollector, wordsOf } from "../../../test/support/trace-collector.ts";
import type { SetUpTrace } from "../../auth/sessions/set-up-trace.ts";
import type { SetUp } from "./set-up.ts";
import { SessionTraces } from "./session-traces.ts";

const service = { version: "1.2.3", serverId: "srv" };
const START_US = 1_795_420_800_000_001;

const claim = playClaim({
  name: "cams/gate",
  token: "secret",
  ip: "192.0.2.7",
  queryString: "token=secret",
});

describe("traces of sessions", () => {
  test("come as a span with one below it for each server that was asked", async (t) => {
    const { url, spans, text } = await startTraceCollector(t);
    const clock = new FakeClock(START_US);
    const traces = new SessionTraces({ service, log: new RecordingLog(), clock });
    traces.configure({ traces: { url, share: 1 }, allowedHosts: [] });
    const trace = traces.begin(claim)!;
    clock.advance(1);
    const asking = trace.asked("portal.example");
    trace.asked("slow.example");
    clock.advance(300);
    asking.ended("allowed");
    trace.judged({ outcome: "allowed", sessionId: "s1" });
    asking.ended("failed");
    clock.advance(500);
    trace.media(clock.wallUs() - 100_000);
    trace.gone();
    traces.begin(claim)!.judged({ outcome: "failed", reason: "nobody answered" });
    await traces.stop();
    assert.deepEqual(
      spans().map(({ name }) => name),
      ["authorize", "authorize", "first_media", "play", "play"],
    );
    const [asked, late, media, play, failed] = spans();
    assert.equal(asking.traceparent, `00-${play!.traceId}-${asked!.spanId}-01`, "what the server was told");
    assert.match(asking.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    for (const below of [asked!, late!, media!]) {
      assert.equal(below.parentSpanId, play!.spanId);
      assert.equal(below.traceId, play!.traceId);
    }
    assert.equal(late!.endTimeUnixNano, media!.startTimeUnixNano, "it was not waited for");
    assert.deepEqual(wordsOf(asked!), {
      "http.request.method": "GET",
      "server.address": "portal.example",
      "weir.outcome": "allowed",
    });
    assert.equal(media!.startTimeUnixNano, "1795420800301001000");
    assert.equal(media!.endTimeUnixNano, "1795420800701001000");
    assert.notEqual(failed!.traceId, play!.traceId);
    assert.equal(play!.parentSpanId ?? "", "");
    assert.equal(play!.startTimeUnixNano, "1795420800000001000");
    assert.equal(asked!.startTimeUnixNano, "1795420800001001000");
    assert.equal(play!.endTimeUnixNano, media!.endTimeUnixNano);
    assert.deepEqual(wordsOf(play!), {
      "weir.stream": "cams/gate",
      "network.protocol.name": "hls",
      "weir.outcome": "allowed",
      "session.id": "s1",
      "weir.media": "flows",
    });
    assert.equal(wordsOf(failed!)["error.type"], "_OTHER");
    assert.equal(failed!.status.code, 2);
    assert.doesNotMatch(text(), /secret|192\.0\.2\.7/);
  });

  test("end without media by time, with the session, and when too many wait", async () => {
    const noted: SetUp[] = [];
    const clock = new FakeClock(START_US);
    const sender = { note: (setUp: SetUp) => void noted.push(setUp), close: () => Promise.resolve() };
    const traces = new SessionTraces({
      ...{ service, log: new RecordingLog(), clock, open: () => Promise.resolve(sender) },
    });
    traces.configure({ traces: { url: "http://127.0.0.1:9/v1/traces", share: 1 }, allowedHosts: [] });
    const admitted = (sessionId: string, fields = {}): SetUpTrace => {
      const trace = traces.begin({ ...claim, ...fields })!;
      trace.judged({ outcome: "allowed", sessionId });
      return trace;
    };
    admitted("idle");
    admitted("gone").gone();
    admitted("player", { proto: "player" });
    clock.advance(30_000);
    assert.equal(clock.pendingTimers, 0);
    for (let n = 0; n < 4097; n++) admitted(`s${n}`);
    await settle();
    assert.deepEqual(
      noted.map(({ sessionId, media }) => [sessionId, media?.outcome, media?.atUs]),
      [
        ["gone", "none", START_US],
        ["player", undefined, undefined],
        ["idle", "none", START_US + 30_000_000],
        ["s0", "unknown", START_US + 30_000_000],
      ],
    );
    await traces.stop();
    assert.deepEqual([noted.length, clock.pendingTimers], [4 + 4096, 0]);
  });

  test("are as many as the share says, and none without a collector", async (t) => {
    const { url, spans } = await startTraceCollector(t);
    const clock = new FakeClock();
    const traces = new SessionTraces({ service, log: new RecordingLog(), clock, random: () => 0.25 });
    assert.equal(traces.begin(claim), null);
    traces.configure({ traces: { url, share: 0.25 }, allowedHosts: [] });
    assert.equal(traces.begin(claim), null);
    traces.configure({ traces: { url, share: 0.26 }, allowedHosts: [] });
    const open = traces.begin(claim);
    traces.configure({ allowedHosts: [] });
    assert.equal(traces.begin(claim), null);
    open!.judged({ outcome: "allowed" });
    await traces.stop();
    assert.deepEqual(spans(), []);
  });

  test("cost one line of log where the collector cannot be opened", async () => {
    const log = new RecordingLog();
    const open = (): Promise<never> => Promise.reject(new Error("no module"));
    const traces = new SessionTraces({ service, log, clock: new FakeClock(), open });
    traces.configure({ traces: { url: "http://127.0.0.1:9/v1/traces", share: 1 }, allowedHosts: [] });
    traces.begin(claim)!.judged({ outcome: "denied" });
    await traces.stop();
    assert.deepEqual(
      log.lines.map(({ message }) => message),
      ["traces cannot be sent"],
    );
  });

  test("are given up 2 s after the server was told to stop", async () => {
    const log = new RecordingLog();
    const clock = new FakeClock();
    const never = new Promise<void>(() => {});
    const open = () => Promise.resolve({ note: () => {}, close: () => never });
    const traces = new SessionTraces({ service, log, clock, open });
    traces.configure({ traces: { url: "http://127.0.0.1:9/v1/traces", share: 1 }, allowedHosts: [] });
    const stopped = traces.stop();
    clock.advance(2000);
    await stopped;
    assert.deepEqual(
      log.lines.map(({ message }) => message),
      ["the last traces were not taken in time"],
    );
  });
});
