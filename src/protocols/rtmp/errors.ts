import { defineErrors } from "../../base/errors.ts";

/** Errors of RTMP: what a peer sends that breaks the protocol or one of its limits. */
export const rtmpErrors = defineErrors({
  RTMP_HANDSHAKE_VERSION: {
    disposition: "close-session",
    message: "the peer opens with version {version}, not with RTMP version 3",
    doc: "Something other than plain RTMP talks to the RTMP port: HTTP, TLS, RTMPE or a port scan.",
  },
  RTMP_CHUNK_HEADER: {
    disposition: "close-session",
    message: "chunk stream {chunkStreamId} uses header form {form} without an earlier header to refer to",
    doc: "The byte stream is not RTMP, or bytes were lost: a compressed chunk header has nothing to refer to.",
  },
  RTMP_CHUNK_INTERRUPTED: {
    disposition: "close-session",
    message:
      "chunk stream {chunkStreamId} begins a message with {missingBytes} bytes of the last one missing",
    doc: "The sender starts a message before it finished the last one of the same chunk stream.",
  },
  RTMP_CHUNK_SIZE: {
    disposition: "close-session",
    message: "a chunk size of {chunkSizeBytes} bytes is not allowed",
    doc: "The peer announced a chunk size of zero or with the top bit set (Adobe RTMP 1.0 section 5.4.1).",
  },
  RTMP_CHUNK_STREAM_LIMIT: {
    disposition: "close-session",
    message: "the peer uses more than {limit} chunk streams",
    doc: "Each chunk stream costs memory; real senders use fewer than ten.",
  },
  RTMP_MESSAGE_TOO_BIG: {
    disposition: "close-session",
    message: "a message of {lengthBytes} bytes is over the limit of {limitBytes}",
    doc: "Raise the message limit of the listener when the picture size really needs such messages.",
  },
  RTMP_PARTIAL_LIMIT: {
    disposition: "close-session",
    message: "unfinished messages would hold more than {limitBytes} bytes",
    doc: "The peer begins many big messages at once and finishes none: an accident or an attack on memory.",
  },
  RTMP_CONTROL_TRUNCATED: {
    disposition: "close-session",
    message: "a control message of type {typeId} has only {lengthBytes} bytes",
    doc: "A protocol control message is shorter than its fixed fields.",
  },
  RTMP_AGGREGATE_MALFORMED: {
    disposition: "skip-unit",
    message: "an aggregate message breaks at byte {offset}",
    doc: "A message inside an aggregate claims more bytes than the aggregate has; the rest of it is dropped.",
  },
  RTMP_AMF_TRUNCATED: {
    disposition: "skip-unit",
    message: "an AMF value ends in the middle, at byte {offset}",
    doc: "A command or metadata message is cut or claims more than it holds.",
  },
  RTMP_AMF_TYPE: {
    disposition: "skip-unit",
    message: "AMF{version} has no value of type {marker} here, at byte {offset}",
    doc: "A command or metadata message uses a type marker that the AMF specifications reserve or do not define.",
  },
  RTMP_AMF_REFERENCE: {
    disposition: "skip-unit",
    message: "an AMF reference points to entry {index}, which does not exist",
    doc: "A command or metadata message refers to an object, string or class that it did not send before.",
  },
  RTMP_AMF_EXTERNALIZABLE: {
    disposition: "skip-unit",
    message: 'the AMF3 class "{className}" has a form of its own that cannot be read',
    doc: "Externalizable classes define their own bytes; only ArrayCollection and ObjectProxy are known.",
  },
  RTMP_AMF_LIMIT: {
    disposition: "skip-unit",
    message: "an AMF message has more than {limit} {what}",
    doc: "A bound on nesting depth and number of values, so that a small message cannot cost much time or stack.",
  },
  RTMP_COMMAND_MALFORMED: {
    disposition: "close-session",
    message: "a command message cannot be read: {reason}",
    doc: "The peer sends a command that is not a name, a transaction number and arguments in AMF.",
  },
  RTMP_COMMAND_UNEXPECTED: {
    disposition: "close-session",
    message: 'the command "{command}" is not allowed while the session is {state}',
    doc: "The peer sends a command out of order, such as publishing before it connects.",
  },
});
