import { defineErrors } from "../../base/errors.ts";

/** Errors of bodies that are read whole. */
export const bodyErrors = defineErrors({
  HTTP_BODY_TOO_BIG: {
    disposition: "reject",
    httpStatus: 413,
    message: "the body of the request has more than {limitBytes} bytes",
    doc: "What the API takes is small, but for a whole configuration at /config. Look at what is sent: it may be another file than was meant.",
  },
  HTTP_BODY_LATE: {
    disposition: "reject",
    httpStatus: 408,
    message: "the body of the request did not come in {limitMs} ms",
    doc: "The client sends its body too slowly, or said that one comes and sent none.",
  },
  HTTP_BODIES_BUSY: {
    disposition: "reject",
    httpStatus: 503,
    message: "{limit} requests with bodies are under way already",
    doc: "More requests to the API come than are answered. Ask again in a few seconds.",
  },
});

/** Errors of what stands in the first line of a request. */
export const requestErrors = defineErrors({
  HTTP_BAD_PATH: {
    disposition: "reject",
    httpStatus: 400,
    message: "{problem}",
    doc: "The path of the address cannot be one of this server: a broken percent escape, `..`, an empty segment, control characters, or too long.",
  },
});
