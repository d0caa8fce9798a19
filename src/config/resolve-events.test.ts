import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "./load.ts";
import type { ResolvedConfig } from "./plan.ts";

function load(text: string, environment = {}): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "t", text }], environment);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

test("an event_sink has every default", () => {
  const { place: _place, ...sink } = load("event_sink s { url http://portal/; }").eventSinks[0]!;
  assert.deepEqual(sink, {
    name: "s",
    url: "http://portal/",
    only: [],
    except: [],
    throttleDelayMs: 0,
    resendTimeoutMs: 10_000,
    maxSizeBytes: 64 * 1024 ** 2,
  });
});

test("an event_sink has what is said of it, in old words and new ones", () => {
  const { eventSinks } = load(`
    event_sink new {
      url https://portal/; only event=play_*,source_* media=news; only event=a event=b,a; except place=x;
      throttle_delay 2; resend_limit 0; resend_timeout 500ms; max_size 1M; max_depth 1d; level warn; sign_key k;
    }
    notify old { sink log:///var/log/events; verbose debug; }
  `);
  const [{ place: _place, ...sink }, old] = eventSinks as [(typeof eventSinks)[0], (typeof eventSinks)[0]];
  assert.deepEqual(sink, {
    name: "new",
    url: "https://portal/",
    only: [{ event: ["play_*", "source_*"], media: ["news"] }, { event: ["a", "b"] }],
    except: [{ place: ["x"] }],
    throttleDelayMs: 2000,
    resendLimit: 0,
    resendTimeoutMs: 500,
    maxSizeBytes: 1024 ** 2,
    maxDepthMs: 86_400_000,
    level: "warning",
    signKey: "k",
  });
  assert.deepEqual([old.name, old.url, old.level], ["old", "log:///var/log/events", "debug"]);
});

test("an event_sink may be the server's log", () => {
  const { eventSinks } = load("event_sink own { url log://; level notice; }");
  assert.deepEqual([eventSinks[0]?.url, eventSinks[0]?.level], ["log://", "notice"]);
});

test("rows for streams, and the queue's directory, are there when they are asked for", () => {
  assert.equal(load("").hasStreamMetrics, false);
  assert.equal(load("stream_metrics;").hasStreamMetrics, true);
  assert.equal(load("total_bandwidth 2G;").totalBandwidthBps, 2e9);
  assert.equal(load("event_queue /var/lib/weir/events;").eventQueue, "/var/lib/weir/events");
});

const OTLP = "OTEL_EXPORTER_OTLP_ENDPOINT";

describe("traces go", () => {
  for (const [text, environment, traces] of [
    ["", {}, undefined],
    ["", { OTEL_TRACES_SAMPLER_ARG: "0.5" }, undefined],
    ["traces http://c:4318;", {}, { url: "http://c:4318/v1/traces", share: 1 }],
    ["traces http://c:4318/ share=0.1;", {}, { url: "http://c:4318/v1/traces", share: 0.1 }],
    ["traces https://c/own share=0;", {}, { url: "https://c/own", share: 0 }],
    [
      "traces http://c;",
      { [OTLP]: "http://e:4318/base/" },
      { url: "http://e:4318/base/v1/traces", share: 1 },
    ],
    [
      "",
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://e/x", [OTLP]: "http://f" },
      { url: "http://e/x", share: 1 },
    ],
    ["traces http://c/a share=1;", { OTEL_TRACES_SAMPLER_ARG: "0.25" }, { url: "http://c/a", share: 0.25 }],
  ] as const) {
    test(`by ${JSON.stringify(text)} and ${JSON.stringify(environment)} to ${traces?.url ?? "nobody"}`, () => {
      assert.deepEqual(load(text, environment).traces, traces);
    });
  }
});

test("a directory of the queue, a sink and a share that are none are refused", () => {
  for (const text of [
    "event_queue events;",
    "event_sink s { }",
    "event_sink s { url /notify.lua; }",
    "event_sink s { url http://a/; only =a; }",
    "event_sink s { url http://a/; only event=a,,b; }",
    "event_sink s { url http://a/; } event_sink s { url http://a/; }",
    "traces;",
    "traces http://c share=2;",
  ]) {
    const { config, problems } = loadConfig([{ file: "t", text }]);
    assert.equal(config, undefined, text);
    assert.equal(problems.length, 1, JSON.stringify(problems));
  }
});
