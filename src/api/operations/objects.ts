/** Objects of the configuration beside streams: what can be read of them. Secrets are masked. */
import { z } from "zod";
import type { ApiOperation } from "../operation.ts";
import { configOnDisk, listOf, protocolWords, timeMs } from "./shared-schemas.ts";
import { accessItem, dvrFields, liveFields } from "./streams.ts";

/** One template. */
export const templateItem: z.ZodObject = z.object({
  name: z.string(),
  prefixes: z.array(z.string()),
  ...liveFields,
  config_on_disk: configOnDisk,
});

/** One vod. */
export const vodItem: z.ZodObject = z.object({
  prefix: z.string(),
  title: z.string().optional(),
  comment: z.string().optional(),
  disabled: z.boolean(),
  storages: z.array(z.object({ url: z.string() })),
  download: z.boolean(),
  auto_mbr: z.boolean(),
  segment_duration: z.int(),
  add_audio_only: z.boolean(),
  protocols: protocolWords,
  on_play: accessItem.optional(),
  config_on_disk: configOnDisk,
});

/** A place for recordings. */
export const dvrItem: z.ZodObject = z.object({
  name: z.string(),
  ...dvrFields,
  config_on_disk: configOnDisk,
});

/** Rules and servers that answer who may. */
export const authBackendItem: z.ZodObject = z.object({
  name: z.string(),
  allow_tokens: z.array(z.string()),
  deny_tokens: z.array(z.string()),
  allow_ips: z.array(z.string()),
  deny_ips: z.array(z.string()),
  allow_countries: z.array(z.string()),
  deny_countries: z.array(z.string()),
  allow_uas: z.array(z.string()),
  deny_uas: z.array(z.string()),
  backends: z.array(z.object({ url: z.string() })),
  allow_default: z.boolean(),
  config_on_disk: configOnDisk,
});

const eventFilter = z.record(z.string(), z.array(z.string()));

/** Where events go. Times in seconds, sizes in bytes. */
export const eventSinkItem: z.ZodObject = z.object({
  name: z.string(),
  url: z.string(),
  only: z.array(eventFilter),
  except: z.array(eventFilter),
  throttle_delay: z.number(),
  resend_limit: z.int().optional(),
  resend_timeout: z.number(),
  max_size: z.int(),
  max_depth: z.number().optional(),
  level: z.string().optional(),
  sign_key: z.literal("***").optional(),
  config_on_disk: configOnDisk,
});

/** A file or a folder of a storage. */
export const vodFileItem: z.ZodObject = z.object({
  name: z.string(),
  type: z.enum(["file", "directory"]),
  /** Bytes. */
  size: z.int().optional(),
  mtime: timeMs.optional(),
});

type Kind = {
  readonly list: ApiOperation;
  readonly get: ApiOperation;
};

function kind(
  one: string,
  options: {
    readonly plural: string;
    readonly what: string;
    readonly key?: string;
    readonly item: z.ZodObject;
    readonly scope: ApiOperation["scope"];
  },
): Kind {
  const { plural, what, key = "name", item, scope } = options;
  const name = one[0]!.toUpperCase() + one.slice(1);
  return {
    list: {
      method: "GET",
      path: `/${plural}`,
      id: `${one}sList`,
      tag: plural,
      summary: `All ${what}s`,
      scope,
      list: { name, item },
      reply: { status: 200, schema: listOf(plural, item) },
    },
    get: {
      method: "GET",
      path: `/${plural}/{${key}}`,
      id: `${one}Get`,
      tag: plural,
      summary: `One ${what}`,
      scope,
      reply: { status: 200, schema: item },
    },
  };
}

/** Templates. */
export const templateOperations: Kind = kind("template", {
  plural: "templates",
  what: "template",
  item: templateItem,
  scope: "streams",
});
/** Vods. */
export const vodOperations: Kind = kind("vod", {
  plural: "vods",
  what: "vod",
  key: "prefix",
  item: vodItem,
  scope: "streams",
});
/** Places for recordings. */
export const dvrOperations: Kind = kind("dvr", {
  plural: "dvrs",
  what: "dvr block",
  item: dvrItem,
  scope: "config",
});
/** Rules of access. */
export const authBackendOperations: Kind = kind("authBackend", {
  plural: "auth_backends",
  what: "auth_backend block",
  item: authBackendItem,
  scope: "config",
});
/** Sinks of events. */
export const eventSinkOperations: Kind = kind("eventSink", {
  plural: "event_sinks",
  what: "event_sink block",
  item: eventSinkItem,
  scope: "config",
});

const filesReply = listOf("files", vodFileItem);

/** Files of a vod's storages. */
export const vodFileOperations = {
  root: {
    method: "GET",
    path: "/vods/{prefix}/storages/{i}/files",
    id: "vodFilesList",
    tag: "vods",
    summary: "Files and folders of a storage; `i` counts from 0",
    scope: "streams",
    list: { name: "VodFile", item: vodFileItem },
    reply: { status: 200, schema: filesReply },
  },
  folder: {
    method: "GET",
    path: "/vods/{prefix}/storages/{i}/files/{subpath}",
    id: "vodFolderList",
    tag: "vods",
    summary: "Files and folders of a folder of a storage, or one file",
    scope: "streams",
    list: { name: "VodFile", item: vodFileItem },
    reply: { status: 200, schema: filesReply },
  },
} as const satisfies Record<string, ApiOperation>;
