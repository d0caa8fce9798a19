import { defineErrors } from "../../base/errors.ts";

/** Errors of MPEG transport streams. */
export const tsErrors = defineErrors({
  TS_NO_SYNC: {
    disposition: "close-session",
    httpStatus: 415,
    message: "no transport stream packets in {skippedBytes} bytes",
    doc: "The bytes are no MPEG transport stream of packets of 188, 192 or 204 bytes, or all of its packets are broken. Send the output of an MPEG-TS muxer (`ffmpeg -f mpegts`), neither MP4 nor RTP.",
  },
  TS_PACKET_BROKEN: {
    disposition: "skip-unit",
    message: "PID {pid}: {reason}",
    doc: "A transport stream packet was damaged, scrambled or lost; what it belongs to is dropped. Look for packet loss in front of the server.",
  },
  TS_SECTION_BROKEN: {
    disposition: "skip-unit",
    message: "PID {pid}: {reason}",
    doc: "A program table (PAT or PMT) is malformed or its CRC does not match; the one before it stays in force.",
  },
  TS_PES_BROKEN: {
    disposition: "skip-unit",
    message: "PID {pid}: {reason}",
    doc: "A PES packet is malformed, longer than the limit or has no time; it is dropped.",
  },
  TS_STREAM_UNSUPPORTED: {
    disposition: "skip-unit",
    message: "PID {pid}: stream type {streamType} is left out: {reason}",
    doc: "The program has an elementary stream that this server does not carry, such as MPEG-2 video, LATM audio, subtitles or teletext, or more streams than it takes. The others are carried.",
  },
});
