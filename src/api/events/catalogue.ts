/** Every event that the server tells, as data: what it means, and what it says beside what all events say. */

/** One event. */
export type EventSpec = { readonly doc: string; readonly fields: readonly string[] };

const SOURCE = ["media", "proto", "ip"] as const;
const SESSION = [
  "media",
  "id",
  "type",
  "proto",
  "ip",
  "country",
  "user_id",
  "max_sessions",
  "soft_limitation",
  "user_agent",
  "referer",
  "bytes",
  "opened_at",
  "started_at",
  "updated_at",
  "ssl",
  "dvr",
  "named_by",
  "request_number",
  "status",
] as const;
/** Of whom nobody let in, so that there is no session. */
const REFUSED = ["media", "type", "proto", "ip", "country", "user_agent", "reason"] as const;

/** Meanings of fields. */
export const EVENT_FIELDS = {
  media: "The stream, or the file with its vod's prefix.",
  reason: "Why, in words.",
  proto: "The word of the `protocols` directive, or `file` for the server's own sources.",
  ip: "The address of who is meant; of the server's own sources their URL.",
  tracks:
    "Of each track: `id`, `kind`, `codec`, and `width` and `height`, or `sample_rate` and `channels`.",
  bitrate: "What comes in, in kbit/s.",
  bytes: "Bytes so far: had from a source, sent to a viewer.",
  version: "The server's version.",
  threads: "Media threads.",
  http_ports: "Ports of HTTP.",
  rtmp_ports: "Ports of RTMP.",
  warnings: "How many warnings the configuration has.",
  problems: "At most 20 of its errors: `file`, `line`, `column`, `message`.",
  errors: "How many errors it has.",
  thread: "The number of the media thread.",
  streams: "At most 20 of the streams that went with it.",
  streams_lost: "How many streams went with it.",
  viewers_lost: "How many viewers went with it.",
  what: "Which credentials were wrong: `api`, `password` of a publisher, or `token` of a viewer.",
  attempts: "How many times in a row.",
  root: "The folder of recordings.",
  id: "The session.",
  type: "`play` or `publish`.",
  country: "Two letters.",
  user_id: "As the authorization backend said.",
  user_agent: "As the client said.",
  referer: "As the client said.",
  opened_at: "When the session began. Milliseconds since 1970, as all times here.",
  started_at: "When it was first sent media.",
  updated_at: "When it was last asked for.",
  closed_at: "When it ended.",
  max_sessions: "How many sessions that user may have at once.",
  soft_limitation: "Whether a session too many may go on for a while.",
  ssl: "Whether it comes over TLS.",
  dvr: "Whether it plays what is recorded.",
  named_by: "`config`: the stream has a block of its own; `user`: it came to be by a template.",
  request_number: "How often somebody was asked about it.",
  status: "`establishing`, `running`, `stalling`, `finished`.",
} as const satisfies Readonly<Record<string, string>>;

/** The events by their names. */
export const EVENTS = {
  server_starting: {
    doc: "The process runs, and its ports are about to be opened.",
    fields: ["version", "threads"],
  },
  server_started: {
    doc: "The ports are open.",
    fields: ["version", "threads", "http_ports", "rtmp_ports"],
  },
  server_stopping: { doc: "The server was told to stop; a drain may come first.", fields: [] },
  config_applied: { doc: "A configuration was read anew and is in force.", fields: ["warnings"] },
  config_refused: {
    doc: "A configuration was read anew and cannot be taken; the one before stays in force.",
    fields: ["errors", "problems"],
  },
  thread_lost: {
    doc: "A media thread threw or hung, and is replaced; its streams and viewers are lost.",
    fields: ["thread", "reason", "streams", "streams_lost", "viewers_lost"],
  },
  source_opened: { doc: "A publisher, or an input of the server's own, took a stream.", fields: SOURCE },
  source_connected: { doc: "The tracks of a source are known.", fields: [...SOURCE, "tracks"] },
  source_started: { doc: "The first packet of a source is there.", fields: SOURCE },
  source_updated: { doc: "A source changed its tracks.", fields: [...SOURCE, "tracks"] },
  source_lost: {
    doc: "A source has sent nothing for `source_timeout`; `source_closed` follows.",
    fields: [...SOURCE, "reason"],
  },
  source_closed: {
    doc: "A source left or was taken off; the stream may wait for it to come back.",
    fields: [...SOURCE, "reason", "bytes"],
  },
  stream_opened: {
    doc: "A stream came to be, by its publisher or by a viewer who waits.",
    fields: ["media"],
  },
  stream_updated: {
    doc: "A stream has tracks, or others than before; or its bitrate is known, or half as much again or less than two thirds of what was told: the mean of 30 s, so twice a minute at most.",
    fields: ["media", "tracks", "bitrate"],
  },
  stream_closed: { doc: "A stream is gone.", fields: ["media", "reason", "bytes"] },
  recording_started: { doc: "A stream is recorded from now on.", fields: ["media", "root"] },
  recording_stopped: { doc: "A stream is not recorded any more.", fields: ["media", "root"] },
  recording_failed: { doc: "The archive of a stream could not be opened.", fields: ["media", "reason"] },
  disk_failed: {
    doc: "A volume takes no recordings: it is full, or it fails. Each media thread that records there tells of it.",
    fields: ["root", "reason"],
  },
  disk_recovered: {
    doc: "It takes recordings again; each of those threads tells of it.",
    fields: ["root"],
  },
  play_opened: { doc: "A viewer was let in.", fields: SESSION },
  play_started: { doc: "A viewer is sent media.", fields: SESSION },
  play_updated: {
    doc: "A viewer's session as it is now: when it stalls or goes on, when it was judged again (once a minute at most), and every five minutes.",
    fields: SESSION,
  },
  play_closed: { doc: "A viewer left or was sent away.", fields: [...SESSION, "closed_at", "reason"] },
  play_refused: { doc: "A viewer was not let in.", fields: REFUSED },
  publish_refused: { doc: "A publisher was not let in.", fields: REFUSED },
  auth_failed: {
    doc: "Five wrong credentials came from an address, each less than a minute after the one before.",
    fields: ["what", "ip", "attempts"],
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** One of the catalogue. */
export type EventName = keyof typeof EVENTS;

/** Whether there is an event of that name. */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}
