import { concatBytes, writeFourCc, writeU24 } from "../../base/bytes.ts";
import type { Track } from "../../media/track.ts";
import { AUDIO_PACKET, SOUND_FORMAT } from "./audio-tag.ts";
import { FOUR_CC, isFlvCodec } from "./tag-unit.ts";
import { FRAME_TYPE, VIDEO_PACKET } from "./video-tag.ts";

/** How a frame is told to the player; audio uses none of it. */
export type FrameFlags = {
  readonly isKey: boolean;
  /** Presentation time minus decode time, milliseconds, signed 24 bits. */
  readonly ctsOffsetMs: number;
};

/** True when a tag can carry the track. */
export function canCarry(track: Track): boolean {
  return isFlvCodec(track.codec);
}

/**
 * How many bytes a frame's tag header takes: legacy forms for H.264, AAC and MP3, Enhanced RTMP's for the others.
 *
 * A zero composition time of H.265 is left out (CodedFramesX). The track must be one that `canCarry` allows.
 */
export function frameHeaderBytes(track: Track, flags: FrameFlags): number {
  switch (track.codec) {
    case "mp3":
      return 1;
    case "aac":
      return 2;
    case "h265":
      return flags.ctsOffsetMs === 0 ? 5 : 8;
    default:
      return 5;
  }
}

/**
 * Writes a frame's tag header at `at`; `frameHeaderBytes` tells how long it is.
 *
 * Spec: FLV 10.1 E.4.2.1, E.4.3.1; Enhanced RTMP v2, ExVideoTagHeader, ExAudioTagHeader.
 */
export function writeFrameHeader(out: Uint8Array, at: number, track: Track, flags: FrameFlags): void {
  if (track.kind === "video") writeVideoHeader(out, at, track, flags);
  else writeAudioHeader(out, at, track, AUDIO_PACKET.codedFrames);
}

function writeVideoHeader(out: Uint8Array, at: number, track: Track, flags: FrameFlags): void {
  const frameType = flags.isKey ? FRAME_TYPE.key : FRAME_TYPE.inter;
  if (track.codec === "h264") {
    out[at] = (frameType << 4) | 7;
    out[at + 1] = VIDEO_PACKET.codedFrames;
    writeU24(out, at + 2, flags.ctsOffsetMs);
    return;
  }
  const hasOffset = track.codec === "h265" && flags.ctsOffsetMs !== 0;
  // AV1 has no composition time in either form; plain CodedFrames is what encoders send.
  const isPlain = hasOffset || track.codec === "av1";
  const packetType = isPlain ? VIDEO_PACKET.codedFrames : VIDEO_PACKET.codedFramesX;
  out[at] = 0x80 | (frameType << 4) | packetType;
  writeFourCc(out, at + 1, fourCcOf(track));
  if (hasOffset) writeU24(out, at + 5, flags.ctsOffsetMs);
}

function writeAudioHeader(out: Uint8Array, at: number, track: Track, packetType: number): void {
  if (track.codec === "aac") {
    // The rate, size and channel bits say "44 kHz, 16 bit, stereo" for every AAC (FLV 10.1 E.4.2.1).
    out[at] = (SOUND_FORMAT.aac << 4) | 0x0f;
    out[at + 1] = packetType;
  } else if (track.codec === "mp3") {
    out[at] = mp3Header(track);
  } else {
    out[at] = (SOUND_FORMAT.enhanced << 4) | packetType;
    writeFourCc(out, at + 1, fourCcOf(track));
  }
}

/** Rates other than 8, 11.025, 22.05 and 44.1 kHz have no code; decoders take the rate from the frame anyway. */
function mp3Header(track: Track): number {
  const stereo = track.channels === 1 ? 0 : 1;
  if (track.sampleRate === 8000) return (SOUND_FORMAT.mp3At8k << 4) | 0x02 | stereo;
  const rate = track.sampleRate <= 12_000 ? 1 : track.sampleRate <= 24_000 ? 2 : 3;
  return (SOUND_FORMAT.mp3 << 4) | (rate << 2) | 0x02 | stereo;
}

/**
 * The tag body that carries a track's configuration, or `null` when its codec has none (MP3, AC-3, E-AC-3).
 *
 * Ownership: the result is new.
 * Spec: FLV 10.1 E.4.2.2, E.4.3.2; Enhanced RTMP v2, SequenceStart.
 */
export function buildConfigBody(track: Track): Uint8Array | null {
  switch (track.codec) {
    case "h264":
      return concatBytes([new Uint8Array([0x17, VIDEO_PACKET.sequenceStart, 0, 0, 0]), track.config]);
    case "h265":
    case "av1":
      return withFourCc(0x80 | (FRAME_TYPE.key << 4) | VIDEO_PACKET.sequenceStart, track);
    case "aac":
      return concatBytes([new Uint8Array([0xaf, AUDIO_PACKET.sequenceStart]), track.config]);
    case "opus":
      return withFourCc((SOUND_FORMAT.enhanced << 4) | AUDIO_PACKET.sequenceStart, track);
    default:
      return null;
  }
}

function withFourCc(first: number, track: Track): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = first;
  writeFourCc(head, 1, fourCcOf(track));
  return concatBytes([head, track.config]);
}

/** The whole tag body of one frame; for files and tests. Where copies count, write the header in place instead. */
export function buildFrameBody(track: Track, flags: FrameFlags, payload: Uint8Array): Uint8Array {
  const headerBytes = frameHeaderBytes(track, flags);
  const body = new Uint8Array(headerBytes + payload.byteLength);
  writeFrameHeader(body, 0, track, flags);
  body.set(payload, headerBytes);
  return body;
}

/** The number that `videocodecid` or `audiocodecid` of onMetaData has: the legacy id, or the FourCC as a number. */
export function metadataCodecId(track: Track): number {
  if (track.codec === "h264") return 7;
  if (track.codec === "aac") return SOUND_FORMAT.aac;
  if (track.codec === "mp3") return SOUND_FORMAT.mp3;
  const text = fourCcOf(track);
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 256 + text.charCodeAt(i);
  return value;
}

function fourCcOf(track: Track): string {
  return isFlvCodec(track.codec) ? FOUR_CC[track.codec] : "";
}
