import { defineErrors } from "../base/errors.ts";

/** Errors of the server as a whole. */
export const serverErrors = defineErrors({
  SERVER_NO_RELOAD: {
    disposition: "reject",
    httpStatus: 409,
    message: "the configuration does not come from files: there is nothing to be read anew",
    doc: "The server is a demo, or is part of another program. Nothing is to be done.",
  },
  SERVER_STOPPING: {
    disposition: "reject",
    httpStatus: 503,
    message: "the server is stopping: it takes no new configuration",
    doc: "An edit came after SIGTERM or SIGINT. The next start reads the configuration anew: nothing is to be done.",
  },
});
