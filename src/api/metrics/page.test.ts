import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readMetrics } from "../../../test/support/metrics-text.ts";
import { FAMILIES } from "./families.ts";
import type { MetricsPart } from "./families.ts";
import type { ServerFigures, ThreadFigures } from "./figures.ts";
import { MetricsPage } from "./page.ts";
import type { MetricsFormat } from "./page.ts";

const thread: ThreadFigures = {
  index: 0,
  isRunning: true,
  publishers: 2,
  viewers: 30,
  httpConnections: 8,
  rtmpConnections: 9,
  heapBytes: 1e7,
  eventLoopDelayS: 0.002,
  windowBytes: 3000,
  remotePartBytes: 200,
  heldRequests: 7,
  delivery: { bytes: 1_000_000, missedFlushes: 12, resyncs: 4, tooSlow: 1 },
  droppedPackets: 5,
};
const lag = { bounds: [0.1, 1], counts: [3, 1, 1], sum: 7.5 };
const figures: ServerFigures = {
  version: "1.2.3",
  serverId: "srv",
  startedAtS: 1_700_000_000,
  isReady: true,
  streams: 5,
  liveStreams: 2,
  inputBps: 7_000_400,
  outputBps: 8_000_400,
  residentBytes: 9e7,
  cpuS: 12.5,
  controlDelayS: 0.25,
  cpuPercent: 33,
  loopPercent: 12,
  openFiles: 55,
  memoryPercent: 44,
  threads: [thread, { ...thread, index: 1, isRunning: false, viewers: 0 }],
  segmentS: { bounds: [2], counts: [10, 0], sum: 20 },
  partS: null,
  recording: { bytes: 5000, waitingBytes: 6, lostGroups: 7, lagS: lag },
  copies: { waitingHours: 6, hours: 11, bytes: 12_000, failures: 13 },
  threadRestarts: 1,
  lostStreams: 3,
  lostViewers: 40,
  reloads: { taken: 4, refused: 1 },
  isConfigTaken: false,
  sessions: [
    { kind: "play", proto: "hls", count: 20, opened: 100, bytes: 9000 },
    { kind: "play", proto: "rtmp", count: 5, opened: 6, bytes: 1000 },
    { kind: "publish", proto: "rtmp", count: 1, opened: 2, bytes: 70 },
    { kind: "ingest", proto: "file", count: 1, opened: 1, bytes: 5 },
  ],
  access: {
    denied: { play: 3 },
    wrong: { password: 2 },
    asked: { allowed: 8, failed: 2 },
    askedS: lag,
    waiting: 4,
    adminFailures: 6,
  },
  sinks: [{ name: "portal", waiting: 1, waitingBytes: 2, sent: 3, resent: 4, dropped: 5 }],
  partitions: [{ path: "/storage", totalBytes: 2 ** 30, freeBytes: 2 ** 28 }],
  perStream: [
    {
      name: 'a"b\\c',
      isLive: true,
      clients: 3,
      bytesIn: 4,
      bytesOut: 5,
      inputBitrate: 2_000_400,
      outputBps: 6_000_400,
      returns: 9,
    },
  ],
};

async function linesOf(
  page: MetricsPage,
  now: ServerFigures,
  format?: MetricsFormat,
  part?: MetricsPart,
): Promise<string[]> {
  const { body } = await page.render(now, format, part);
  return Buffer.concat([...body])
    .toString()
    .split("\n");
}

/** One line of each metric. */
const LINES = [
  "weir_thread_restarts_total 1",
  "weir_copy_waiting_hours 6",
  "weir_copied_hours_total 11",
  "weir_copied_bytes_total 12000",
  "weir_copy_failures_total 13",
  "weir_lost_streams_total 3",
  "weir_lost_viewers_total 40",
  'weir_window_bytes{thread="0"} 3000',
  'weir_remote_part_bytes{thread="0"} 200',
  'weir_held_requests{thread="0"} 7',
  'weir_viewers{thread="0"} 30',
  'weir_viewers{thread="1"} 0',
  'weir_publishers{thread="1"} 2',
  'weir_http_connections{thread="0"} 8',
  'weir_rtmp_connections{thread="0"} 9',
  'weir_thread_heap_bytes{thread="0"} 10000000',
  'weir_event_loop_delay_p99_seconds{thread="0"} 0.002',
  'weir_event_loop_delay_p99_seconds{thread="control"} 0.25',
  'weir_thread_up{thread="1"} 0',
  'weir_delivered_bytes_total{thread="0"} 1000000',
  'weir_missed_flushes_total{thread="0"} 12',
  'weir_resyncs_total{thread="0"} 4',
  'weir_slow_viewers_closed_total{thread="0"} 1',
  'weir_dropped_packets_total{thread="0"} 5',
  'weir_segment_duration_seconds_bucket{le="2"} 10',
  'weir_recording_lag_seconds_bucket{le="1"} 4',
  'weir_recording_lag_seconds_bucket{le="+Inf"} 5',
  "weir_recording_lag_seconds_sum 7.5",
  "weir_recording_lag_seconds_count 5",
  "weir_recorded_bytes_total 5000",
  "weir_recording_waiting_bytes 6",
  "weir_recording_lost_groups_total 7",
  'weir_sessions{type="play",proto="hls"} 20',
  'weir_sessions_opened_total{type="play",proto="hls"} 100',
  'weir_session_bytes_total{type="publish",proto="rtmp"} 70',
  'weir_denied_total{type="play"} 3',
  'weir_wrong_credentials_total{what="password"} 2',
  'weir_auth_requests_total{result="failed"} 2',
  'weir_auth_request_duration_seconds_bucket{le="0.1"} 3',
  "weir_auth_waiting 4",
  "weir_admin_auth_failures_total 6",
  'weir_event_sink_waiting{sink="portal"} 1',
  'weir_event_sink_waiting_bytes{sink="portal"} 2',
  'weir_event_sink_sent_total{sink="portal"} 3',
  'weir_event_sink_resent_total{sink="portal"} 4',
  'weir_event_sink_dropped_total{sink="portal"} 5',
  'server_total_clients{server_id="srv"} 25',
  'server_online_streams{server_id="srv"} 2',
  'server_started_at{server_id="srv"} 1700000000',
  'server_input_bitrate{server_id="srv"} 7000',
  'server_output_bitrate{server_id="srv"} 8000',
  'server_cpu_usage{server_id="srv"} 33',
  'server_memory_usage{server_id="srv"} 44',
  'server_scheduler_load{server_id="srv"} 12',
  'server_opened_files{server_id="srv"} 55',
  'server_bytes_in{server_id="srv"} 75',
  'server_bytes_out{server_id="srv"} 10000',
  'partition_total_mb{server_id="srv",path="/storage"} 1024',
  'partition_usage{server_id="srv",path="/storage"} 75',
  'stream_alive{server_id="srv",name="a\\"b\\\\c"} 1',
  'stream_online_clients{server_id="srv",name="a\\"b\\\\c"} 3',
  'stream_bytes_in{server_id="srv",name="a\\"b\\\\c"} 4',
  'stream_bytes_out{server_id="srv",name="a\\"b\\\\c"} 5',
  'stream_bitrate{server_id="srv",name="a\\"b\\\\c"} 2000',
  'stream_out_bandwidth{server_id="srv",name="a\\"b\\\\c"} 6000',
  'stream_retry_count{server_id="srv",name="a\\"b\\\\c"} 9',
  "weir_ready 1",
  "weir_start_time_seconds 1700000000",
  "weir_streams 5",
  "weir_streams_live 2",
  "weir_config_last_reload_successful 0",
  'weir_config_reloads_total{result="refused"} 1',
  'weir_build_info{version="1.2.3"} 1',
  "process_cpu_seconds_total 12.5",
  "process_resident_memory_bytes 90000000",
];

describe("the metrics page", () => {
  test("has every figure, with its help and its type", async () => {
    const lines = await linesOf(new MetricsPage(), figures);
    for (const line of LINES) assert.ok(lines.includes(line), `${line} is not in:\n${lines.join("\n")}`);
    for (const { name, type, help } of FAMILIES) {
      assert.ok(lines.includes(`# HELP ${name} ${help}`), name);
      assert.ok(lines.includes(`# TYPE ${name} ${type}`), name);
      const isTested = LINES.some((line) => line.startsWith(name)) || name === "weir_part_duration_seconds";
      assert.ok(isTested, `${name} has a line in this test`);
    }
    const own = lines.filter((line) => line !== "" && !line.startsWith("#"));
    assert.equal(new Set(own).size, own.length, "no line is there twice");
  });

  test("has counters as they are, however often it is read", async () => {
    const page = new MetricsPage();
    await page.render(figures);
    assert.ok((await linesOf(page, figures)).includes("weir_thread_restarts_total 1"));
    const later = await linesOf(page, { ...figures, threadRestarts: 2, threads: [] });
    assert.ok(later.includes("weir_thread_restarts_total 2"));
    assert.ok(!later.some((line) => line.startsWith("weir_viewers{")), "nor what is gone");
  });

  test("is well formed in both formats, in each of its parts", async () => {
    const page = new MetricsPage();
    for (const part of ["all", "server", "streams"] as const) {
      for (const format of ["prometheus", "openmetrics"] as const) {
        const text = (await linesOf(page, figures, format, part)).join("\n");
        const had = new Set(readMetrics(text, format === "openmetrics").map(({ name }) => name));
        assert.equal(had.has("stream_alive"), part !== "server", part);
        assert.equal(had.has("server_total_clients"), part !== "streams", part);
        assert.equal(had.has("weir_ready"), part === "all", part);
      }
    }
  });

  test("is OpenMetrics for who asks for that", async () => {
    const lines = await linesOf(new MetricsPage(), figures, "openmetrics");
    assert.ok(lines.includes("# TYPE weir_thread_restarts counter"));
    assert.ok(lines.includes("weir_thread_restarts_total 1"));
    assert.ok(lines.includes('weir_auth_requests_total{result="failed"} 2'));
    assert.equal(
      lines.findLast((line) => line !== ""),
      "# EOF",
    );
  });
});

test("names of metrics are as Prometheus wants them", () => {
  for (const { name, type } of FAMILIES) {
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
  }
  assert.equal(new Set(FAMILIES.map(({ name }) => name)).size, FAMILIES.length);
});
