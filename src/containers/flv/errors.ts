import { defineErrors } from "../../base/errors.ts";

/** Errors of FLV tag bodies and files. */
export const flvErrors = defineErrors({
  FLV_TAG_TRUNCATED: {
    disposition: "skip-unit",
    message: "a tag of {lengthBytes} bytes ends before byte {needBytes}",
    doc: "An audio or video message is shorter than its own header says.",
  },
  FLV_CODEC_UNSUPPORTED: {
    disposition: "skip-unit",
    message: "{kind} codec {codec} is not carried",
    doc: "The publisher sends a codec that this server does not carry, e.g. Speex, Sorenson H.263, VP6 or FLAC.",
  },
  FLV_PACKET_UNSUPPORTED: {
    disposition: "skip-unit",
    message: "{kind} packet type {packetType} is not carried",
    doc: "An Enhanced RTMP packet type that is reserved or has no use here, such as MPEG2TSSequenceStart.",
  },
  FLV_FILE_SIGNATURE: {
    disposition: "close-session",
    message: "the bytes do not begin with an FLV header",
    doc: "The file or HTTP body is not FLV version 1.",
  },
  FLV_FILE_TAG_TOO_BIG: {
    disposition: "close-session",
    message: "a tag of {lengthBytes} bytes is over the limit of {limitBytes}",
    doc: "The FLV stream is broken, or holds larger pictures than the reader allows.",
  },
});
