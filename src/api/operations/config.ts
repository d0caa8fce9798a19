/** The server as a whole: its configuration in force, its figures, and what probes ask. */
import { z } from "zod";
import type { ApiOperation } from "../operation.ts";
import { configOnDisk, timeMs } from "./shared-schemas.ts";
import { authBackendItem, dvrItem, eventSinkItem, templateItem, vodItem } from "./objects.ts";
import { streamItem } from "./streams.ts";

const listener = z.object({
  port: z.int(),
  address: z.string().optional(),
  api: z.boolean().optional(),
  proxy_protocol: z.boolean().optional(),
});

const credentials = z.object({ login: z.string().optional(), password: z.literal("***") });

/** The settings of the server. Durations in seconds. */
export const configReply: z.ZodObject = z.object({
  listeners: z.object({
    http: z.array(listener),
    https: z.array(listener),
    rtmp: z.array(listener),
    rtmps: z.array(listener),
  }),
  hostname: z.string().optional(),
  loglevel: z.string(),
  edit_auth: credentials.optional(),
  edit_auth_file: z.string().optional(),
  view_auth: credentials.optional(),
  view_auth_file: z.string().optional(),
  production: z.boolean(),
  cluster_key: z.literal("***").optional(),
  api_allowed_from: z.array(z.string()),
  trusted_proxies: z.array(z.string()),
  api_tokens: z.array(
    z.object({ name: z.string(), scope: z.array(z.string()), expires_at: timeMs.optional() }),
  ),
  allowed_hosts: z.array(z.string()),
  auth_token: z.string(),
  geoip: z.string().optional(),
  event_queue: z.string().optional(),
  stream_metrics: z.boolean(),
  /** Bits per second. */
  total_bandwidth: z.int().optional(),
  threads: z.int().optional(),
  drain_timeout: z.number(),
  max_connections_per_address: z.int(),
  rtmp_handshake_timeout: z.number(),
  rtmp_idle_timeout: z.number(),
  http_idle_timeout: z.number(),
  max_message_size: z.int(),
  streams: z.array(streamItem).optional(),
  templates: z.array(templateItem).optional(),
  vods: z.array(vodItem).optional(),
  dvrs: z.array(dvrItem).optional(),
  auth_backends: z.array(authBackendItem).optional(),
  event_sinks: z.array(eventSinkItem).optional(),
  config_on_disk: configOnDisk,
});

const whoAmI = {
  server_version: z.string(),
  build: z.string(),
  now: timeMs,
  started_at: timeMs,
};

/** Figures of the server. */
export const statsReply: z.ZodObject = z.object({
  ...whoAmI,
  server_id: z.string(),
  hostname: z.string(),
  streamer_status: z.enum(["starting", "running", "draining", "broken_config"]),
  /** When the server started, in seconds since 1970, and how many configurations it took since. */
  config_version: z.tuple([z.int(), z.int()]),
  config_error: z.string().optional(),
  /** Seconds. */
  uptime: z.int(),
  total_streams: z.int(),
  online_streams: z.int(),
  total_clients: z.int(),
  input_kbit: z.int(),
  /** What went to viewers since it was asked before; absent the first time. */
  output_kbit: z.int().optional(),
  /** The same in percent of `total_bandwidth`, where the configuration has that. */
  bandwidth_usage: z.int().optional(),
  /** Percent of all cores, since it was asked last. */
  cpu_usage: z.int(),
  /** Percent of what the process may have. */
  memory_usage: z.int(),
  /** Percent of the time of media threads' event loops, on average. */
  scheduler_load: z.int(),
  /** Files, sockets and the like; absent where the system does not tell. */
  opened_files: z.int().optional(),
  /** File systems that are recorded to; `usage` in percent. */
  partitions: z.array(z.object({ path: z.string(), total_mb: z.int(), usage: z.int() })),
  /** Of all sinks: batches that were sent once more, events that were given up. */
  events: z.object({ resent: z.int(), dropped: z.int() }),
  text_alerts: z.array(z.string()),
  media_thread_restarts: z.int(),
  resident_bytes: z.int(),
  threads: z.array(z.looseObject({ index: z.int(), status: z.enum(["running", "starting"]) })),
});

const probeReply = z.object({ ...whoAmI, reason: z.string().optional() });

/** Operations on the server. */
export const configOperations = {
  get: {
    method: "GET",
    path: "/config",
    id: "configGet",
    tag: "config",
    summary: "Settings in force; with `full`, all objects of the configuration",
    scope: "config",
    query: z.object({ full: z.enum(["", "true", "false", "1", "0"]).optional() }),
    reply: { status: 200, schema: configReply },
  },
  metrics: {
    method: "GET",
    path: "/monitoring/metrics",
    id: "metrics",
    tag: "monitoring",
    summary: "Metrics for Prometheus; ?format=openmetrics for the newer format",
    scope: "metrics",
    query: z.object({
      format: z.enum(["openmetrics", "prometheus"]).optional(),
      request: z.enum(["server", "streams", "pusher", "tp"]).optional(),
      name: z.string().optional(),
    }),
    reply: {
      status: 200,
      schema: z.string(),
      type: "text/plain",
      otherTypes: ["application/openmetrics-text"],
    },
  },
  stats: {
    method: "GET",
    path: "/config/stats",
    id: "configStats",
    tag: "config",
    summary: "Figures of the server",
    scope: "metrics",
    reply: { status: 200, schema: statsReply },
  },
  reload: {
    method: "POST",
    path: "/config/reload",
    id: "configReload",
    tag: "config",
    summary: "Reads the configuration anew",
    scope: "config",
    reply: { status: 204, schema: null },
    errors: [409],
  },
  reloadByGet: {
    method: "GET",
    path: "/config/reload",
    id: "configReloadByGet",
    tag: "config",
    summary: "The same, for clients that only GET; takes edit access",
    scope: "config",
    changes: true,
    reply: { status: 204, schema: null },
    errors: [409],
  },
  openapi: {
    method: "GET",
    path: "/openapi.json",
    id: "openapi",
    tag: "config",
    summary: "This description",
    scope: "view",
    reply: { status: 200, schema: z.looseObject({ openapi: z.string() }) },
  },
  liveness: {
    method: "GET",
    path: "/monitoring/liveness",
    id: "liveness",
    tag: "monitoring",
    summary: "Whether the server turns",
    scope: "view",
    isPublic: true,
    reply: { status: 200, schema: probeReply },
    otherReplies: { 503: probeReply },
  },
  readiness: {
    method: "GET",
    path: "/monitoring/readiness",
    id: "readiness",
    tag: "monitoring",
    summary: "Whether the server takes work",
    scope: "view",
    isPublic: true,
    reply: { status: 200, schema: probeReply },
    otherReplies: { 503: probeReply },
  },
} as const satisfies Record<string, ApiOperation>;
