import { defineErrors } from "../../base/errors.ts";

/**
 * Errors of object storage: what finished hours are copied to, and read from. `location` is an endpoint, a bucket and a
 * prefix; no message ever has a key or a secret in it. "retry": whoever copies tries again for as long as it takes.
 */
export const objectErrors = defineErrors({
  OBJECT_BAD_PLACE: {
    disposition: "reject",
    message: "the object storage cannot be used as it is configured: {reason}",
    doc: "What stands behind `copy=` names no place: it takes `s3://HOST[:PORT]/BUCKET[/PREFIX]`, with KEY:SECRET@ in front of the host where credentials do not come from the environment. Nothing is copied until it is mended.",
  },
  OBJECT_BAD_KEY: {
    disposition: "reject",
    message: 'the object storage cannot have an object called "{key}": {reason}',
    doc: "Names of objects are made of the prefix, the stream's name and the hour. Give the stream a shorter or plainer name, or the copy a shorter prefix.",
  },
  OBJECT_UNREACHABLE: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} cannot be reached to {operation}: {reason}",
    doc: "The name does not resolve, nobody listens there, the certificate is not believed, or the connection was cut. Look at the host and port behind `copy=`, at NetworkPolicies for egress, and for an authority of your own at NODE_EXTRA_CA_CERTS.",
  },
  OBJECT_TIMEOUT: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} gave nothing for {limitMs} ms, asked to {operation}",
    doc: "The host accepted the connection and then stood still: it is overloaded, or something between drops packets.",
  },
  OBJECT_STORE_BUSY: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} cannot {operation} now: {reason}",
    doc: "The host answered with a status of 5xx, or asked to slow down. It is tried again with growing pauses; when it lasts, look at the host.",
  },
  OBJECT_NO_CREDENTIALS: {
    disposition: "retry",
    httpStatus: 503,
    message: "there are no credentials for {location}: {reason}",
    doc: "The configuration has none, and none were found in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), in a web identity (IRSA), in a profile or from the machine's role. Give the pod one of them, or write KEY:SECRET@ into `copy=`.",
  },
  OBJECT_ACCESS_DENIED: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} does not allow to {operation}: {reason}",
    doc: "The key is unknown or out of date, the secret is wrong, or a policy is against it. The server needs s3:PutObject, s3:GetObject, s3:ListBucket, s3:DeleteObject and s3:AbortMultipartUpload; without s3:ListBucket, an object that is missing looks like one that is forbidden.",
  },
  OBJECT_CLOCK_SKEW: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} refuses to {operation}, for its clock and this machine's differ: {reason}",
    doc: "Requests are signed with the time. The difference is taken into account from the next request on; set the clock of the machine that is wrong.",
  },
  OBJECT_WRONG_REGION: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} refuses to {operation}, for the bucket is in another region: {reason}",
    doc: "Write the region of the bucket into the environment as AWS_REGION, or the region's own endpoint into `copy=`.",
  },
  OBJECT_NO_BUCKET: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} cannot {operation}: there is no such bucket",
    doc: "The bucket behind `copy=` is mistyped or was deleted. The server makes no buckets; make it, and copying goes on by itself.",
  },
  OBJECT_REFUSED: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} refuses to {operation}: {reason}",
    doc: "The host answered with an error that is not among those that the server knows; what it says stands behind the colon.",
  },
  OBJECT_NOT_FOUND: {
    disposition: "reject",
    httpStatus: 404,
    message: '{location} has no object "{key}"',
    doc: "It was not copied there, or was deleted since, by hand or by a rule of the bucket.",
  },
  OBJECT_CHANGED: {
    disposition: "retry",
    httpStatus: 503,
    message: '"{key}" in {location} was replaced while it was read',
    doc: "Somebody wrote another object under the name of a finished hour. The next request reads the new one.",
  },
  OBJECT_BAD_REPLY: {
    disposition: "retry",
    httpStatus: 503,
    message: "{location} did not do what it was asked, which was to {operation}: {reason}",
    doc: "The reply has fewer or other bytes than were asked for. Once: a connection that was cut. Always: the host does not support reading ranges (HTTP Range), and the archive cannot be played from it.",
  },
  OBJECT_CHECKSUM: {
    disposition: "retry",
    httpStatus: 503,
    message: '{location} has {kind} {actual} for "{key}", and it should be {expected}',
    doc: "The bytes were damaged on their way or in the host. They are sent again; nothing leaves the disk before the copy is right. When it lasts, the host or the network has a defect.",
  },
  OBJECT_COPY_DIFFERS: {
    disposition: "retry",
    httpStatus: 503,
    message: '"{key}" is not safe in {location}: {reason}',
    doc: "The object that was just written is missing there or has another size. It is sent again. A rule of the bucket that deletes or changes objects may be the reason.",
  },
  OBJECT_TOO_BIG: {
    disposition: "reject",
    message: "{path} has {bytes} bytes, and an object may have {limit}",
    doc: "Object storage takes 10 000 parts of at most 5 GiB and 5 TiB together. Record the stream at a lower bit rate, or without `copy=`.",
  },
  OBJECT_FILE_UNREADABLE: {
    disposition: "retry",
    message: "cannot read {path} to copy it: {reason}",
    doc: "The disk reports an error, or the file's permissions keep the server out. The hour stays on the disk and is tried again.",
  },
  OBJECT_FILE_CHANGED: {
    disposition: "retry",
    message: "{path} changed while it was copied: {reason}",
    doc: "A finished hour was written to, which the server itself never does, or was deleted. It is copied again as it is now.",
  },
  OBJECT_HOUR_TAKEN: {
    disposition: "retry",
    message: "{location} has another recording of that hour already: {key}",
    doc: "Two pods, each with a volume of its own, have recorded the stream in one hour, and are copied to one place. The one that was there first stays, and the other one stays on its disk. Give each pod a prefix of its own in `copy=`, or delete the hour in the bucket.",
  },
  OBJECT_MARKER_UNWRITABLE: {
    disposition: "retry",
    message: "cannot write {path}: {reason}",
    doc: "The hour is copied and safe, but the note that says so cannot be written: the disk is full or read-only. Until it can be, the server asks the object storage again after each start.",
  },
  OBJECT_LIST_ENDLESS: {
    disposition: "retry",
    httpStatus: 503,
    message: 'the list of objects below "{prefix}" in {location} does not end: {reason}',
    doc: "The host repeats itself, or there is far more below the prefix than an archive has. Give the archive a prefix of its own.",
  },
  OBJECT_READS_BUSY: {
    disposition: "retry",
    httpStatus: 503,
    message: "{waiting} reads from object storage wait already",
    doc: "More is asked for than the host gives. Viewers who ask again later are served.",
  },
  OBJECT_CACHE_UNUSABLE: {
    disposition: "skip-unit",
    message: "the disk cache in {directory} is not used for now: {reason}",
    doc: "Its disk is full, read-only or reports errors. Playback goes on without it, and it is tried again a minute later.",
  },
  OBJECT_CLOSED: {
    disposition: "reject",
    httpStatus: 503,
    message: "asked to {operation} while the server is stopping",
    doc: "Transfers end when the server stops; the next start goes on where they were.",
  },
});
