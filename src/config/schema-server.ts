import { refused, withoutEffect } from "./schema.ts";
import type { DirectiveSpec } from "./schema.ts";

const HOUR_MS = 3_600_000;

/** The words of `loglevel`, from silence to everything. */
export const LOG_LEVELS = [
  "none",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "info",
  "debug",
] as const;

function credentialsFile(name: string, doc: string): DirectiveSpec {
  return {
    name,
    scopes: ["server"],
    arguments: [{ label: "PATH", type: { kind: "path" } }],
    repeat: "once",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc,
  };
}

const ACCESS_AND_LOG: readonly DirectiveSpec[] = [
  {
    name: "edit_auth",
    scopes: ["server"],
    arguments: [
      { label: "LOGIN", type: { kind: "login" } },
      { label: "PASSWORD", type: { kind: "text", minLength: 1 }, secret: true },
    ],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Credentials of the administrator: everything in the API may be read and changed with them.",
  },
  {
    name: "view_auth",
    scopes: ["server"],
    arguments: [
      { label: "LOGIN", type: { kind: "login" } },
      { label: "PASSWORD", type: { kind: "text", minLength: 1 }, secret: true },
    ],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Credentials that may read the API and change nothing.",
  },
  credentialsFile(
    "edit_auth_file",
    "A file with the administrator's `LOGIN:PASSWORD`, in place of `edit_auth`. It is read anew when it changes.",
  ),
  credentialsFile("view_auth_file", "The same in place of `view_auth`."),
  {
    name: "production",
    scopes: ["server"],
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    repeat: "once",
    default: "false",
    onChange: "nothing",
    since: "0.3",
    status: "works",
    doc:
      "Whether credentials that everybody knows, such as `root:password` of tutorials, are refused. Without it they work " +
      "from loopback and private addresses alone, and a warning says so.",
  },
  {
    name: "cluster_key",
    scopes: ["server"],
    arguments: [{ label: "KEY", type: { kind: "text", minLength: 1 }, secret: true }],
    repeat: "once",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc:
      "The secret that the servers of a cluster share. With it, they give each other their recordings to be copied, as " +
      "`replicate` says; without it, nobody is given any.",
  },
  {
    name: "loglevel",
    scopes: ["server"],
    arguments: [
      {
        label: "LEVEL",
        type: { kind: "choice", values: LOG_LEVELS, aliases: new Map([["warn", "warning"]]) },
      },
    ],
    repeat: "once",
    default: "info",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "The least important log lines that are still written.",
  },
  {
    name: "hostname",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "hostname" } }],
    repeat: "once",
    onChange: "process",
    since: "0.1",
    status: "works",
    doc: "The name this server goes by, instead of the machine's.",
  },
];

const LIMITS: readonly DirectiveSpec[] = [
  {
    name: "threads",
    scopes: ["server"],
    arguments: [{ label: "N", type: { kind: "integer", min: 1, max: 64 } }],
    repeat: "once",
    onChange: "process",
    since: "0.1",
    status: "works",
    doc: "Media threads. Without it the server takes as many as the CPUs of the pod are worth.",
  },
  {
    name: "drain_timeout",
    scopes: ["server"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 0, maxMs: HOUR_MS } }],
    repeat: "once",
    default: "25",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc: "How long the server goes on for its viewers after SIGTERM; `0`: it stops at once. Publishers are closed 5 s before the end, or a fifth of a shorter time. Keep it some seconds below `terminationGracePeriodSeconds` of the pod.",
  },
  {
    name: "max_connections_per_address",
    scopes: ["server"],
    arguments: [{ label: "N", type: { kind: "integer", min: 1, max: 1_000_000 } }],
    repeat: "once",
    default: "1000",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Most connections that one client address may have open, on all listeners of one kind together.",
  },
  {
    name: "rtmp_handshake_timeout",
    scopes: ["server"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 1000, maxMs: HOUR_MS } }],
    repeat: "once",
    default: "10",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "An RTMP client that has not finished its handshake by then is closed.",
  },
  {
    name: "rtmp_idle_timeout",
    scopes: ["server"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 1000, maxMs: HOUR_MS } }],
    repeat: "once",
    default: "60",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "An RTMP publisher that sends nothing, or a player that takes nothing, for so long is closed.",
  },
  {
    name: "http_idle_timeout",
    scopes: ["server"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 1000, maxMs: HOUR_MS } }],
    repeat: "once",
    default: "60",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "An HTTP connection on which nothing moves for so long is closed.",
  },
  {
    name: "max_message_size",
    scopes: ["server"],
    arguments: [{ label: "BYTES", type: { kind: "size", minBytes: 64 * 1024, maxBytes: 256 * 1024 ** 2 } }],
    repeat: "once",
    default: "16M",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Biggest message (one video frame, as a rule) that a publisher may send; a bigger one closes it.",
  },
];

const OBJECTS: readonly DirectiveSpec[] = [
  {
    name: "stream",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    block: { scope: "stream" },
    repeat: "once-per-name",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "A stream of a fixed name.",
  },
  {
    name: "template",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    block: { scope: "template" },
    repeat: "once-per-name",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "Settings for every stream whose name begins with one of its prefixes, and for streams that name it.",
  },
  {
    name: "vod",
    aliases: ["file"],
    scopes: ["server"],
    arguments: [{ label: "PREFIX", type: { kind: "name" } }],
    block: { scope: "vod" },
    repeat: "once-per-name",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Files for playback, at URLs that begin with the prefix.",
  },
  {
    name: "ondemand",
    scopes: ["server"],
    arguments: [
      { label: "NAME", type: { kind: "name" } },
      { label: "URL", type: { kind: "url" } },
    ],
    repeat: "once-per-name",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "Old spelling of `stream NAME { input URL; static false; }`.",
  },
];

const NO_EFFECT_YET = withoutEffect(
  ["server"],
  [
    { name: "rtsp", usage: "rtsp PORT;", doc: "An RTSP listener." },
    { name: "srt", usage: "srt PORT;", doc: "An SRT listener for all streams." },
    { name: "srt_play", usage: "srt_play { port PORT; }", doc: "An SRT listener for playback." },
    { name: "srt_publish", usage: "srt_publish { port PORT; }", doc: "An SRT listener for publishing." },
    { name: "turn", usage: "turn PORT;", doc: "A TURN server for WebRTC." },
    { name: "snmp", usage: "snmp PORT;", doc: "An SNMP agent." },
    { name: "sip", usage: "sip PORT;", doc: "A SIP listener." },
    { name: "log_requests", usage: "log_requests true|false;", doc: "Whether HTTP requests are logged." },
    { name: "session_log", usage: "session_log DIR;", doc: "Where closed sessions are kept." },
    { name: "pulsedb", usage: "pulsedb DIR;", doc: "Where statistics are kept." },
    {
      name: "url_prefix",
      usage: "url_prefix URL;",
      doc: "Put in front of segment URLs in playlists, for a CDN.",
    },
    { name: "init_script", usage: "init_script PATH;", doc: "A script run at the start." },
    { name: "wwwroot", usage: "wwwroot DIR;", doc: "A directory of pages to serve." },
    {
      name: "source",
      usage: "source HOST { ... }",
      doc: "A server whose streams are pulled when asked for.",
    },
    { name: "peer", usage: "peer HOST { ... }", doc: "A server that viewers are sent to." },
    { name: "balancer", usage: "balancer NAME { ... }", doc: "Spreads viewers over servers." },
    { name: "cache", usage: "cache NAME { ... }", doc: "A cache of segments on disk." },
    { name: "transponder", usage: "transponder NAME { ... }", doc: "A DVB transponder." },
    { name: "dvb_card", usage: "dvb_card NAME { ... }", doc: "A DVB card." },
    { name: "decklink", usage: "decklink NAME { ... }", doc: "An SDI card." },
    { name: "iptv", usage: "iptv { ... }", doc: "An IPTV middleware." },
    { name: "rproxy", usage: "rproxy { ... }", doc: "A reverse proxy for cameras." },
    { name: "vsaas", usage: "vsaas { ... }", doc: "A video surveillance service." },
    { name: "vision", usage: "vision { ... }", doc: "Video analytics." },
    { name: "file_processor", usage: "file_processor { ... }", doc: "Conversion of files." },
    {
      name: "http_proxy",
      usage: "http_proxy PATH { ... }",
      doc: "Passes requests on to another HTTP server.",
    },
    { name: "web_script", usage: "web_script PATH { ... }", doc: "A script that answers requests." },
  ],
);

const REFUSED = refused(
  ["server"],
  [
    {
      name: "rtsps",
      usage: "rtsps [ADDRESS:]PORT;",
      doc: "An RTSP listener with TLS.",
      reason: "without TLS, what is meant to be encrypted would be sent in clear or not at all",
    },
    {
      name: "config_external",
      usage: "config_external URL;",
      doc: "A server that is asked for streams and their settings.",
      reason: "without it the streams it manages, and their restrictions, would be missing",
      secret: true,
    },
    {
      name: "max_sessions",
      usage: "max_sessions N;",
      doc: "Most sessions of the whole server.",
      reason: "without it the number of sessions would not be limited",
    },
    {
      name: "aliaser",
      usage: "aliaser URL;",
      doc: "A server that turns public names into hidden ones.",
      reason: "without it hidden names would be public",
    },
  ],
);

/** Directives of the top level, but for listeners, access and events, which have files of their own. */
export const SERVER_DIRECTIVES: readonly DirectiveSpec[] = [
  ...ACCESS_AND_LOG,
  ...LIMITS,
  ...OBJECTS,
  ...NO_EFFECT_YET,
  ...REFUSED,
];
