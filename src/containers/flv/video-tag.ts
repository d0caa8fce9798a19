import { readI24 } from "../../base/bytes.ts";
import { readEnhancedHead, readEnhancedParts } from "./enhanced-header.ts";
import type { EnhancedHead, EnhancedPart } from "./enhanced-header.ts";
import { flvErrors } from "./errors.ts";
import { VIDEO_FOUR_CC, requireTagBytes } from "./tag-unit.ts";
import type { FlvCodec, TagUnit } from "./tag-unit.ts";

/** Spec: Enhanced RTMP v2, VideoPacketType. */
export const VIDEO_PACKET = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  codedFramesX: 3,
  metadata: 4,
  mpeg2TsSequenceStart: 5,
  multitrack: 6,
} as const;

/** Spec: FLV 10.1 E.4.3.1, FrameType. */
export const FRAME_TYPE = { key: 1, inter: 2, command: 5 } as const;

const NOTHING: readonly TagUnit[] = [];
/** 12 is no part of any specification, but many encoders used it for H.265 before Enhanced RTMP came. */
const LEGACY_CODEC = { h264: 7, h265: 12 } as const;

/**
 * Reads the body of a video tag or message, in legacy or Enhanced RTMP form.
 *
 * Returns: configurations and frames in order; empty for what carries neither (commands, ends of sequence, metadata).
 * Ownership: the units hold views of `body`.
 * Throws: FLV_TAG_TRUNCATED, FLV_CODEC_UNSUPPORTED, FLV_PACKET_UNSUPPORTED.
 * Spec: FLV 10.1 E.4.3; Enhanced RTMP v2, Enhanced Video.
 */
export function parseVideoTag(body: Uint8Array): readonly TagUnit[] {
  requireTagBytes(body, 1);
  return body[0]! >= 0x80 ? parseEnhanced(body) : parseLegacy(body);
}

function parseLegacy(body: Uint8Array): readonly TagUnit[] {
  const frameType = body[0]! >>> 4;
  if (frameType === FRAME_TYPE.command) return NOTHING;
  const codec = legacyCodec(body[0]! & 0x0f);
  requireTagBytes(body, 2);
  const packetType = body[1]!;
  if (packetType === VIDEO_PACKET.sequenceEnd) return NOTHING;
  requireTagBytes(body, 5);
  const payload = body.subarray(5);
  if (packetType === VIDEO_PACKET.sequenceStart)
    return [{ type: "config", codec, trackIndex: 0, config: payload }];
  if (packetType !== VIDEO_PACKET.codedFrames) throw unsupportedPacket(packetType);
  const ctsOffsetMs = readI24(body, 2);
  const isKey = frameType === FRAME_TYPE.key;
  return [{ type: "frame", codec, trackIndex: 0, isKey, ctsOffsetMs, nanoOffset: 0, payload }];
}

function legacyCodec(id: number): FlvCodec {
  if (id === LEGACY_CODEC.h264) return "h264";
  if (id === LEGACY_CODEC.h265) return "h265";
  throw unsupportedCodec(String(id));
}

function parseEnhanced(body: Uint8Array): readonly TagUnit[] {
  const head = readEnhancedHead(body);
  const frameType = (body[0]! >>> 4) & 0x07;
  if (frameType === FRAME_TYPE.command && head.packetType !== VIDEO_PACKET.metadata) return NOTHING;
  const parts = readEnhancedParts(body, head, VIDEO_PACKET.multitrack, "video");
  if (head.packetType === VIDEO_PACKET.sequenceEnd || head.packetType === VIDEO_PACKET.metadata)
    return NOTHING;
  return parts.map((part) => readPart(body, head, part, frameType === FRAME_TYPE.key));
}

function readPart(body: Uint8Array, head: EnhancedHead, part: EnhancedPart, isKey: boolean): TagUnit {
  const codec = VIDEO_FOUR_CC.get(part.fourCc);
  if (codec === undefined) throw unsupportedCodec(part.fourCc);
  const { trackIndex, start, end } = part;
  const { packetType, nanoOffset } = head;
  if (packetType === VIDEO_PACKET.sequenceStart) {
    return { type: "config", codec, trackIndex, config: body.subarray(start, end) };
  }
  if (packetType !== VIDEO_PACKET.codedFrames && packetType !== VIDEO_PACKET.codedFramesX) {
    throw unsupportedPacket(packetType);
  }
  // Only codecs with NAL units carry a composition time, and CodedFramesX means that it is zero.
  const hasOffset = packetType === VIDEO_PACKET.codedFrames && codec !== "av1";
  const payloadAt = hasOffset ? start + 3 : start;
  if (payloadAt > end)
    throw flvErrors.error("FLV_TAG_TRUNCATED", { lengthBytes: end, needBytes: payloadAt });
  const ctsOffsetMs = hasOffset ? readI24(body, start) : 0;
  const payload = body.subarray(payloadAt, end);
  return { type: "frame", codec, trackIndex, isKey, ctsOffsetMs, nanoOffset, payload };
}

function unsupportedCodec(codec: string): Error {
  return flvErrors.error("FLV_CODEC_UNSUPPORTED", { kind: "video", codec });
}

function unsupportedPacket(packetType: number): Error {
  return flvErrors.error("FLV_PACKET_UNSUPPORTED", { kind: "video", packetType });
}
