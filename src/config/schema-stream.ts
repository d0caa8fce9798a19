import { INPUT_OPTIONS } from "./schema-input.ts";
import { SEND_WINDOW } from "./schema-listeners.ts";
import { refused, withoutEffect } from "./schema.ts";
import type { DirectiveSpec, Scope } from "./schema.ts";

const DAY_MS = 86_400_000;
const LIVE: readonly Scope[] = ["stream", "template"];

/** Another word for a protocol, as older configs have it. */
export const PROTOCOL_ALIASES: Readonly<Record<string, string>> = { mpegts: "tshttp" };

/** Protocols that `protocols` can name; those that Weir does not speak yet may be named too. */
export const PROTOCOLS = [
  "hls",
  "dash",
  "player",
  "mss",
  "rtmp",
  "flv",
  "rtsp",
  "m4f",
  "m4s",
  "mseld",
  "tshttp",
  "mpegts",
  "webrtc",
  "srt",
  "shoutcast",
  "mp4",
  "jpeg",
  "api",
] as const;

const METADATA: readonly DirectiveSpec[] = [
  {
    name: "title",
    scopes: ["stream", "template", "vod"],
    arguments: [{ label: "TEXT", type: { kind: "text" } }],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "A name for people; shown in lists.",
  },
  {
    name: "comment",
    scopes: ["stream", "template", "vod"],
    arguments: [{ label: "TEXT", type: { kind: "text" } }],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "A remark for administrators.",
  },
  {
    name: "provider",
    scopes: LIVE,
    arguments: [{ label: "TEXT", type: { kind: "text" } }],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Who provides the stream.",
  },
  {
    name: "position",
    scopes: LIVE,
    arguments: [{ label: "N", type: { kind: "integer", min: 0, max: 1_000_000 } }],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Where the stream stands in lists.",
  },
  {
    name: "labels",
    scopes: LIVE,
    arguments: [{ label: "KEY=VALUE", type: { kind: "pair" }, many: true }],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Labels to find the stream by.",
  },
];

const INPUTS: readonly DirectiveSpec[] = [
  {
    name: "input",
    aliases: ["url"],
    scopes: LIVE,
    arguments: [{ label: "URL", type: { kind: "url" } }],
    options: INPUT_OPTIONS,
    repeat: "often",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc:
      "Where the stream comes from: `publish://` lets publishers in, `file://VOD/PATH` or `file:///PATH` plays a " +
      "file in a loop, `fake://fake` is a test picture. The inputs of a stream replace those of its template.",
  },
  {
    name: "publish_enabled",
    scopes: LIVE,
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    repeat: "once",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "Old spelling of `input publish://`.",
  },
  {
    name: "source_timeout",
    scopes: LIVE,
    arguments: [
      { label: "SECONDS|false", type: { kind: "duration", minMs: 100, maxMs: DAY_MS, words: ["false"] } },
    ],
    repeat: "once",
    default: "60",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "How long a stream waits for a publisher or source that went silent before it ends; `false`: for ever.",
  },
];

const LIFE: readonly DirectiveSpec[] = [
  {
    name: "static",
    scopes: LIVE,
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    repeat: "once",
    default: "true",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "Whether the stream runs all the time; `static false` starts it when it is asked for.",
  },
  {
    name: "disabled",
    scopes: ["stream", "template", "vod"],
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    repeat: "once",
    default: "false",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "Keeps the definition and does not run it. A disabled stream is not taken over by a template.",
  },
  {
    name: "template",
    scopes: ["stream"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    repeat: "once",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "Takes the settings of a template, wherever it stands in the config; the stream's own win.",
  },
  {
    name: "prefix",
    scopes: ["template"],
    arguments: [{ label: "PREFIX", type: { kind: "prefix" }, many: true }],
    repeat: "often",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: 'Names that begin with it and a "/" use the template; the empty prefix `""` takes every name.',
  },
  {
    name: "second_publisher",
    scopes: LIVE,
    arguments: [{ label: "refuse|replace", type: { kind: "choice", values: ["refuse", "replace"] } }],
    repeat: "once",
    default: "refuse",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "What happens to a second publisher of a live name: it is refused, or takes the first one's place.",
  },
];

const PACKAGING: readonly DirectiveSpec[] = [
  {
    name: "segment_duration",
    scopes: ["stream", "template", "vod"],
    arguments: [{ label: "SECONDS", type: { kind: "duration", minMs: 1000, maxMs: 15_000 } }],
    repeat: "once",
    default: "4",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "How long a segment is meant to be; it is cut at the next key frame.",
  },
  {
    name: "segment_count",
    scopes: LIVE,
    arguments: [{ label: "N", type: { kind: "integer", min: 3, max: 100 } }],
    repeat: "once",
    default: "4",
    onChange: "stream",
    since: "0.1",
    status: "works",
    doc: "How many segments a live playlist has.",
  },
  {
    name: "chunk_duration",
    scopes: LIVE,
    arguments: [{ label: "MILLISECONDS", type: { kind: "integer", min: 100, max: 3000 } }],
    repeat: "once",
    default: "200",
    onChange: "stream",
    since: "0.2",
    status: "works",
    doc:
      "How long a part of a segment is meant to be, for players of low-latency HLS: as many whole frames as come " +
      "nearest to it. They play about three parts behind.",
  },
  {
    name: "add_audio_only",
    scopes: ["stream", "template", "vod"],
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    repeat: "once",
    default: "false",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc:
      "Adds a variant without video to the multivariant playlists of HLS, for players whose network is too slow for any " +
      "picture. What has no sound, or nothing else, has none.",
  },
  {
    name: "prepush",
    scopes: LIVE,
    arguments: [
      {
        label: "SECONDS|true|false",
        type: { kind: "duration", minMs: 0, maxMs: 60_000, words: ["true", "false"] },
      },
    ],
    repeat: "once",
    default: "true",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc:
      "What a player of RTMP and its like gets at once from memory: `true` the pictures since the last key frame, " +
      "a number at least that many seconds where they are kept, `false` nothing: it waits for the next key frame.",
  },
  {
    name: "send_window",
    scopes: LIVE,
    arguments: [{ label: "auto|MS", type: SEND_WINDOW }],
    repeat: "once",
    onChange: "stream",
    since: "0.2",
    status: "works",
    doc:
      "How long media is collected before it is written to the viewers of RTMP and HTTP-FLV, in milliseconds, also " +
      "written `350ms`: longer costs less, and adds that much delay at most. `0` sends each frame at once; `auto` " +
      "each picture at once to few viewers, and up to 350 ms together to thousands. Without it: what the " +
      "viewer's listener says.",
  },
  {
    name: "protocols",
    scopes: ["stream", "template", "vod"],
    arguments: [{ label: "[-]PROTOCOL", type: { kind: "signed-choice", values: PROTOCOLS }, many: true }],
    repeat: "once",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "The protocols that may play it, or with `-` in front of each, those that may not. Without it: all.",
  },
];

const NO_EFFECT_YET = withoutEffect(LIVE, [
  {
    name: "clients_timeout",
    usage: "clients_timeout SECONDS|false;",
    doc: "When a stream without viewers ends.",
  },
  { name: "retry_limit", usage: "retry_limit N;", doc: "How often a source is tried." },
  {
    name: "backup",
    usage: "backup PATH [timeout=SECONDS ...];",
    doc: "A file that fills gaps of the source.",
  },
  {
    name: "push",
    usage: "push URL [OPTION=VALUE ...];",
    flags: ["disabled"],
    doc: "A server that the stream is sent to.",
    secret: true,
  },
  { name: "transcoder", usage: "transcoder OPTION=VALUE ...;", doc: "How the stream is transcoded." },
  { name: "srt", usage: "srt PORT;", doc: "An SRT listener for this stream." },
  { name: "srt_play", usage: "srt_play { ... }", doc: "An SRT listener for playback of this stream." },
  {
    name: "srt_publish",
    usage: "srt_publish { ... }",
    doc: "An SRT listener for publishing of this stream.",
  },
  {
    name: "hls_scte35",
    usage: "hls_scte35 aws|scte35|rfc8216|false;",
    doc: "How ad markers are written in HLS.",
  },
  { name: "mpegts_pids", usage: "mpegts_pids ...;", doc: "PIDs of MPEG-TS outputs." },
  { name: "mpegts_ac3", usage: "mpegts_ac3 ...;", doc: "How AC-3 is marked in MPEG-TS outputs." },
  { name: "epg_enabled", usage: "epg_enabled;", doc: "Takes the programme guide from MPEG-TS." },
  { name: "webrtc_abr", usage: "webrtc_abr ...;", doc: "Adaptive bitrate for WebRTC." },
  {
    name: "cluster_ingest",
    usage: "cluster_ingest [capture_at=HOST];",
    doc: "One server of many takes the source.",
  },
]);

const NO_EFFECT_YET_ANYWHERE = withoutEffect(
  ["stream", "template", "vod"],
  [
    { name: "thumbnails", usage: "thumbnails ...;", doc: "Pictures of the stream." },
    { name: "logo", usage: "logo ...;", doc: "A picture over the video." },
    {
      name: "playback_headers",
      usage: "playback_headers ...;",
      doc: "More headers in answers to players.",
    },
    {
      name: "url_prefix",
      usage: "url_prefix URL;",
      doc: "Put in front of segment URLs in playlists, for a CDN.",
    },
    { name: "cache", usage: "cache PATH [SIZE] [EXPIRATION];", doc: "A cache of segments on disk." },
  ],
);

const REFUSED = refused(
  ["stream", "template", "vod"],
  [
    {
      name: "drm",
      usage: "drm SYSTEM [OPTION=VALUE ...];",
      doc: "Encryption of what is played.",
      reason: "without it what is meant to be encrypted would be sent in clear",
      secret: true,
    },
  ],
);

/** Directives of streams and templates, and those that a vod shares with them. */
export const STREAM_DIRECTIVES: readonly DirectiveSpec[] = [
  ...INPUTS,
  ...LIFE,
  ...PACKAGING,
  ...METADATA,
  ...NO_EFFECT_YET,
  ...NO_EFFECT_YET_ANYWHERE,
  ...REFUSED,
];
