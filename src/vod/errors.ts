import { defineErrors } from "../base/errors.ts";

/** Errors of serving files. Their messages are shown to whoever asked for the file. */
export const vodErrors = defineErrors({
  VOD_NOT_FOUND: {
    disposition: "reject",
    httpStatus: 404,
    message: 'there is no file "{path}"',
    doc: "No `vod` has this prefix, or none of its storages has the file. Directories and devices are not files.",
  },
  VOD_NO_DOWNLOAD: {
    disposition: "reject",
    httpStatus: 403,
    message: 'whole files of vod "{vod}" are not given: it has no "download" in the configuration',
    doc: "The address is that of a file itself. To play it, add `/index.m3u8`; to let it be downloaded, write `download;` into the `vod`.",
  },
  VOD_BAD_PATH: {
    disposition: "reject",
    httpStatus: 403,
    message: "the path is refused: {reason}",
    doc: "A path may not leave its storage: no `..`, NUL, backslash or empty segment, and no link that leads out of it.",
  },
  VOD_UNREADABLE: {
    disposition: "reject",
    httpStatus: 403,
    message: 'the server may not read "{path}"',
    doc: "The file's permissions keep the server out.",
  },
  VOD_READ_FAILED: {
    disposition: "retry",
    httpStatus: 503,
    message: 'the storage cannot give "{path}": {reason}',
    doc: "The disk reported an error. It is an error for this viewer alone; the next request tries again.",
  },
  VOD_CHANGED: {
    disposition: "retry",
    httpStatus: 503,
    message: '"{path}" changed while it was read',
    doc: "The file was replaced or cut off. The next playlist has the new file.",
  },
  VOD_BUSY: {
    disposition: "retry",
    httpStatus: 503,
    message: "the server has too many files to read at this time: {reason}",
    doc: "Requests to the storage wait in a queue, and the queue is full, or the process has no descriptors left.",
  },
  VOD_SEGMENT_TOO_BIG: {
    disposition: "reject",
    httpStatus: 422,
    message: "a segment would have {bytes} bytes, and the limit is {limit}",
    doc: "The file's bit rate or the distance of its key frames is out of the ordinary. Encode it anew.",
  },
  VOD_CLOSED: {
    disposition: "reject",
    httpStatus: 503,
    message: "the server is stopping",
    doc: "Files are not opened any more while the server stops.",
  },
});
