import { flvErrors } from "./errors.ts";
import type { Codec } from "../../media/track.ts";

/** What a tag body says: one or, with Enhanced RTMP's multitrack, several of these. */
export type TagUnit = ConfigUnit | FrameUnit;

/** A sequence header: the codec configuration record of one track. */
export type ConfigUnit = {
  readonly type: "config";
  readonly codec: Codec;
  /** Enhanced RTMP's track id; 0 for the only or main track of its kind. */
  readonly trackIndex: number;
  /** A view of the tag body. */
  readonly config: Uint8Array;
};

/** One coded frame. */
export type FrameUnit = {
  readonly type: "frame";
  readonly codec: Codec;
  readonly trackIndex: number;
  /** The tag calls it a key frame; true for audio. */
  readonly isKey: boolean;
  /** Presentation time minus decode time in milliseconds, signed; 0 for audio. */
  readonly ctsOffsetMs: number;
  /** Added to the presentation time, 0 to 999999 nanoseconds (Enhanced RTMP's ModEx). */
  readonly nanoOffset: number;
  /** A view of the tag body. */
  readonly payload: Uint8Array;
};

/** FourCC of each codec. Spec: Enhanced RTMP v2, VideoFourCc and AudioFourCc. */
export const FOUR_CC = {
  h264: "avc1",
  h265: "hvc1",
  av1: "av01",
  aac: "mp4a",
  mp3: ".mp3",
  opus: "Opus",
  ac3: "ac-3",
  eac3: "ec-3",
} as const satisfies Partial<Record<Codec, string>>;

/** A codec that FLV carries. */
export type FlvCodec = keyof typeof FOUR_CC;

/** Codecs by FourCC, per kind. */
export const VIDEO_FOUR_CC: ReadonlyMap<string, FlvCodec> = new Map([
  ["avc1", "h264"],
  ["hvc1", "h265"],
  ["av01", "av1"],
]);

/** Codecs by FourCC, per kind. */
export const AUDIO_FOUR_CC: ReadonlyMap<string, FlvCodec> = new Map([
  ["mp4a", "aac"],
  [".mp3", "mp3"],
  ["Opus", "opus"],
  ["ac-3", "ac3"],
  ["ec-3", "eac3"],
]);

/** True when FLV has a form for the codec. */
export function isFlvCodec(codec: Codec): codec is FlvCodec {
  return Object.hasOwn(FOUR_CC, codec);
}

/** Checks that a tag body reaches to `needBytes`. Throws: FLV_TAG_TRUNCATED. */
export function requireTagBytes(body: Uint8Array, needBytes: number): void {
  if (body.byteLength >= needBytes) return;
  throw flvErrors.error("FLV_TAG_TRUNCATED", { lengthBytes: body.byteLength, needBytes });
}
