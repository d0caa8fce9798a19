import type { Figure } from "./limits.ts";

/** Of each row of docs/limits.md with figures, by its first cell: which constants have them. */
export const FIGURES: Readonly<Record<string, readonly Figure[]>> = {
  "HTTP connections of a listener in one thread": [
    ["50 000", "src/server/http/listener.ts MAX_CONNECTIONS"],
  ],
  "RTMP connections of a listener in one thread": [
    ["20 000", "src/protocols/rtmp/listener.ts connections"],
  ],
  "head of an HTTP request": [
    ["16 KiB", "src/server/http/listener.ts MAX_HEAD_BYTES"],
    ["10 s", "src/server/http/listener.ts HEAD_TIMEOUT_MS"],
  ],
  "path of a request": [["2048", "src/server/http/request-path.ts MAX_PATH_LENGTH"]],
  "body of a request to the API": [
    ["64 KiB", "src/server/http/whole-bodies.ts LIMITS.bytes"],
    ["10 s", "src/server/http/whole-bodies.ts LIMITS.ms"],
    ["256", "src/server/http/whole-bodies.ts LIMITS.requests"],
  ],
  "body of a request to `/config`": [
    ["4 MiB", "src/server/http/whole-bodies.ts CONFIG_BODIES.bytes"],
    ["10 s", "src/server/http/whole-bodies.ts LIMITS.ms"],
    ["4 at", "src/server/http/whole-bodies.ts CONFIG_BODIES.requests"],
  ],
  "a reply of a file, and any other over 256 KiB": [
    ["30 s", "src/server/http/reply-budget.ts GRACE_MS"],
    ["32 KiB", "src/server/http/reply-budget.ts MIN_READ_BYTES_PER_SECOND"],
  ],
  "replies of file segments to slow readers": [
    ["15", "src/server/threads/media-runtime.ts REPLY_MEMORY_PERCENT"],
  ],
  "a body that nobody takes": [
    ["30 s", "src/server/http/upload.ts UNWANTED_BODY_MS"],
    ["1.5 s", "src/server/http/node-exchange.ts LINGER_MS"],
  ],
  "TLS handshakes of a listener in one thread": [
    ["512", "src/server/tls/tls-door.ts MAX_HANDSHAKES"],
    ["10 s", "src/server/tls/tls-door.ts HANDSHAKE_TIMEOUT_MS"],
  ],
  "PROXY headers that are waited for in one thread": [
    ["4096", "src/server/proxied/proxy-door.ts MAX_WAITING"],
    ["4 KiB", "src/auth/proxies/proxy-header.ts MAX_PROXY_HEADER_BYTES"],
    ["5 s", "src/server/proxied/proxy-door.ts HEADER_TIMEOUT_MS"],
    ["107", "src/auth/proxies/proxy-header.ts MAX_LINE_BYTES"],
  ],
  "requests of one HTTP/2 connection at a time": [
    ["256", "src/server/http/http2-connection.ts MAX_STREAMS"],
  ],
  "fields in the head of an HTTP/2 request": [["128", "src/server/http/http2-connection.ts MAX_FIELDS"]],
  "requests that an HTTP/2 client takes back": [
    ["200", "src/server/http/http2-connection.ts RESET_BURST"],
    ["33", "src/server/http/http2-connection.ts RESETS_PER_SECOND"],
  ],
  "pings and settings of an HTTP/2 client": [
    ["200", "src/server/http/http2-connection.ts IDLE_FRAME_BURST"],
    ["20", "src/server/http/http2-connection.ts IDLE_FRAMES_PER_SECOND"],
  ],
  "a reply over HTTP/2 above 16 KiB": [
    ["30 s", "src/server/http/reply-budget.ts GRACE_MS"],
    ["32 KiB", "src/server/http/reply-budget.ts MIN_READ_BYTES_PER_SECOND"],
  ],
  "a message of a WebSocket's client": [
    ["64 KiB", "src/base/web-socket/frame-reader.ts MAX_MESSAGE_BYTES"],
    ["256", "src/base/web-socket/frame-reader.ts MAX_MESSAGE_FRAGMENTS"],
  ],
  "pings and pongs of a WebSocket's client": [
    ["100", "src/server/http/web-socket.ts CONTROL_LIMITS.burst"],
    ["10", "src/server/http/web-socket.ts CONTROL_LIMITS.perSecond"],
  ],
  "a WebSocket's client that is told to close": [
    ["3 s", "src/server/http/web-socket-upgrade.ts CLOSE_TIMEOUT_MS"],
  ],
  "streams' names": [["255", "src/config/names.ts MAX_NAME_LENGTH"]],
  "streams of one thread": [["10 000", "src/server/media-node.ts MAX_STREAMS"]],
  "all live streams together, in windows and caches": [
    ["50", "src/server/media-node.ts LIVE_MEMORY_PERCENT"],
  ],
  "a publisher that sends nothing": [["3 s", "src/stream/live-stream.ts TAKEOVER_SILENCE_US"]],
  "GOP cache of a stream": [
    ["32 MiB", "src/stream/gop-cache.ts DEFAULT_GOP_LIMITS.maxBytes"],
    ["30 s", "src/stream/gop-cache.ts DEFAULT_GOP_LIMITS.maxDurationUs"],
    ["8192", "src/stream/gop-cache.ts DEFAULT_GOP_LIMITS.maxPackets"],
  ],
  "a segment": [
    ["64 MiB", "src/packaging/segmenter.ts MAX_SEGMENT_BYTES"],
    ["60 s", "src/packaging/segmenter.ts MAX_SEGMENT_US"],
  ],
  "live window of a stream": [["512 MiB", "src/packaging/live-window.ts MAX_WINDOW_BYTES"]],
  "transport streams kept beside a segment": [["256 KiB", "src/packaging/derived-bytes.ts LEAST_BYTES"]],
  "parts of a stream in a thread that is not its home": [
    ["64 MiB", "src/packaging/remote-edge.ts MAX_PART_BYTES"],
    ["512", "src/packaging/remote-edge.ts MAX_PARTS"],
  ],
  "packets on their way from one thread to another": [
    ["8 MiB", "src/stream/crossing/packet-sender.ts RING_BYTES"],
    ["64 MiB", "src/stream/crossing/packet-sender.ts MAX_LONG_BYTES"],
  ],
  "questions of one thread to another": [["10 000", "src/base/channel.ts MAX_WAITING"]],
  "waiting for a stream's first segments": [
    ["12 s", "src/server/live/live-windows.ts MAX_WAIT_MS"],
    ["5000", "src/packaging/live-window.ts MAX_WAITERS"],
  ],
  "requests held for one stream in one thread": [
    ["20 000", "src/packaging/edge-waiters.ts MAX_HELD"],
    ["6000", "src/packaging/edge-waiters.ts MAX_HELD_PER_ADDRESS"],
  ],
  "what waits for a client of a segment that grows": [
    ["32 MiB", "src/packaging/growing-reply.ts MAX_QUEUED_BYTES"],
  ],
  "queue of a player of RTMP, FLV, MPEG-TS or MSE-LD": [
    ["4 s", "src/stream/subscriber.ts DEFAULT_FANOUT_LIMITS.maxQueuedSeconds"],
    ["256 KiB", "src/stream/subscriber.ts DEFAULT_FANOUT_LIMITS.minQueuedBytes"],
    ["8 MiB", "src/stream/subscriber.ts DEFAULT_FANOUT_LIMITS.maxQueuedBytes"],
  ],
  "a player of any of these that takes nothing": [
    ["30 s", "src/stream/subscriber.ts DEFAULT_FANOUT_LIMITS.maxStalledUs"],
    ["10", "src/stream/subscriber.ts DEFAULT_FANOUT_LIMITS.maxResyncs"],
    ["60 s", "src/stream/subscriber.ts DEFAULT_FANOUT_LIMITS.resyncWindowUs"],
  ],
  "bytes waiting for one RTMP player": [["64 MiB", "src/protocols/rtmp/listener.ts maxQueuedBytes"]],
  "media sent ahead to a player of a file": [
    ["3 s", "src/protocols/mse/file-session.ts HEAD_START_US"],
    ["128 KiB", "src/base/send-queue.ts SLICE_BYTES"],
  ],
  "commands of an MSE-LD player": [
    ["30", "src/protocols/mse/command-intake.ts COMMAND_BURST"],
    ["5", "src/protocols/mse/command-intake.ts COMMANDS_PER_SECOND"],
  ],
  "the tokens in one playlist or MPD together": [
    ["4 MiB", "src/packaging/playlist-replies.ts MAX_QUERY_BYTES"],
  ],
  "media of files that are kept because they were asked for twice, in one thread": [
    ["64 MiB", "src/vod/vod.ts DEFAULT_VOD_LIMITS.segmentCacheBytes"],
  ],
  "memory of file segments that waits to be used again, in one thread": [
    ["16 MiB", "src/vod/vod.ts DEFAULT_VOD_LIMITS.freeBlockBytes"],
  ],
  "indexes of recorded hours that are kept, in one thread": [
    ["128 MiB", "src/dvr/reader/hour-cache.ts LIMITS.bytes"],
  ],
  "ranges of recordings that were asked for lately, with their playlists, in one thread": [
    ["64 MiB", "src/dvr/archives.ts SPAN_LIMITS.bytes"],
    ["1000", "src/dvr/archives.ts SPAN_LIMITS.items"],
  ],
  "plans of downloads from recordings, in one thread": [
    ["16 MiB", "src/dvr/export/mp4-exports.ts LIMITS.bytes"],
    ["64", "src/dvr/export/mp4-exports.ts LIMITS.items"],
  ],
  "segments of a range of a recording": [
    ["524 288", "src/dvr/archives.ts MAX_SEGMENTS"],
    ["131 072", "src/dvr/reader/span-presentation.ts MAX_DOWNLOAD_SEGMENTS"],
  ],
  "ranges of time that are told of a recording at once": [
    ["10 000", "src/dvr/reader/recorded-ranges.ts MAX_RANGES"],
  ],
  "pictures that are kept, in one thread": [
    ["16 MiB", "src/dvr/pictures/picture-desk.ts KEPT.bytes"],
    ["4096", "src/dvr/pictures/picture-desk.ts KEPT.items"],
    ["8 MiB", "src/server/pictures/thumbnails.ts KEY_FRAMES.keptBytes"],
  ],
  "media of one stream that waits for a slow disk": [
    ["64 MiB", "src/dvr/writer/archive-writer.ts MAX_WAITING_BYTES"],
    ["20", "src/server/archives/stream-archives.ts WAITING_MEMORY_PERCENT"],
  ],
  "exports that wait": [["20", "src/dvr/export-jobs/export-jobs.ts LIMITS.waiting"]],
  "an export": [
    ["31 days", "src/api/archive-schemas.ts MAX_EXPORT_S"],
    ["64 MiB", "src/dvr/export-jobs/export-jobs.ts LIMITS.bytesPerSecond"],
  ],
  "sessions of the server": [
    ["100 000", "src/auth/sessions/table-options.ts SESSION_TABLE_LIMITS.sessions"],
  ],
  "claims that wait for an answer": [
    ["20 000", "src/auth/sessions/table-options.ts SESSION_TABLE_LIMITS.waiting"],
  ],
  "refusals that are kept, in the control thread and in each other one": [
    ["50 000", "src/auth/sessions/table-options.ts SESSION_TABLE_LIMITS.denials"],
  ],
  "viewers over requests that one thread knows": [["50 000", "src/server/access/http-gate.ts MAX_VIEWERS"]],
  "a viewer's token behind addresses of playlists": [
    ["2048", "src/server/access/http-gate.ts MAX_TOKEN_BYTES"],
  ],
  "a token of any other player or publisher": [
    ["8192", "src/server/access/http-gate.ts MAX_LONE_TOKEN_BYTES"],
  ],
  "a token of `signed`, of `jwt`, of `securetoken`": [
    ["2048", "src/auth/tokens/signed-url.ts MAX_SIGNED_LENGTH"],
    ["8192", "src/auth/tokens/jwt.ts MAX_JWT_LENGTH"],
    ["512", "src/auth/tokens/securetoken.ts MAX_SECURETOKEN_LENGTH"],
  ],
  "what a server is told: the query, any header": [
    ["4096", "src/server/access/http-gate.ts MAX_QUERY_CHARACTERS"],
    ["1024", "src/server/access/http-gate.ts MAX_HEADER_CHARACTERS"],
  ],
  "how long a verdict takes in all": [["10 s", "src/server/access/gate.ts VERDICT_LIMIT_MS"]],
  "questions to one server at once; of them about one stream; waiting": [
    ["1024", "src/auth/backends/ask-queue.ts ASK_LIMITS.atOnce"],
    ["512", "src/auth/backends/ask-queue.ts ASK_LIMITS.atOncePerStream"],
    ["10 000", "src/auth/backends/ask-queue.ts ASK_LIMITS.waiting"],
  ],
  "one question; with its waiting": [
    ["3 s", "src/auth/backends/backends.ts REQUEST_TIMEOUT_MS"],
    ["5 s", "src/auth/backends/ask-queue.ts ASK_LIMITS.wholeMs"],
  ],
  "time-outs of a server in a row": [["5", "src/auth/backends/ask-queue.ts ASK_LIMITS.timeoutsToOpen"]],
  "servers that are asked": [["256", "src/auth/backends/backends.ts MAX_SERVERS"]],
  "a server's reply": [
    ["16 KiB", "src/server/access/backend-http.ts MAX_HEADER_BYTES"],
    ["64 KiB", "src/server/access/backend-http.ts MAX_BODY_BYTES"],
  ],
  "an answer's `X-AuthDuration`": [
    ["1 s", "src/auth/backends/backend-request.ts MIN_AUTH_DURATION_MS"],
    ["30 days", "src/auth/backends/backend-request.ts MAX_AUTH_DURATION_S"],
    ["180 s", "src/auth/sessions/judge.ts DEFAULT_AUTH_DURATION_MS"],
  ],
  "an answer's `X-UserId`, its `Location`": [
    ["256", "src/auth/backends/backend-request.ts MAX_USER_ID_LENGTH"],
    ["2048", "src/auth/backends/backend-request.ts MAX_LOCATION_LENGTH"],
  ],
  "how long an answer of the configuration's own lists is kept": [
    ["10 s", "src/auth/sessions/judge.ts LIST_DENIAL_MS"],
  ],
  "how long a failure is kept: of a new session, of one that there is": [
    ["5 s", "src/auth/sessions/judge.ts FAILURE_DENIAL_MS"],
    ["30 s", "src/auth/sessions/judge.ts FAILURE_RECHECK_MS"],
  ],
  "how long a session is refused that the API has ended": [
    ["10 s", "src/auth/sessions/session-table.ts KICK_MS"],
  ],
  "a session over requests of which nothing is seen": [
    ["30 s", "src/auth/sessions/idle.ts POLLED_IDLE_MS"],
    ["60 s", "src/auth/sessions/idle.ts OTHER_IDLE_MS"],
  ],
  "keys of a JWK Set": [
    ["100", "src/auth/tokens/jwt-keys.ts MAX_JWT_KEYS"],
    ["1 MiB", "src/auth/tokens/jwks.ts MAX_JWKS_LENGTH"],
    ["8 s", "src/server/credentials/outside-text.ts FETCH_LIMIT_MS"],
  ],
  "how long a JWK Set is kept, and asked for anew at the earliest": [
    ["600 s", "src/auth/tokens/jwks.ts JWKS_TTL_MS"],
    ["30 s", "src/auth/tokens/jwks.ts JWKS_RETRY_MS"],
  ],
  "keys that cannot be had anew": [["86 400 s", "src/auth/tokens/key-source.ts KEYS_STALE_MS"]],
  "a list in a claim of a JWT": [["100", "src/auth/tokens/jwt-claims.ts MAX_LIST_LENGTH"]],
  "a database of `geoip`": [["256 MiB", "src/auth/geo/country.ts MAX_GEOIP_BYTES"]],
  "objects of a page": [
    ["100", "src/api/lists/list-query.ts DEFAULT_LIMIT"],
    ["10 000", "src/api/lists/list-query.ts MAX_LIMIT"],
  ],
  "filters, values of one, fields of `sort` and `select`": [
    ["50", "src/api/lists/list-query.ts MAX_FILTERS"],
    ["1000", "src/api/lists/filters.ts MAX_VALUES"],
    ["8", "src/api/lists/order.ts MAX_SORT_KEYS"],
    ["200", "src/api/lists/select.ts MAX_SELECTED"],
  ],
  "objects changed by one request; requests to change that wait": [
    ["200", "src/config/edit/edit-files.ts MAX_OBJECTS_AT_ONCE"],
    ["256", "src/server/config/edits.ts MAX_WAITING_EDITS"],
  ],
  "a `Cluster` header's time": [["300 s", "src/auth/credentials/api-access.ts CLUSTER_SKEW_S"]],
  "wrong credentials of one address": [
    ["5", "src/auth/credentials/failures.ts DELAYED_FROM"],
    ["20", "src/auth/credentials/failures.ts REFUSED_FROM"],
    ["10 s", "src/auth/credentials/failures.ts MAX_DELAY_MS"],
    ["30 s", "src/auth/credentials/failures.ts REFUSED_MS"],
    ["60 s", "src/auth/credentials/failures.ts FORGOTTEN_MS"],
  ],
  "addresses whose failures are remembered": [["4096", "src/auth/credentials/failures.ts MAX_ADDRESSES"]],
  "requests of one address that is slowed down; replies that wait, of all": [
    ["4", "src/auth/credentials/failures.ts MAX_OPEN_PER_ADDRESS"],
    ["64", "src/auth/credentials/failures.ts MAX_DELAYED"],
  ],
  "hashes computed at once; waiting": [
    ["2", "src/auth/credentials/password-verifier.ts MAX_AT_ONCE"],
    ["32", "src/auth/credentials/password-verifier.ts MAX_WAITING"],
  ],
  "memory of a hash": [["64 MiB", "src/auth/credentials/hash-format.ts MAX_HASH_MEMORY_BYTES"]],
  "a password": [["4096", "src/auth/credentials/password-hash.ts MAX_PASSWORD_LENGTH"]],
  "tokens with slow hashes that are tried": [["8", "src/auth/credentials/api-access.ts MAX_SLOW_TOKENS"]],
  "clients that follow events; what waits for one": [
    ["100", "src/api/events/live-events.ts MAX_CLIENTS"],
    ["256 KiB", "src/api/events/live-events.ts MAX_UNSENT_BYTES"],
  ],
  "events that are kept for clients": [
    ["1000", "src/api/events/event-bus.ts KEPT_EVENTS"],
    ["4 MiB", "src/api/events/live-events.ts MAX_PAST_BYTES"],
  ],
  "an event": [["16 384", "src/api/events/event.ts MAX_EVENT_LENGTH"]],
  "a batch to a sink": [
    ["100", "src/api/events/batch.ts BATCH_EVENTS"],
    ["256 KiB", "src/api/events/batch.ts BATCH_BYTES"],
  ],
  "a sink's reply": [
    ["10 s", "src/server/events/http-sink.ts TIMEOUT_MS"],
    ["64 KiB", "src/server/events/http-sink.ts MAX_REPLY_BYTES"],
  ],
  "pause before a batch is sent again": [["100 ms", "src/server/events/sink-delivery.ts FIRST_PAUSE_MS"]],
  "a file of a sink": [
    ["64 MiB", "src/server/events/file-sink.ts MAX_BYTES"],
    ["5", "src/server/events/file-sink.ts KEPT_FILES"],
  ],
  "lines of the log that nobody reads": [["1 MiB", "src/server/log/logger.ts MAX_UNWRITTEN_BYTES"]],
  "spans that wait for a collector": [["2048", "src/server/traces/trace-export.ts maxQueueSize"]],
  "a file of it; files; all together": [
    ["1 MiB", "src/server/config/files.ts MAX_CONFIG_FILE_BYTES"],
    ["1000", "src/server/config/files.ts MAX_CONFIG_FILES"],
    ["32 MiB", "src/server/config/files.ts MAX_CONFIG_BYTES"],
  ],
};

/** Sentences of other pages with figures: a part of the sentence as it stands there, and its figures. */
export const SENTENCES: Readonly<
  Record<string, readonly (readonly [part: string, figures: readonly Figure[]])[]>
> = {
  "docs/access.md": [
    [
      "seen for 30 s (60 s",
      [
        ["30 s", "src/auth/sessions/idle.ts POLLED_IDLE_MS"],
        ["60 s", "src/auth/sessions/idle.ts OTHER_IDLE_MS"],
      ],
    ],
    ["anything else, none within 3 s", [["3 s", "src/auth/backends/backends.ts REQUEST_TIMEOUT_MS"]]],
    ["| 180 |", [["180", "src/auth/sessions/judge.ts DEFAULT_AUTH_DURATION_MS"]]],
    [
      "at most 16 KiB of\nheaders and 64 KiB of body",
      [
        ["16 KiB", "src/server/access/backend-http.ts MAX_HEADER_BYTES"],
        ["64 KiB", "src/server/access/backend-http.ts MAX_BODY_BYTES"],
      ],
    ],
    [
      "asked about again after 5 s at the earliest",
      [["5 s", "src/auth/sessions/judge.ts FAILURE_DENIAL_MS"]],
    ],
    [
      "A session that there is goes on; it is asked about again after 30 s",
      [["30 s", "src/auth/sessions/judge.ts FAILURE_RECHECK_MS"]],
    ],
    [
      "at most 1024 things at once, 512 about one stream, and 10 000 wait",
      [
        ["1024", "src/auth/backends/ask-queue.ts ASK_LIMITS.atOnce"],
        ["512", "src/auth/backends/ask-queue.ts ASK_LIMITS.atOncePerStream"],
        ["10 000", "src/auth/backends/ask-queue.ts ASK_LIMITS.waiting"],
      ],
    ],
    [
      "From the claim to the answer it takes 5 s at most",
      [["5 s", "src/auth/backends/ask-queue.ts ASK_LIMITS.wholeMs"]],
    ],
    ["everything fails at\nonce for 2 s", [["2 s", "src/auth/backends/ask-queue.ts ASK_LIMITS.openMs"]]],
    [
      "The server has 100 000 sessions at most",
      [["100 000", "src/auth/sessions/table-options.ts SESSION_TABLE_LIMITS.sessions"]],
    ],
    ["ended by the API is refused for 10 s", [["10 s", "src/auth/sessions/session-table.ts KICK_MS"]]],
    [
      "A token is at most 2048 characters long",
      [["2048", "src/auth/tokens/signed-url.ts MAX_SIGNED_LENGTH"]],
    ],
    ["clocks may be 30 s apart", [["30 s", "src/auth/tokens/jwt-claims.ts JWT_LEEWAY_S"]]],
    ["a list of up to 100", [["100", "src/auth/tokens/jwt-claims.ts MAX_LIST_LENGTH"]]],
    ["brings at most 2048 characters", [["2048", "src/server/access/http-gate.ts MAX_TOKEN_BYTES"]]],
    ["all others 8 KiB", [["8 KiB", "src/server/access/http-gate.ts MAX_LONE_TOKEN_BYTES"]]],
    [
      "1 MiB and 100 keys of it are read, within 8 s",
      [
        ["1 MiB", "src/auth/tokens/jwks.ts MAX_JWKS_LENGTH"],
        ["100", "src/auth/tokens/jwt-keys.ts MAX_JWT_KEYS"],
        ["8 s", "src/server/credentials/outside-text.ts FETCH_LIMIT_MS"],
      ],
    ],
    ["A file of keys is looked at every 5 s", [["5 s", "src/auth/tokens/check-token.ts PEM_TTL_MS"]]],
    ["behind (30 s are allowed for)", [["30 s", "src/auth/tokens/securetoken.ts CLOCK_SKEW_S"]]],
  ],
  "docs/security.md": [
    [
      "head 16 KiB in 10 s",
      [
        ["16 KiB", "src/server/http/listener.ts MAX_HEAD_BYTES"],
        ["10 s", "src/server/http/listener.ts HEAD_TIMEOUT_MS"],
      ],
    ],
    [
      "bodies of the API 64 KiB in 10 s",
      [
        ["64 KiB", "src/server/http/whole-bodies.ts LIMITS.bytes"],
        ["10 s", "src/server/http/whole-bodies.ts LIMITS.ms"],
      ],
    ],
    ["50 000 connections a thread", [["50 000", "src/server/http/listener.ts MAX_CONNECTIONS"]]],
    ["256 streams a connection", [["256", "src/server/http/http2-connection.ts MAX_STREAMS"]]],
    ["20 000 connections a thread", [["20 000", "src/protocols/rtmp/listener.ts connections"]]],
    [
      "100 000, 75 000 of streams without rules",
      [["100 000", "src/auth/sessions/table-options.ts SESSION_TABLE_LIMITS.sessions"]],
    ],
    [
      "| 1024, 512, 10 000 |",
      [
        ["1024", "src/auth/backends/ask-queue.ts ASK_LIMITS.atOnce"],
        ["512", "src/auth/backends/ask-queue.ts ASK_LIMITS.atOncePerStream"],
        ["10 000", "src/auth/backends/ask-queue.ts ASK_LIMITS.waiting"],
      ],
    ],
    [
      "3 s, 16 KiB of headers, 64 KiB of body",
      [
        ["3 s", "src/auth/backends/backends.ts REQUEST_TIMEOUT_MS"],
        ["16 KiB", "src/server/access/backend-http.ts MAX_HEADER_BYTES"],
        ["64 KiB", "src/server/access/backend-http.ts MAX_BODY_BYTES"],
      ],
    ],
    [
      "8 KiB, 2 KiB in addresses of playlists",
      [
        ["8 KiB", "src/server/access/http-gate.ts MAX_LONE_TOKEN_BYTES"],
        ["2 KiB", "src/server/access/http-gate.ts MAX_TOKEN_BYTES"],
      ],
    ],
    ["| 4096 |", [["4096", "src/auth/credentials/failures.ts MAX_ADDRESSES"]]],
    [
      "| 5; 20 |",
      [
        ["5", "src/auth/credentials/failures.ts DELAYED_FROM"],
        ["20", "src/auth/credentials/failures.ts REFUSED_FROM"],
      ],
    ],
  ],
  "docs/api.md": [
    [
      "at most 64 KiB, at `/config` 4 MiB, else 413",
      [
        ["64 KiB", "src/server/http/whole-bodies.ts LIMITS.bytes"],
        ["4 MiB", "src/server/http/whole-bodies.ts CONFIG_BODIES.bytes"],
      ],
    ],
    [
      "100 unless given, at most 10000",
      [
        ["100", "src/api/lists/list-query.ts DEFAULT_LIMIT"],
        ["10000", "src/api/lists/list-query.ts MAX_LIMIT"],
      ],
    ],
    [
      "no media for 10 s, or for 20 s",
      [
        ["10 s", "src/auth/sessions/idle.ts CONNECTION_STALL_MS"],
        ["20 s", "src/auth/sessions/idle.ts REQUEST_STALL_MS"],
      ],
    ],
    ["has the last 1000", [["1000", "src/server/access/server-sessions.ts MAX_OVER"]]],
    ["it is refused for 10 s", [["10 s", "src/auth/sessions/session-table.ts KICK_MS"]]],
    ["At most 31 days", [["31 days", "src/api/archive-schemas.ts MAX_EXPORT_S"]]],
    ["20 may wait", [["20", "src/dvr/export-jobs/export-jobs.ts LIMITS.waiting"]]],
  ],
  "docs/events.md": [
    ["longer than 16 KiB", [["16 KiB", "src/api/events/event.ts MAX_EVENT_LENGTH"]]],
    [
      "100 events and 256 KiB",
      [
        ["100", "src/api/events/batch.ts BATCH_EVENTS"],
        ["256 KiB", "src/api/events/batch.ts BATCH_BYTES"],
      ],
    ],
    ["10 s of silence", [["10 s", "src/server/events/http-sink.ts TIMEOUT_MS"]]],
    ["after 100 ms", [["100 ms", "src/server/events/sink-delivery.ts FIRST_PAUSE_MS"]]],
    ["Above 64 MiB", [["64 MiB", "src/server/events/file-sink.ts MAX_BYTES"]]],
    ["A comment comes every 15 s", [["15 s", "src/api/events/live-events.ts HEARTBEAT_MS"]]],
    [
      "At most 100 clients follow; one that has not taken 256 KiB",
      [
        ["100", "src/api/events/live-events.ts MAX_CLIENTS"],
        ["256 KiB", "src/api/events/live-events.ts MAX_UNSENT_BYTES"],
      ],
    ],
    ["1000 events", [["1000", "src/api/events/event-bus.ts KEPT_EVENTS"]]],
  ],
  "docs/config-by-api.md": [
    ["at most 200 at\nonce", [["200", "src/config/edit/edit-files.ts MAX_OBJECTS_AT_ONCE"]]],
    [
      "has 4 MiB at most, all others 64 KiB",
      [
        ["4 MiB", "src/server/http/whole-bodies.ts CONFIG_BODIES.bytes"],
        ["64 KiB", "src/server/http/whole-bodies.ts LIMITS.bytes"],
      ],
    ],
    ["wait, 256 at most", [["256", "src/server/config/edits.ts MAX_WAITING_EDITS"]]],
  ],
  "docs/operations.md": [
    ["beyond 1 MiB", [["1 MiB", "src/server/log/logger.ts MAX_UNWRITTEN_BYTES"]]],
    [
      "Two are computed at once and 32 wait",
      [["32", "src/auth/credentials/password-verifier.ts MAX_WAITING"]],
    ],
    ["more than 64 MiB lets", [["64 MiB", "src/auth/credentials/hash-format.ts MAX_HASH_MEMORY_BYTES"]]],
    ["At most 2048 spans wait", [["2048", "src/server/traces/trace-export.ts maxQueueSize"]]],
    ["replaced after 10 s", [["10 s", "src/server/threads/beat-watch.ts STUCK_MS"]]],
  ],
};
