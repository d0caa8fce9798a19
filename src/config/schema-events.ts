import { LOG_LEVELS } from "./schema-server.ts";
import type { DirectiveSpec, OptionSpec } from "./schema.ts";
import type { ValueType } from "./values.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

type Common = Pick<DirectiveSpec, "repeat" | "onChange" | "since" | "status">;
const ONCE: Common & { status: "works" } = {
  repeat: "once",
  onChange: "nothing",
  since: "0.3",
  status: "works",
};

/** Options of `traces`. */
export const TRACES_OPTIONS: readonly OptionSpec[] = [
  {
    name: "share",
    type: { kind: "access", of: "share" },
    status: "works",
    doc: "The share of sessions that is traced, from 0 to 1; without it 1: all.",
  },
];

const OF_SERVER: readonly DirectiveSpec[] = [
  {
    ...ONCE,
    name: "event_sink",
    aliases: ["notify"],
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    block: { scope: "event-sink" },
    repeat: "once-per-name",
    doc: "Where events are sent, and which of them.",
  },
  {
    ...ONCE,
    name: "event_queue",
    scopes: ["server"],
    arguments: [{ label: "DIR", type: { kind: "path" } }],
    doc: "A directory for events that a sink has not taken yet, so that they survive a restart.",
  },
  {
    ...ONCE,
    name: "stream_metrics",
    scopes: ["server"],
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    default: "false",
    doc: "Adds rows for each stream to `/metrics`.",
  },
  {
    ...ONCE,
    name: "total_bandwidth",
    scopes: ["server"],
    arguments: [{ label: "BITRATE", type: { kind: "bitrate", minBps: 1000, maxBps: 1e15 } }],
    doc: "What the network card can do: what `bandwidth_usage` of `/config/stats` is a share of.",
  },
  {
    ...ONCE,
    name: "traces",
    scopes: ["server"],
    arguments: [{ label: "URL", type: { kind: "access", of: "web-url" } }],
    options: TRACES_OPTIONS,
    doc:
      "Sends traces of sessions, as OTLP over HTTP, to a collector; without a path in the URL to its `/v1/traces`. " +
      "`share=0.1` traces a tenth of the sessions.",
  },
];

const FILTER: ValueType = { kind: "pair" };

const SINK: readonly DirectiveSpec[] = [
  {
    ...ONCE,
    name: "url",
    aliases: ["sink"],
    scopes: ["event-sink"],
    arguments: [{ label: "URL", type: { kind: "access", of: "sink-url" } }],
    doc:
      "`http://...` or `https://...`: events are posted there, as a JSON array; `log://PATH` and `jsonlog://PATH`: they are " +
      "added to a file, as text or as lines of JSON; `log://`: to the server's log, at `level`.",
  },
  {
    ...ONCE,
    name: "only",
    scopes: ["event-sink"],
    arguments: [{ label: "KEY=VALUE[,VALUE]", type: FILTER, many: true }],
    repeat: "often",
    doc: "Events that fit every key of a line, with one of its values, are sent; `*` stands for anything. Without it all.",
  },
  {
    ...ONCE,
    name: "except",
    scopes: ["event-sink"],
    arguments: [{ label: "KEY=VALUE[,VALUE]", type: FILTER, many: true }],
    repeat: "often",
    doc: "Events that fit a line are not sent, in spite of `only`.",
  },
  {
    ...ONCE,
    name: "throttle_delay",
    scopes: ["event-sink"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 0, maxMs: HOUR_MS } }],
    default: "0",
    doc: "Least time between two batches.",
  },
  {
    ...ONCE,
    name: "resend_limit",
    scopes: ["event-sink"],
    arguments: [{ label: "N", type: { kind: "integer", min: 0, max: 1_000_000 } }],
    doc: "How often a batch that was not taken is sent again before it is dropped; without it for ever.",
  },
  {
    ...ONCE,
    name: "resend_timeout",
    scopes: ["event-sink"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 100, maxMs: HOUR_MS } }],
    default: "10",
    doc: "Time between two attempts.",
  },
  {
    ...ONCE,
    name: "max_size",
    scopes: ["event-sink"],
    arguments: [{ label: "BYTES", type: { kind: "size", minBytes: 64 * 1024, maxBytes: 1024 ** 4 } }],
    default: "64M",
    doc: "How much may wait; above it the oldest are dropped.",
  },
  {
    ...ONCE,
    name: "max_depth",
    scopes: ["event-sink"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 1000, maxMs: YEAR_MS } }],
    doc: "How long an event may wait before it is dropped; without it for ever.",
  },
  {
    ...ONCE,
    name: "level",
    aliases: ["verbose"],
    scopes: ["event-sink"],
    arguments: [
      {
        label: "LEVEL",
        type: { kind: "choice", values: LOG_LEVELS, aliases: new Map([["warn", "warning"]]) },
      },
    ],
    doc: "With `log://`: the level of the log's lines, `info` without it. Events have no level, so elsewhere it chooses nothing.",
  },
  {
    ...ONCE,
    name: "sign_key",
    scopes: ["event-sink"],
    arguments: [{ label: "KEY", type: { kind: "text", minLength: 1 }, secret: true }],
    doc: "Batches are signed with it: HMAC-SHA-256 of the body.",
  },
];

/** Events, metrics and traces. */
export const EVENT_DIRECTIVES: readonly DirectiveSpec[] = [...OF_SERVER, ...SINK];
