import { defineErrors } from "../../base/errors.ts";

/** Errors of exports that run as jobs. */
export const exportJobErrors = defineErrors({
  DVR_EXPORTS_FULL: {
    disposition: "reject",
    httpStatus: 429,
    message: "{limit} exports wait already",
    doc: "Exports run one after the other, so that recording and playing go on. Ask again when some are done, or cancel some.",
  },
  DVR_EXPORT_BAD_PATH: {
    disposition: "reject",
    httpStatus: 400,
    message: "the export cannot be written there: {reason}",
    doc: "`path` is `s3://KEY:SECRET@HOST/BUCKET/KEY`, or names a file that ends in `.mp4` below the folder `.exports` of the stream's archive: folders and names of letters, digits, `.`, `-` and `_`, none of which begins with a dot.",
  },
  DVR_EXPORT_EXISTS: {
    disposition: "reject",
    httpStatus: 409,
    message: 'there is a file "{path}" already',
    doc: "An export takes no other file's place, unless it is asked with `overwrite=true`.",
  },
  DVR_EXPORT_NO_ROOM: {
    disposition: "reject",
    httpStatus: 507,
    message:
      "the export of {bytes} bytes has no room in {folder}: {freeBytes} bytes are free, of which recordings keep {keptBytes}",
    doc: "An export is written to the volume of the archive first, also when it goes to a bucket, and leaves a fiftieth of it free. Make room, or export less at a time.",
  },
  DVR_EXPORT_UNWRITABLE: {
    disposition: "reject",
    httpStatus: 503,
    message: "the export cannot be written in {folder}: {reason}",
    doc: "The file system reported an error: look at the volume of the archive, its free space and its permissions.",
  },
  DVR_EXPORT_UNKNOWN: {
    disposition: "reject",
    httpStatus: 404,
    message: 'there is no export "{id}"',
    doc: "It was cancelled, or so many others came after it that it is forgotten, or the server was started anew.",
  },
});
