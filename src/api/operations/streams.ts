/** Streams: those of the configuration, and those that came to be by a template. */
import { z } from "zod";
import type { ApiOperation } from "../operation.ts";
import { configOnDisk, listOf, protocolWords, timeMs } from "./shared-schemas.ts";

/** Who may play or publish. URLs are masked: they have keys in them. */
export const accessItem: z.ZodObject = z.object({
  url: z.string().optional(),
  max_sessions: z.int().optional(),
  soft_limitation: z.int().optional(),
  session_keys: z.array(z.string()).optional(),
  domains: z.array(z.string()).optional(),
  allowed_countries: z.array(z.string()).optional(),
  disallowed_countries: z.array(z.string()).optional(),
});

/** How something is recorded. Times in seconds, sizes in bytes. */
export const dvrFields = {
  root: z.string(),
  expiration: z.number().optional(),
  storage_limit: z.int().optional(),
  disk_usage_limit: z.number().optional(),
  copy: z.string().optional(),
  replicate: z.string().optional(),
  dvr_offline: z.boolean().optional(),
};

/** How an input does. A file that the server plays has no address. */
const inputStats = z.object({
  active: z.boolean(),
  proto: z.string().optional(),
  ip: z.string().optional(),
  connected_at: timeMs.optional(),
  bytes: z.int().optional(),
});

/** What streams and templates have in common, by the words of the configuration. */
export const liveFields = {
  title: z.string().optional(),
  comment: z.string().optional(),
  provider: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  position: z.int().optional(),
  disabled: z.boolean(),
  static: z.boolean(),
  inputs: z.array(
    z.object({
      url: z.string(),
      priority: z.int().optional(),
      /** Seconds. */
      source_timeout: z.union([z.number(), z.literal(false)]).optional(),
      /** Of streams alone. */
      stats: inputStats.optional(),
    }),
  ),
  source_timeout: z.union([z.number(), z.literal(false)]),
  segment_duration: z.int(),
  segment_count: z.int(),
  chunk_duration: z.int(),
  add_audio_only: z.boolean(),
  prepush: z.union([z.number(), z.boolean()]),
  send_window: z.union([z.number(), z.literal("auto")]).optional(),
  protocols: protocolWords,
  second_publisher: z.enum(["refuse", "replace"]),
  dvr: z.object(dvrFields).nullable().optional(),
  on_play: accessItem.optional(),
  on_publish: z.object({ url: z.string() }).optional(),
  password: z.literal("***").optional(),
};

/** What is recorded, in whole seconds: the newest hundred ranges, and the sums of all. */
const dvrInfo = z.object({
  from: z.int().nullable(),
  depth: z.int(),
  duration: z.int(),
  ranges: z.array(z.object({ from: z.int(), duration: z.int() })),
  bytes: z.int(),
  disk_size: z.int(),
});

const track = z.object({
  track_id: z.string(),
  content: z.enum(["video", "audio", "text"]),
  codec: z.string(),
  lang: z.string(),
  width: z.int().optional(),
  height: z.int().optional(),
  fps: z.number().optional(),
  sample_rate: z.int().optional(),
  channels: z.int().optional(),
});

/** Bitrates: kilobits a second. `error`: its source is the server's own, and does not play. */
const stats = z.object({
  id: z.string().optional(),
  status: z.enum(["running", "waiting", "error"]),
  alive: z.boolean(),
  opened_at: timeMs.optional(),
  started_at: timeMs.optional(),
  lifetime: z.int().optional(),
  retry_count: z.int(),
  bitrate: z.int(),
  input_bitrate: z.int(),
  output_bitrate: z.int(),
  out_bandwidth: z.int().optional(),
  last_dts: z.int().optional(),
  last_dts_at: timeMs.optional(),
  ts_delay: z.int().optional(),
  bytes_in: z.int(),
  bytes_out: z.int().optional(),
  online_clients: z.int(),
  client_count: z.int(),
  last_access_at: timeMs.optional(),
  media_info: z.object({ tracks: z.array(track) }).optional(),
  dvr_enabled: z.boolean(),
  dvr_info: dvrInfo.optional(),
  source: z.object({ proto: z.string(), ip: z.string().optional() }).optional(),
});

/** One stream. */
export const streamItem: z.ZodObject = z.object({
  name: z.string(),
  named_by: z.enum(["config", "user"]),
  template: z.string().optional(),
  ...liveFields,
  config_on_disk: configOnDisk,
  stats,
});

function select<Method extends "POST" | "PUT">(method: Method): ApiOperation & { readonly method: Method } {
  return {
    method,
    path: "/streams/{name}/inputs/{i}/select",
    id: method === "POST" ? "streamInputSelect" : "streamInputSelectByPut",
    tag: "streams",
    summary: "Lets that input of a stream run, whatever is preferred; `i` counts from 0",
    scope: "streams",
    reply: { status: 204, schema: null },
  };
}

/** Operations on streams, but for those that change the configuration. */
export const streamOperations = {
  list: {
    method: "GET",
    path: "/streams",
    id: "streamsList",
    tag: "streams",
    summary: "Streams of the configuration, and those that run",
    scope: "streams",
    list: { name: "Stream", item: streamItem },
    reply: { status: 200, schema: listOf("streams", streamItem).extend({ server_id: z.string() }) },
  },
  get: {
    method: "GET",
    path: "/streams/{name}",
    id: "streamGet",
    tag: "streams",
    summary: "One stream",
    scope: "streams",
    reply: { status: 200, schema: streamItem },
  },
  stop: {
    method: "POST",
    path: "/streams/{name}/stop",
    id: "streamStop",
    tag: "streams",
    summary: "Takes the publisher off; a source of the server's own begins anew",
    scope: "streams",
    reply: { status: 204, schema: null },
  },
  selectInput: select("POST"),
  selectInputByPut: select("PUT"),
} as const satisfies Record<string, ApiOperation>;
