import { defineErrors } from "../base/errors.ts";

/** What a player may ask wrongly of any protocol that plays presentations. */
export const packagingErrors = defineErrors({
  TRACKS_BAD_FILTER: {
    disposition: "reject",
    httpStatus: 400,
    message: "filter.tracks names no tracks: write their ids without anything between them, such as v1a1",
    doc: "The `filter.tracks` in the address of a playlist, an MPD or a stream is not a list of track ids such as `v1a1` or `v2a1a3`, or names one twice. The ids are those in it without a filter.",
  },
  SPAN_BAD_TIME: {
    disposition: "reject",
    httpStatus: 400,
    message:
      "{word}={text} is no time of an archive: write seconds since 1970 UTC, and a `to` later than its `from`",
    doc: "The `from` or `to` in the address of a recording is no number of seconds since 1970 UTC, is later than the year 2242, or `to` is not after `from` or more than ten years after it.",
  },
  TRACKS_NOT_THERE: {
    disposition: "reject",
    httpStatus: 404,
    message: "filter.tracks asks for {asked}, and what plays has {tracks}",
    doc: "None of the tracks that the `filter.tracks` in the address of a playlist, an MPD or a stream names is in the stream or file, or the protocol cannot carry any of them. The message says which tracks there are.",
  },
});
