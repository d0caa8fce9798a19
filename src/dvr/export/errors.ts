import { defineErrors } from "../../base/errors.ts";

/** Errors of downloads from an archive. */
export const dvrExportErrors = defineErrors({
  DVR_EXPORT_EMPTY: {
    disposition: "reject",
    httpStatus: 404,
    message: "nothing of the range can be exported: {reason}",
    doc: "The range is recorded, but has none of the tracks that were asked for, or none that the format can carry. Ask for other tracks, or for another format.",
  },
  DVR_EXPORT_CODEC_CHANGE: {
    disposition: "reject",
    httpStatus: 422,
    message: "track {track} changes at {time} from {before} to {after}: one MP4 file cannot hold both",
    doc: "A track of an MP4 file has one codec and one timescale. Export what lies before that time and what lies after it apart from each other, leave the track out, or export MPEG-TS.",
  },
  DVR_EXPORT_LIMIT: {
    disposition: "reject",
    httpStatus: 422,
    message: "{what} of {value} is more than the limit of {limit}",
    doc: "The export would cost more memory than one download may. Ask for a shorter range.",
  },
  DVR_EXPORT_UNKNOWN_TRACK: {
    disposition: "reject",
    httpStatus: 500,
    message:
      'the index names a chunk of track {number} in "{file}" at {time}, and that file has no such track',
    doc: "The index and the media file are not of the same recording: one of them was replaced or restored alone. Restore both, or remove that hour.",
  },
  DVR_EXPORT_BAD_CHUNK: {
    disposition: "reject",
    httpStatus: 500,
    message: 'the chunk at byte {offset} of "{file}" is not what the index says: {reason}',
    doc: "The media file was changed or cut off after it was recorded, or the disk is damaged. The download ends there; export what lies before and after that hour, and restore the file.",
  },
});
