import { defineErrors } from "../errors.ts";

/** Errors of what is loaded when it is first asked for. */
export const lateErrors = defineErrors({
  LATE_NOT_LOADED: {
    disposition: "reject",
    httpStatus: 503,
    message: "cannot load {part}: {reason}",
    doc: "A file of the server itself, read when it is first needed, cannot be read or run: the installation was changed or removed under the running server. It is tried again for the next one who asks; install the server anew and restart it.",
  },
  LATE_TOO_MANY: {
    disposition: "reject",
    httpStatus: 503,
    message: "{part} is being loaded, and {limit} wait for it already",
    doc: "Loading takes some milliseconds: a disk that hangs is the likely reason. Look at the disk that the server is installed on; who asks again later is served.",
  },
});
