import { defineErrors } from "../base/errors.ts";

/** Errors of reading and recovering the archive. */
export const dvrErrors = defineErrors({
  DVR_BAD_TIME: {
    disposition: "reject",
    httpStatus: 404,
    message: "there is no hour of an archive at {time}",
    doc: "An archive has the hours from 1970 to the end of the year 9999, and counts times in whole microseconds since 1970, exactly up to the year 2255. Ask for a time in seconds since 1970.",
  },
  DVR_BAD_INDEX: {
    disposition: "reject",
    message: 'the index of an hour "{path}" cannot be read: {reason}',
    doc: "The file is not an index of the archive, or its beginning was damaged. Nothing of the hour was changed: put the file back from a copy. Without its index the hour can be removed, or moved away; each of its media files is an MP4 file by itself.",
  },
  DVR_INDEX_VERSION: {
    disposition: "reject",
    message:
      'the index of an hour "{path}" has version {version} of the format, and this server reads version {known}',
    doc: "A newer server has recorded this hour. Nothing of it was changed: run that server again, or move the hour away.",
  },
  DVR_DISK_FAILED: {
    disposition: "retry",
    httpStatus: 503,
    message: 'the archive cannot {action} "{path}": {reason}',
    doc: "The file system reported an error: look at the disk, its free space and the permissions of the archive's folder. It is tried again.",
  },
  DVR_NOTHING_RECORDED: {
    disposition: "reject",
    httpStatus: 404,
    message: 'nothing of "{name}" is recorded from {from} to {to}; {before}, {after}',
    doc: "The stream was not on air then, was not recorded, or what was recorded is deleted by now. The message has the nearest times at which something is recorded.",
  },
  DVR_BAD_MEDIA: {
    disposition: "reject",
    httpStatus: 500,
    message: 'the media file of the archive "{path}" cannot be used: {reason}',
    doc: "The file is damaged, or somebody else has changed or removed it. Its hour plays as far as the rest is whole; put the file back from a copy.",
  },
  DVR_TOO_MANY_TRACK_SETS: {
    disposition: "retry",
    message: "the hour {hour} has {most} media files: no more configurations of tracks fit into it",
    doc: "The source changes its codecs, picture size or tracks all the time. The recording goes on with the next hour, or with tracks that the hour had before; look at the encoder.",
  },
  DVR_HOUR_FULL: {
    disposition: "retry",
    message: 'the index of the hour {hour} in "{folder}" has {most} records: no more fit into it',
    doc: "The source begins a group of pictures many times a second, or sends very many tracks. The recording goes on with the next hour; look at the encoder.",
  },
  DVR_SPAN_TOO_LONG: {
    disposition: "reject",
    httpStatus: 422,
    message: "the range has more than {most} segments: ask for a shorter one",
    doc: "A playlist of so many segments would be tens of megabytes. Ask for a day or a week at a time.",
  },
});
