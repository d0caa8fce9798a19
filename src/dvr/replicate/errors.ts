import { defineErrors } from "../../base/errors.ts";

/** Errors of copying archives between servers. */
export const replicateErrors = defineErrors({
  DVR_PEER_UNREACHABLE: {
    disposition: "retry",
    message: "the peer {peer} cannot be reached: {reason}",
    doc: "The server that recordings are copied from is down, or there is no way to it. It is asked again, less and less often; look at its address in `replicate`, and at the network.",
  },
  DVR_PEER_REFUSED: {
    disposition: "retry",
    message: "the peer {peer} answers {status} to {target}: {reason}",
    doc: "The server that recordings are copied from does not give them: 401 is another `cluster_key` or a clock that is minutes off, 404 a server without a `cluster_key` or without the recording, 503 one that is busy. It is asked again.",
  },
  DVR_PEER_BAD_REPLY: {
    disposition: "retry",
    message: "the peer {peer} sends what makes no sense for {target}: {reason}",
    doc: "The reply is not what `docs/archive-format.md` says of copying: something stands between the servers and changes replies, or their versions do not fit. Nothing of the reply was kept; it is asked again.",
  },
  DVR_PEER_CHECKSUM: {
    disposition: "retry",
    message:
      "the bytes that the peer {peer} sends for {target} do not have the checksum that it sends with them",
    doc: "They were changed on their way. Nothing of them was kept; they are asked for again.",
  },
  DVR_PEER_BAD_MEDIA: {
    disposition: "retry",
    message: "what the peer {peer} has of {target} is damaged: {reason}",
    doc: "A media file of the peer does not have what its index promises. The segment is left out until this server is started again; look at the disk of the peer.",
  },
  DVR_PEER_NOT_KNOWN: {
    disposition: "reject",
    httpStatus: 401,
    message: "the archive's files are for the servers of this cluster: {reason}",
    doc: "The request has no signature by the `cluster_key` that this server has, or one that is more than five minutes old. Give all servers the same key, and set their clocks.",
  },
  DVR_PEER_NO_FILE: {
    disposition: "reject",
    httpStatus: 404,
    message: 'there is no file "{path}" in the archive of "{name}"',
    doc: "A server that copies asked for a file that was deleted meanwhile, or that is none of an archive's. It reads the list anew.",
  },
  DVR_PEER_BAD_RANGE: {
    disposition: "reject",
    httpStatus: 416,
    message: 'the file "{path}" has {bytes} bytes: there is nothing of what was asked for in it',
    doc: "A server that copies asked for bytes behind the end of a file, as when the recorder of that file was killed and has taken back what was torn. It reads the index anew.",
  },
});
