import { defineErrors } from "../../base/errors.ts";

/** Errors of MPEG-TS over HTTP. */
export const httpTsErrors = defineErrors({
  HTTP_TS_EMPTY: {
    disposition: "reject",
    httpStatus: 400,
    message: "the body had nothing in it that can be played",
    doc: "A publisher's transport stream ended before a track was known: it has no H.264, H.265 or audio that this server carries, or it is shorter than its first key frame.",
  },
  HTTP_TS_REVOKED: {
    disposition: "reject",
    httpStatus: 409,
    message: "the stream was taken away: {reason}",
    doc: "Another publisher replaced this one, or the configuration took the stream away. A publisher that connects again is told what holds now.",
  },
});
