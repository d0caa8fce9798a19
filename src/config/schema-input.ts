import type { OptionSpec } from "./schema.ts";

const DAY_MS = 86_400_000;

/** Input URLs that Weir can take a stream from. */
export const WORKING_INPUTS = ["publish", "file", "fake"] as const;

/** Input URLs that are known by their scheme and have no effect yet. */
export const LATER_INPUTS: readonly string[] = [
  "rtmp",
  "rtmps",
  "rtsp",
  "rtsps",
  "srt",
  "hls",
  "hlss",
  "tshttp",
  "tshttps",
  "udp",
  "http",
  "https",
  "playlist",
  "mixer",
  "mosaic2",
  "timeshift",
  "copy",
  "m4f",
  "m4fs",
  "m4s",
  "m4ss",
  "dvb",
  "mpts",
  "decklink",
  "v4l2",
  "h323",
  "mjpeg",
  "webrtc",
  "shoutcast",
];

const WORKING: readonly OptionSpec[] = [
  {
    name: "priority",
    type: { kind: "integer", min: 0, max: 1000 },
    status: "works",
    doc: "Inputs with a smaller number are preferred; without it their order counts.",
  },
  {
    name: "source_timeout",
    type: { kind: "duration", minMs: 100, maxMs: DAY_MS, words: ["false"] },
    status: "works",
    doc: "As the stream's `source_timeout`, for this input alone.",
  },
];

type LaterOption = Pick<OptionSpec, "name" | "doc" | "type" | "flag" | "secret">;

const LATER: readonly LaterOption[] = [
  { name: "width", type: { kind: "integer", min: 16, max: 8192 }, doc: "Width of a `fake://` picture." },
  { name: "height", type: { kind: "integer", min: 16, max: 8192 }, doc: "Height of a `fake://` picture." },
  {
    name: "bitrate",
    type: { kind: "bitrate", minBps: 1000, maxBps: 1e9 },
    doc: "Bitrate of a `fake://` input.",
  },
  { name: "timeout", doc: "How long to wait for a connection." },
  { name: "frames_timeout", doc: "After how long without frames an event is sent." },
  { name: "user_agent", doc: "The HTTP header." },
  { name: "headers", doc: "More HTTP headers.", secret: true },
  { name: "cluster_key", doc: "The cluster's secret for this input.", secret: true },
  { name: "via", doc: "The agent to go through." },
  { name: "remote_dvr", doc: "Whether the recordings of the source are used." },
  { name: "output_audio", doc: "How audio is converted." },
  { name: "no_clients_reconnect_delay", doc: "How often to retry without viewers." },
  { name: "skip_stalled_check", flag: true, doc: "HLS: do not check that the playlist moves." },
  { name: "programs", doc: "MPEG-TS: the programs to take." },
  { name: "pids", doc: "MPEG-TS: the PIDs to take." },
  { name: "cc_check", doc: "MPEG-TS: what to do about continuity errors." },
  { name: "subtitles", doc: "MPEG-TS: how subtitles are taken." },
  { name: "rtp", doc: "RTSP: the transport." },
  { name: "tracks", doc: "RTSP: the tracks to take." },
  { name: "pageUrl", doc: "RTMP: told to the server." },
  { name: "swfUrl", doc: "RTMP: told to the server." },
  { name: "tcUrl", doc: "RTMP: told to the server." },
  { name: "latency", doc: "SRT: the latency." },
  { name: "streamid", doc: "SRT: the stream ID.", secret: true },
  { name: "mode", doc: "SRT: who calls." },
  { name: "minversion", doc: "SRT: the least version." },
  { name: "version", doc: "SRT: the version." },
  { name: "linger", doc: "SRT: how long to wait at the end." },
];

const REFUSED: readonly (LaterOption & { readonly reason: string })[] = [
  {
    name: "allow_if",
    doc: "A file that says when the input may be used.",
    reason: "it says when not to use the input",
  },
  {
    name: "deny_if",
    doc: "A file that says when the input must rest.",
    reason: "it says when not to use the input",
  },
  {
    name: "max_bitrate",
    doc: "Above it the input is closed.",
    reason: "without it the bitrate would not be limited",
  },
  {
    name: "passphrase",
    doc: "SRT: the key.",
    secret: true,
    reason: "without it what is meant to be encrypted would be taken in clear",
  },
  {
    name: "enforcedencryption",
    doc: "SRT: refuse what is not encrypted.",
    reason: "without it what is meant to be encrypted would be taken in clear",
  },
];

/** Options of `input`. */
export const INPUT_OPTIONS: readonly OptionSpec[] = [
  ...WORKING,
  ...LATER.map((option): OptionSpec => ({ ...option, status: "no-effect-yet" })),
  ...REFUSED.map((option): OptionSpec => ({ ...option, status: "refused-until-it-works" })),
];
