import { defineErrors } from "../../base/errors.ts";

/** Errors of keeping an archive: who may write it, what is deleted from it, what is kept for longer. */
export const keepErrors = defineErrors({
  DVR_STREAM_TAKEN: {
    disposition: "retry",
    message: 'stream "{stream}" is recorded into {root} by another process ({writer} on {host})',
    doc: "Two processes share a volume and record a stream of the same name. The one that came second plays it live without recording it, and begins when the first one ends. Give each process a volume or a name of its own.",
  },
  DVR_LEASE_LOST: {
    disposition: "retry",
    message: "the right to write into {root} was lost: {reason}",
    doc: "The volume did not take this process's sign of life in time, or another process took it for dead. Recordings into that root stop, so that no two processes write one file, and go on by themselves. Look for a volume that hangs.",
  },
  DVR_NOT_MOUNTED: {
    disposition: "retry",
    message: "{root} is on the disk that its volume was mounted on: the volume is gone",
    doc: "A volume was mounted there since the server started, and is not any more. Nothing is recorded to what is below, which would fill another disk and be hidden later. Mount the volume again: recordings go on by themselves. To record without it, start the server anew.",
  },
  DVR_LEASE_FAILED: {
    disposition: "retry",
    message: "leases in {root} cannot be written: {reason}",
    doc: "A recording needs to write small files `.writer` and `.writers` beside the media. Check the permissions of the volume, whether it is mounted read-only, and whether it is full. It is tried again every few seconds.",
  },
  DVR_LEASE_LIMIT: {
    disposition: "reject",
    message: 'stream "{stream}" is not recorded: {limit} streams are recorded into {root} already',
    doc: "So many streams are not recorded into one root by one process. Spread them over more roots or pods.",
  },
  DVR_WALK_FAILED: {
    disposition: "retry",
    message: "the archive's folder {path} cannot be read: {reason}",
    doc: "Retention cannot see what is in the folder, so it deletes nothing of it. Check the folder's permissions and the volume. It is tried again every minute.",
  },
  DVR_WALK_LIMIT: {
    disposition: "retry",
    message: "the archive in {root} has more than {limit} {what}; retention does not see the rest",
    doc: "The bound keeps the memory of the server. Divide the archive into several roots.",
  },
  DVR_DELETE_FAILED: {
    disposition: "retry",
    httpStatus: 503,
    message: 'the hour {hour} of "{stream}" cannot be deleted from {path}: {reason}',
    doc: "The file system refused to remove files whose time is over. Check the permissions of the folder and whether the volume is read-only. It is tried again with growing pauses, up to an hour; other hours are deleted meanwhile.",
  },
  DVR_DELETE_LIMIT: {
    disposition: "reject",
    httpStatus: 409,
    message: "{path} has {limit} deleted ranges already",
    doc: "So many ranges of one hour are deleted by themselves. Delete the whole hour.",
  },
  DVR_NOT_KEPT: {
    disposition: "retry",
    httpStatus: 503,
    message: "nobody looks after {root} at the moment",
    doc: "The configuration has just been changed, or the server starts. Ask again in a few seconds.",
  },
  DVR_COPY_NOT_PROVEN: {
    disposition: "retry",
    message: 'the media of {hour} of "{stream}" stays in {path}: its note does not prove that it is copied',
    doc: "The hour has a file `HH.copied`, which is torn, names other files or sizes, or another place than the one of the configuration. Remove it, and the hour is copied anew.",
  },
  DVR_EPISODES_UNREADABLE: {
    disposition: "retry",
    httpStatus: 503,
    message: "{path} cannot be read: {reason}",
    doc: "What is in the list of episodes and locks is not known, so every hour of the stream is kept. Bring the file back from a copy, or remove the line that the message names, or the file if nothing of the stream needs to be kept.",
  },
  DVR_EPISODES_UNWRITABLE: {
    disposition: "retry",
    httpStatus: 503,
    message: "{path} cannot be written: {reason}",
    doc: "The episode or lock was not changed. Check the volume: full, read-only or gone.",
  },
  DVR_EPISODES_BUSY: {
    disposition: "reject",
    httpStatus: 503,
    message: "{limit} changes of {path} wait already",
    doc: "Changes of episodes are written one after the other, and the volume is slow. Ask again later.",
  },
  DVR_EPISODE_SERVER_FAILED: {
    disposition: "retry",
    httpStatus: 503,
    message: "{server} does not tell which episodes are kept: {reason}",
    doc: "What the server of `episodes_url` said last holds for the time that it told of; everything else of its streams is kept, whatever the volume needs. It is asked again with the next round of retention. Look at that server, or remove `episodes_url`.",
  },
  DVR_EPISODE_LIMIT: {
    disposition: "reject",
    httpStatus: 409,
    message: "{path} has {limit} {what} already",
    doc: "A stream keeps no more. Delete some, or let them expire with `expires_at`.",
  },
  DVR_EPISODE_INVALID: {
    disposition: "reject",
    httpStatus: 400,
    message: "the episode or lock is refused: {reason}",
    doc: "The message names the field and what it may be. Times are milliseconds since 1970, UTC.",
  },
  DVR_EPISODE_EXISTS: {
    disposition: "reject",
    httpStatus: 409,
    message: 'there is an episode "{episodeId}" already',
    doc: "Ids of episodes are unique within a stream. Delete the old one first, or leave the id out.",
  },
  DVR_EPISODE_UNKNOWN: {
    disposition: "reject",
    httpStatus: 404,
    message: 'there is no episode "{episodeId}"',
    doc: "It was deleted, or it expired.",
  },
  DVR_VOLUME_FULL: {
    disposition: "retry",
    message: "the volume of {root} is full: {reason}",
    doc: "Recordings into it stop and live goes on. They go on by themselves when a probe file can be written again, which is tried every few seconds. Shorten the depth, limit the use of the disk in percent, or enlarge the volume.",
  },
  DVR_VOLUME_FAILING: {
    disposition: "retry",
    message: "the volume of {root} fails: {reason}",
    doc: "Recordings into it stop and live goes on. They go on by themselves when a probe file can be written again. Look at the volume: unmounted, read-only, without permission, or broken.",
  },
  DVR_ROOT_LIMIT: {
    disposition: "reject",
    message: "{root} is not recorded into: there are {limit} roots already",
    doc: "A process records into so many roots at most.",
  },
});
