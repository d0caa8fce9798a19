import { defineErrors } from "../base/errors.ts";

/** Errors of the core: who may publish and subscribe, and what a publisher may send. */
export const streamErrors = defineErrors({
  STREAM_NOT_FOUND: {
    disposition: "reject",
    httpStatus: 404,
    message: 'no stream "{name}" is configured, and no template allows the name',
    doc: "The name matches no `stream` and no `template` prefix. Check the spelling, or add a template whose prefix matches.",
  },
  STREAM_NOT_ON_AIR: {
    disposition: "reject",
    httpStatus: 404,
    message: 'stream "{name}" is not on air: {reason}',
    doc: "The name is allowed, but nobody publishes it now. Start the publisher; players that ask again get it.",
  },
  STREAM_NOT_RECORDED: {
    disposition: "reject",
    httpStatus: 404,
    message: 'stream "{name}" is not recorded: it has no "dvr" in the configuration',
    doc: "The address asks for a time that is past. Add `dvr PATH;` to the stream or template; what was on air before that is not there.",
  },
  STREAM_STARTING: {
    disposition: "reject",
    httpStatus: 503,
    message: 'stream "{name}" is on air, and its first segments are being made',
    doc: "Segments begin at key frames and must be complete before they are listed; ask again in a second or two.",
  },
  STREAM_NOT_PUBLISHABLE: {
    disposition: "reject",
    httpStatus: 403,
    message: 'stream "{name}" takes no publisher: it has no "input publish://"',
    doc: "Add `input publish://;` to the stream or template, or publish to another name.",
  },
  STREAM_DISABLED: {
    disposition: "reject",
    httpStatus: 403,
    message: 'stream "{name}" is disabled in the configuration',
    doc: "Remove `disabled;` from the stream or template.",
  },
  STREAM_BUSY: {
    disposition: "reject",
    httpStatus: 409,
    message: 'stream "{name}" already has a publisher from {owner}',
    doc: "One publisher at a time. Stop the first, or set `second_publisher replace;` on the stream or template.",
  },
  STREAM_PROTOCOL_OFF: {
    disposition: "reject",
    httpStatus: 403,
    message: '{protocol} is switched off for stream "{name}"',
    doc: "The `protocols` directive of the stream, template or vod leaves this protocol out.",
  },
  STREAM_NOT_CARRIED: {
    disposition: "reject",
    httpStatus: 415,
    message: 'stream "{name}" has nothing that this output can carry: play it over HLS or DASH',
    doc: "FLV and MPEG-TS carry some codecs only, and FLV one track of each kind. The log names the tracks that an output leaves out; when it leaves out all, a player is told so.",
  },
  STREAM_NO_ROOM: {
    disposition: "reject",
    httpStatus: 503,
    message: 'there is no room for one more viewer of stream "{name}" now: try again later',
    doc: "Viewers of the stream play as many choices of its tracks as it sends at once, 16, and this one is none of them; or the viewers of all streams hold all the memory that they may, which the log says.",
  },
  STREAM_STOPPING: {
    disposition: "reject",
    httpStatus: 503,
    message:
      'stream "{name}" is not sent any more, as the server is stopping: connect again to reach another one',
    doc: "The pod was told to end while a viewer waited for the first picture. Who connects again is sent to another pod.",
  },
  STREAM_LIMIT: {
    disposition: "reject",
    httpStatus: 503,
    message: "the server already has {limit} streams",
    doc: "The bound on live streams of one process is reached; publish fewer, or run more pods.",
  },
  STREAM_DRAINING: {
    disposition: "reject",
    httpStatus: 503,
    message: "the server is stopping and takes no new publishers: connect again to reach another one",
    doc: "The pod was told to end. An encoder that connects again is sent to another pod as soon as the Service knows.",
  },
  STREAM_BAD_NAME: {
    disposition: "reject",
    httpStatus: 400,
    message: "not a stream name: {reason}",
    doc: "Names are segments of letters, digits, `.`, `-` and `_`, joined by `/`, at most 255 characters; no segment begins with a dot.",
  },
});
