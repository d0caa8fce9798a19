import { defineErrors } from "../../base/errors.ts";

/** What a player of HLS may ask wrongly, or wait for in vain. */
export const hlsErrors = defineErrors({
  HLS_BAD_DIRECTIVE: {
    disposition: "reject",
    httpStatus: 400,
    message: "{directive} {reason}",
    doc: "A delivery directive in the query of a low-latency playlist is not one: `_HLS_msn` and `_HLS_part` are whole numbers, and a part needs its segment. Ask for the playlist without directives.",
  },
  HLS_TOO_FAR: {
    disposition: "reject",
    httpStatus: 400,
    message:
      "segment {msn}, part {part} is too far ahead: the playlist is at segment {lastMsn}, part {lastPart}",
    doc: "A player asked to wait for a segment more than two ahead of the playlist, or a part more than three seconds ahead. Ask for the playlist without directives, and go on from what it says.",
  },
  HLS_HELD_TOO_LONG: {
    disposition: "reject",
    httpStatus: 503,
    message: "the stream has not gone on to what was asked for: {reason}",
    doc: "A request for media to come was held for three target durations, or until the stream ended. Nobody publishes now, or it lags far behind; ask again.",
  },
  HLS_TOO_MANY_HELD: {
    disposition: "reject",
    httpStatus: 503,
    message: "too many requests wait for this stream, from all addresses together or from yours",
    doc: "The bound on requests that wait for the next part of one stream is reached: 20000 in all, 6000 of one address where `max_connections_per_address` lets it have so many; a segment that grows takes two. Spread viewers over pods, or put a cache in front that asks once for all.",
  },
});
