import { readEnhancedHead, readEnhancedParts } from "./enhanced-header.ts";
import type { EnhancedPart } from "./enhanced-header.ts";
import { flvErrors } from "./errors.ts";
import { AUDIO_FOUR_CC, requireTagBytes } from "./tag-unit.ts";
import type { FlvCodec, TagUnit } from "./tag-unit.ts";

/** Spec: FLV 10.1 E.4.2.1, SoundFormat; Enhanced RTMP v2 for 9. */
export const SOUND_FORMAT = { mp3: 2, enhanced: 9, aac: 10, mp3At8k: 14 } as const;

/** Spec: Enhanced RTMP v2, AudioPacketType. */
export const AUDIO_PACKET = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  multichannelConfig: 4,
  multitrack: 5,
} as const;

const NOTHING: readonly TagUnit[] = [];

/**
 * Reads the body of an audio tag or message, in legacy or Enhanced RTMP form.
 *
 * Returns: configurations and frames in order; empty for what carries neither.
 * Ownership: the units hold views of `body`.
 * Throws: FLV_TAG_TRUNCATED, FLV_CODEC_UNSUPPORTED, FLV_PACKET_UNSUPPORTED.
 * Spec: FLV 10.1 E.4.2; Enhanced RTMP v2, Enhanced Audio.
 */
export function parseAudioTag(body: Uint8Array): readonly TagUnit[] {
  // ffmpeg and Flash send empty audio messages when a track begins late or falls silent.
  if (body.byteLength === 0) return NOTHING;
  const format = body[0]! >>> 4;
  if (format === SOUND_FORMAT.enhanced) return parseEnhanced(body);
  if (format === SOUND_FORMAT.aac) return parseAac(body);
  if (format !== SOUND_FORMAT.mp3 && format !== SOUND_FORMAT.mp3At8k)
    throw unsupportedCodec(String(format));
  return body.byteLength > 1 ? [frame("mp3", 0, 0, body.subarray(1))] : NOTHING;
}

function parseAac(body: Uint8Array): readonly TagUnit[] {
  requireTagBytes(body, 2);
  const rest = body.subarray(2);
  if (body[1] === AUDIO_PACKET.sequenceStart) {
    return [{ type: "config", codec: "aac", trackIndex: 0, config: rest }];
  }
  if (body[1] !== AUDIO_PACKET.codedFrames) throw unsupportedPacket(body[1]!);
  return rest.byteLength > 0 ? [frame("aac", 0, 0, rest)] : NOTHING;
}

function parseEnhanced(body: Uint8Array): readonly TagUnit[] {
  const head = readEnhancedHead(body);
  const parts = readEnhancedParts(body, head, AUDIO_PACKET.multitrack, "audio");
  const { packetType, nanoOffset } = head;
  if (packetType === AUDIO_PACKET.sequenceEnd || packetType === AUDIO_PACKET.multichannelConfig)
    return NOTHING;
  return parts.map((part) => readPart(body, part, packetType, nanoOffset));
}

function readPart(body: Uint8Array, part: EnhancedPart, packetType: number, nanoOffset: number): TagUnit {
  const codec = AUDIO_FOUR_CC.get(part.fourCc);
  if (codec === undefined) throw unsupportedCodec(part.fourCc);
  const rest = body.subarray(part.start, part.end);
  if (packetType === AUDIO_PACKET.sequenceStart) {
    return { type: "config", codec, trackIndex: part.trackIndex, config: rest };
  }
  if (packetType !== AUDIO_PACKET.codedFrames) throw unsupportedPacket(packetType);
  return frame(codec, part.trackIndex, nanoOffset, rest);
}

function frame(codec: FlvCodec, trackIndex: number, nanoOffset: number, payload: Uint8Array): TagUnit {
  return { type: "frame", codec, trackIndex, isKey: true, ctsOffsetMs: 0, nanoOffset, payload };
}

function unsupportedCodec(codec: string): Error {
  return flvErrors.error("FLV_CODEC_UNSUPPORTED", { kind: "audio", codec });
}

function unsupportedPacket(packetType: number): Error {
  return flvErrors.error("FLV_PACKET_UNSUPPORTED", { kind: "audio", packetType });
}
