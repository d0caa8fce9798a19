import { defineErrors } from "../../base/errors.ts";

/** Errors of subtitles as text. */
export const webVttErrors = defineErrors({
  WEBVTT_NO_HEADER: {
    disposition: "reject",
    httpStatus: 415,
    message: "the text does not begin with WEBVTT",
    doc: "A `.vtt` file begins with the word `WEBVTT`. One that is SubRip inside is to be called `.srt`.",
  },
  WEBVTT_LIMIT: {
    disposition: "reject",
    httpStatus: 422,
    message: "{what} is {value}, and the limit is {limit}",
    doc: "A file of subtitles is larger than any film needs; most often it is something else under that name.",
  },
});
