import { defineErrors } from "../../base/errors.ts";

/** Errors of who may play and publish. */
export const accessErrors = defineErrors({
  ACCESS_DENIED: {
    disposition: "reject",
    httpStatus: 403,
    message: '"{name}" is not for you: {reason}',
    doc: "The rules of the stream or vod, or the server that they ask, refuse this viewer or publisher, or its session was ended. See `on_play`, `on_publish`, `domains` and the lists of countries.",
  },
  ACCESS_PASSWORD: {
    disposition: "reject",
    httpStatus: 401,
    message: 'publishing "{name}" takes a password: {reason}',
    doc: "The stream has `password`. Give it as `?password=` behind the name (in OBS: behind the stream key), or over HTTP as Basic authorization. ffmpeg and OBS send what stands in front of the host, or under `Use authentication`, only to servers that ask for Adobe's authmod, which this one does not.",
  },
  ACCESS_UNAVAILABLE: {
    disposition: "reject",
    httpStatus: 503,
    message: 'it cannot be found out now who may have "{name}": {reason}',
    doc: "The server that is asked, or the thread that keeps sessions, does not answer. Look at the backends' addresses and load; who asks again in a few seconds is asked about anew.",
  },
});
