import { defineErrors } from "../../base/errors.ts";

/** Errors of reading MP4 files. Their messages are shown to whoever asked for the file. */
export const mp4Errors = defineErrors({
  MP4_NOT_MP4: {
    disposition: "reject",
    httpStatus: 422,
    message: "this is not an MP4 file: {reason}",
    doc: "The file does not begin with boxes of ISO/IEC 14496-12. Only files of the MP4 family can be served.",
  },
  MP4_NO_MOOV: {
    disposition: "reject",
    httpStatus: 422,
    message: 'the file has no "moov" box, which holds its index: {reason}',
    doc: "A recording that was not finished, or an upload that was cut off. Finish it, or repair it by remuxing.",
  },
  MP4_BOX_SIZE: {
    disposition: "reject",
    httpStatus: 422,
    message:
      'box "{box}" at byte {offset} says that it has {sizeBytes} bytes, and {availableBytes} are there',
    doc: "A box is smaller than its own header or larger than what contains it. The file is damaged or cut off.",
  },
  MP4_BAD_BOX: {
    disposition: "reject",
    httpStatus: 422,
    message: 'box "{box}" at byte {offset} cannot be right: {reason}',
    doc: "The contents of a box contradict themselves, another box, or the size of the file.",
  },
  MP4_LIMIT: {
    disposition: "reject",
    httpStatus: 422,
    message: "{what} of {value} is more than the limit of {limit}",
    doc: "The file asks for more memory or time than one file may cost this server.",
  },
  MP4_TRUNCATED: {
    disposition: "reject",
    httpStatus: 422,
    message: "{present} of {count} frames are there: the file is cut off, or still being written",
    doc: "The index names frames beyond the end of the file. A copy that is still under way plays within a second of its end; a file in fragments plays up to its last whole one meanwhile.",
  },
  MP4_ENCRYPTED: {
    disposition: "reject",
    httpStatus: 422,
    message: 'the file is encrypted (sample entry "{entry}")',
    doc: "Files with common encryption (ISO/IEC 23001-7) or other protected sample entries cannot be served.",
  },
  MP4_NO_TRACKS: {
    disposition: "reject",
    httpStatus: 422,
    message: "the file has no track that can be served: {reason}",
    doc: "No track has a known codec and at least one frame. The message lists what was found instead.",
  },
  MP4_UNSUPPORTED: {
    disposition: "reject",
    httpStatus: 422,
    message: "{what} is not supported",
    doc: "The track is well-formed and uses something that this server does not read. It is left out of the file.",
  },
});
