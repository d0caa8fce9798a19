/** Every metric, as data: its name, its help, and where its values are. docs/metrics.md is made from it. */
import type { HistogramFigures } from "../../base/histogram.ts";
import type { ServerFigures, SessionRow, SinkRow, StreamRow, ThreadFigures } from "./figures.ts";

/** Names of labels and their values. */
export type Labels = Readonly<Record<string, string | number>>;

/** One value of a metric. */
export type Sample = { readonly labels: Labels; readonly value: number };

/** One metric. Names of counters end in `_total`, which is no part of them in OpenMetrics. */
export type Family = {
  readonly name: string;
  readonly help: string;
} & (
  | { readonly type: "gauge" | "counter"; samples(now: ServerFigures): readonly Sample[] }
  | { readonly type: "histogram"; histogram(now: ServerFigures): HistogramFigures | null }
);

type Value<Row> = (row: Row) => number;

function gauge(name: string, help: string, value: Value<ServerFigures>): Family {
  return { name, help, type: "gauge", samples: (now) => [{ labels: {}, value: value(now) }] };
}

function counter(name: string, help: string, value: Value<ServerFigures>): Family {
  return { name, help, type: "counter", samples: (now) => [{ labels: {}, value: value(now) }] };
}

/** A value for each row of a table. */
function table<Row>(rows: (now: ServerFigures) => readonly Row[], labelsOf: (row: Row) => Labels) {
  return (type: "gauge" | "counter", name: string, help: string, value: Value<Row>): Family => ({
    ...{ name, help, type },
    samples: (now) => rows(now).map((row) => ({ labels: labelsOf(row), value: value(row) })),
  });
}

function histogram(
  name: string,
  help: string,
  read: (now: ServerFigures) => HistogramFigures | null,
): Family {
  return { name, help, type: "histogram", histogram: read };
}

function samplesOf(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

const thread = table(
  (now) => now.threads,
  ({ index }: ThreadFigures) => ({ thread: index }),
);
const session = table(
  (now) => now.sessions,
  ({ kind, proto }: SessionRow) => ({ type: kind, proto }),
);
const sink = table(
  (now) => now.sinks,
  ({ name }: SinkRow) => ({ sink: name }),
);

const SERVER: readonly Family[] = [
  gauge("weir_start_time_seconds", "When the server was started.", (now) => now.startedAtS),
  gauge("weir_ready", "1: the server takes work.", (now) => Number(now.isReady)),
  gauge("weir_streams", "Streams that are known.", (now) => now.streams),
  gauge("weir_streams_live", "Streams that media come in for.", (now) => now.liveStreams),
  gauge("process_resident_memory_bytes", "Resident memory.", (now) => now.residentBytes),
  counter("process_cpu_seconds_total", "CPU time, user and system.", (now) => now.cpuS),
  counter("weir_thread_restarts_total", "Media threads replaced.", (now) => now.threadRestarts),
  counter("weir_lost_streams_total", "Streams lost with a thread.", (now) => now.lostStreams),
  counter("weir_lost_viewers_total", "Viewers lost with a thread.", (now) => now.lostViewers),
  gauge(
    "weir_config_last_reload_successful",
    "1: the configuration that was read last is in force.",
    (now) => Number(now.isConfigTaken),
  ),
  {
    name: "weir_config_reloads_total",
    help: "Times that the configuration was read anew.",
    type: "counter",
    samples: ({ reloads }) => samplesOf("result", reloads),
  },
  {
    name: "weir_build_info",
    help: "1, with the version as a label.",
    type: "gauge",
    samples: ({ version }) => [{ labels: { version }, value: 1 }],
  },
];

const THREADS: readonly Family[] = [
  thread("gauge", "weir_thread_up", "1: the media thread serves.", (now) => Number(now.isRunning)),
  thread("gauge", "weir_publishers", "Publishers that are connected.", (now) => now.publishers),
  thread(
    "gauge",
    "weir_viewers",
    "Viewers that are connected, over RTMP, HTTP-FLV and the like.",
    (now) => now.viewers,
  ),
  thread("gauge", "weir_http_connections", "HTTP connections that are open.", (now) => now.httpConnections),
  thread("gauge", "weir_rtmp_connections", "RTMP connections that are open.", (now) => now.rtmpConnections),
  thread("gauge", "weir_thread_heap_bytes", "Heap in use.", (now) => now.heapBytes),
  thread("gauge", "weir_window_bytes", "Media in live windows.", (now) => now.windowBytes),
  thread(
    "gauge",
    "weir_remote_part_bytes",
    "Parts of live windows of other threads, in shared memory.",
    (now) => now.remotePartBytes,
  ),
  thread(
    "gauge",
    "weir_held_requests",
    "Requests that are held until the media is there.",
    (now) => now.heldRequests,
  ),
  {
    name: "weir_event_loop_delay_p99_seconds",
    help: "How late the event loop was, 99th percentile of the last minute; thread `control` has the API and the sessions.",
    type: "gauge",
    samples: ({ threads, controlDelayS }) => [
      ...threads.map(({ index, eventLoopDelayS }) => ({
        labels: { thread: index },
        value: eventLoopDelayS,
      })),
      { labels: { thread: "control" }, value: controlDelayS },
    ],
  },
  thread(
    "counter",
    "weir_delivered_bytes_total",
    "Bytes given to connections of viewers over RTMP, HTTP-FLV and the like.",
    ({ delivery }) => delivery.bytes,
  ),
  thread(
    "counter",
    "weir_missed_flushes_total",
    "Writes that a viewer missed since it was too slow.",
    ({ delivery }) => delivery.missedFlushes,
  ),
  thread(
    "counter",
    "weir_resyncs_total",
    "Times that a viewer fell back and went on at the next GOP.",
    ({ delivery }) => delivery.resyncs,
  ),
  thread(
    "counter",
    "weir_slow_viewers_closed_total",
    "Viewers that were closed since they never caught up.",
    ({ delivery }) => delivery.tooSlow,
  ),
  thread(
    "counter",
    "weir_dropped_packets_total",
    "Packets that other threads missed since they took them too slowly.",
    (now) => now.droppedPackets,
  ),
];

const MEDIA: readonly Family[] = [
  histogram("weir_segment_duration_seconds", "How long live segments are.", (now) => now.segmentS),
  histogram(
    "weir_part_duration_seconds",
    "How long those parts of live segments are that somebody followed.",
    (now) => now.partS,
  ),
  counter("weir_recorded_bytes_total", "Media written to archives.", (now) => now.recording?.bytes ?? 0),
  gauge(
    "weir_recording_waiting_bytes",
    "Media that waits to be written to archives.",
    (now) => now.recording?.waitingBytes ?? 0,
  ),
  counter(
    "weir_recording_lost_groups_total",
    "Groups of pictures that were not recorded since a disk was slow, full or gone.",
    (now) => now.recording?.lostGroups ?? 0,
  ),
  histogram(
    "weir_recording_lag_seconds",
    "From the moment in which a group of pictures was complete until it was written.",
    (now) => now.recording?.lagS ?? null,
  ),
  gauge(
    "weir_copy_waiting_hours",
    "Hours of recordings that wait to be copied to object storage.",
    ({ copies }) => copies.waitingHours,
  ),
  counter("weir_copied_hours_total", "Hours copied.", ({ copies }) => copies.hours),
  counter("weir_copied_bytes_total", "Bytes sent for them.", ({ copies }) => copies.bytes),
  counter("weir_copy_failures_total", "Copies that failed.", ({ copies }) => copies.failures),
];

const ACCESS: readonly Family[] = [
  session("gauge", "weir_sessions", "Sessions that are open.", (row) => row.count),
  session("counter", "weir_sessions_opened_total", "Sessions that began.", (row) => row.opened),
  session("counter", "weir_session_bytes_total", "Media of sessions.", (row) => row.bytes),
  {
    name: "weir_denied_total",
    help: "Viewers and publishers that were refused.",
    type: "counter",
    samples: ({ access }) => samplesOf("type", access.denied),
  },
  {
    name: "weir_wrong_credentials_total",
    help: "Wrong passwords of publishers, and tokens whose signature is wrong.",
    type: "counter",
    samples: ({ access }) => samplesOf("what", access.wrong),
  },
  {
    name: "weir_auth_requests_total",
    help: "Questions to servers that decide who may play and publish, by how they ended.",
    type: "counter",
    samples: ({ access }) => samplesOf("result", access.asked),
  },
  histogram(
    "weir_auth_request_duration_seconds",
    "How long servers took that decide who may play and publish.",
    ({ access }) => access.askedS,
  ),
  gauge(
    "weir_auth_waiting",
    "Questions to such servers that wait for their turn.",
    ({ access }) => access.waiting,
  ),
  counter(
    "weir_admin_auth_failures_total",
    "Requests to the API with wrong credentials.",
    ({ access }) => access.adminFailures,
  ),
];

const EVENTS: readonly Family[] = [
  sink("gauge", "weir_event_sink_waiting", "Events that wait for their sink.", (row) => row.waiting),
  sink("gauge", "weir_event_sink_waiting_bytes", "Bytes of them.", (row) => row.waitingBytes),
  sink("counter", "weir_event_sink_sent_total", "Events that their sink took.", (row) => row.sent),
  sink("counter", "weir_event_sink_resent_total", "Events that were sent once more.", (row) => row.resent),
  sink(
    "counter",
    "weir_event_sink_dropped_total",
    "Events that were given up: too many, or too old.",
    (row) => row.dropped,
  ),
];

/** Names of the reference product, for dashboards that know them; each with the server's id. */
function reference(
  name: string,
  help: string,
  value: Value<ServerFigures>,
  type: "gauge" | "counter" = "gauge",
): Family {
  return {
    name,
    help,
    type,
    samples: (now) => [{ labels: { server_id: now.serverId }, value: value(now) }],
  };
}

function sumOf(now: ServerFigures, kind: string, value: Value<SessionRow>): number {
  return now.sessions.reduce((sum, row) => sum + (row.kind === kind ? value(row) : 0), 0);
}

const MIB = 1024 * 1024;

function kbit(bps: number): number {
  return Math.round(bps / 1000);
}

const REFERENCE: readonly Family[] = [
  reference("server_total_clients", "Viewers.", (now) => sumOf(now, "play", (row) => row.count)),
  reference("server_online_streams", "Streams that are on air.", (now) => now.liveStreams),
  reference(
    "server_started_at",
    "When the server was started, in seconds since 1970.",
    (now) => now.startedAtS,
  ),
  reference("server_input_bitrate", "What comes in, in kbit/s.", (now) => kbit(now.inputBps)),
  reference(
    "server_output_bitrate",
    "What goes out to viewers, in kbit/s, since the page was asked for before.",
    (now) => kbit(now.outputBps),
  ),
  reference("server_cpu_usage", "CPU in use, in percent.", (now) => now.cpuPercent),
  reference("server_scheduler_load", "How busy event loops are, in percent.", (now) => now.loopPercent),
  {
    name: "server_opened_files",
    help: "Files, sockets and the like that are open.",
    type: "gauge",
    samples: ({ serverId, openFiles }) =>
      openFiles === null ? [] : [{ labels: { server_id: serverId }, value: openFiles }],
  },
  reference("server_memory_usage", "Memory in use, in percent.", (now) => now.memoryPercent),
  reference(
    "server_bytes_in",
    "Media that came in.",
    (now) => sumOf(now, "publish", (row) => row.bytes) + sumOf(now, "ingest", (row) => row.bytes),
  ),
  reference("server_bytes_out", "Media that went out.", (now) => sumOf(now, "play", (row) => row.bytes)),
  {
    name: "partition_total_mb",
    help: "Size of a file system that is recorded to, in MiB.",
    type: "gauge",
    samples: ({ serverId, partitions }) =>
      partitions.map(({ path, totalBytes }) => ({
        labels: { server_id: serverId, path },
        value: Math.round(totalBytes / MIB),
      })),
  },
  {
    name: "partition_usage",
    help: "How much of it is in use, in percent.",
    type: "gauge",
    samples: ({ serverId, partitions }) =>
      partitions.map(({ path, totalBytes, freeBytes }) => ({
        labels: { server_id: serverId, path },
        value: totalBytes === 0 ? 0 : Math.round((100 * (totalBytes - freeBytes)) / totalBytes),
      })),
  },
];

function perStream(name: string, help: string, value: Value<StreamRow>): Family {
  return {
    ...{ name, help, type: "gauge" },
    samples: ({ serverId, perStream: rows }) =>
      rows.map((row) => ({ labels: { server_id: serverId, name: row.name }, value: value(row) })),
  };
}

const STREAMS: readonly Family[] = [
  perStream(
    "stream_alive",
    "1: media come in. A stream that is configured and not disabled has a row from the start.",
    (row) => Number(row.isLive),
  ),
  perStream("stream_online_clients", "Viewers.", (row) => row.clients),
  perStream("stream_bytes_in", "Media that came in since the publisher is there.", (row) => row.bytesIn),
  perStream("stream_bytes_out", "Media that went out to viewers that are there.", (row) => row.bytesOut),
  perStream("stream_bitrate", "What comes in, in kbit/s.", (row) => kbit(row.inputBitrate)),
  perStream("stream_out_bandwidth", "What goes out to viewers, in kbit/s, as of the same time.", (row) =>
    kbit(row.outputBps),
  ),
  perStream(
    "stream_retry_count",
    "Publishers that came back, or came after another one.",
    (row) => row.returns,
  ),
];

/**
 * What a page may have: all, or what the reference product has at an address of its own; `none` of pushes and
 * transponders, which this server does not have.
 */
export type MetricsPart = "all" | "server" | "streams" | "none";

/** All of each part, in the order of the page. */
export const FAMILIES_OF: Readonly<Record<MetricsPart, readonly Family[]>> = {
  all: [...SERVER, ...THREADS, ...MEDIA, ...ACCESS, ...EVENTS, ...REFERENCE, ...STREAMS],
  server: REFERENCE,
  streams: STREAMS,
  none: [],
};

/** All of them, in the order of the page. */
export const FAMILIES: readonly Family[] = FAMILIES_OF.all;
