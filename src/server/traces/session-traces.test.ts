/** Traces, as a collector gets them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { SessionTraces } from "./session-traces.ts";
import type { SetUp } from "./set-up.ts";

type Span = {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string } }[];
  status: { code?: number };
};
type Body = {
  resourceSpans: { resource: { attributes: { key: string }[] }; scopeSpans: { spans: Span[] }[] }[];
};

const SET_UP: SetUp = {
  kind: "play",
  name: "cams/gate",
  proto: "hls",
  sessionId: "s1",
  claimedUs: 1_795_420_800_000_001,
  judgedUs: 1_795_420_800_300_002,
  outcome: "allowed",
  asked: [
    {
      host: "portal.example",
      startUs: 1_795_420_800_000_100,
      endUs: 1_795_420_800_300_000,
      outcome: "allowed",
    },
  ],
};

/** A collector of traces on this machine. */
async function collector(t: TestContext): Promise<{ url: string; spans: () => Span[] }> {
  const bodies: Body[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      bodies.push(JSON.parse(Buffer.concat(pieces).toString()) as Body);
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const spans = (): Span[] =>
    bodies.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, spans };
}

const service = { version: "1.2.3", serverId: "srv" };

describe("traces of sessions", () => {
  test("come as a span with one below it for each server that was asked", async (t) => {
    const { url, spans } = await collector(t);
    const log = new RecordingLog();
    const traces = new SessionTraces({ service, log });
    traces.configure({ url, share: 1 });
    traces.note(SET_UP);
    traces.note({ ...SET_UP, outcome: "failed", reason: "nobody answered", sessionId: null, asked: [] });
    await traces.stop();
    assert.deepEqual(
      spans().map(({ name }) => name),
      ["authorize", "play", "play"],
    );
    const [asked, play, failed] = spans();
    assert.equal(asked!.parentSpanId, play!.spanId);
    assert.equal(asked!.traceId, play!.traceId);
    assert.notEqual(failed!.traceId, play!.traceId);
    assert.equal(play!.startTimeUnixNano, "1795420800000001000");
    assert.equal(play!.endTimeUnixNano, "1795420800300002000");
    const words = Object.fromEntries(play!.attributes.map(({ key, value }) => [key, value.stringValue]));
    assert.deepEqual(words, {
      "weir.stream": "cams/gate",
      "network.protocol.name": "hls",
      "weir.outcome": "allowed",
      "weir.session.id": "s1",
    });
    assert.equal(failed!.status.code, 2);
  });

  test("are as many as the share says, and none without a collector", async (t) => {
    const { url, spans } = await collector(t);
    const log = new RecordingLog();
    const traces = new SessionTraces({ service, log });
    traces.note(SET_UP);
    traces.configure({ url, share: 0 });
    traces.note(SET_UP);
    traces.configure(undefined);
    traces.note(SET_UP);
    await traces.stop();
    assert.deepEqual(spans(), []);
  });

  test("cost one line of log where the collector cannot be opened", async () => {
    const log = new RecordingLog();
    const traces = new SessionTraces({ service, log, open: () => Promise.reject(new Error("no module")) });
    traces.configure({ url: "http://127.0.0.1:9/v1/traces", share: 1 });
    traces.note(SET_UP);
    await traces.stop();
    assert.deepEqual(
      log.lines.map(({ message }) => message),
      ["traces cannot be sent"],
    );
  });
});
