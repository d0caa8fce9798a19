import type { TrackId } from "./ids.ts";

/** Kinds of elementary streams. */
export type TrackKind = "video" | "audio" | "text";

/** Codecs that a track may carry; the words that the whole project uses. */
export type Codec = "h264" | "h265" | "av1" | "aac" | "mp3" | "opus" | "ac3" | "eac3" | "webvtt";

/**
 * One elementary stream. Immutable: a change of configuration makes a new track in a new `TrackSet`.
 *
 * `config`, the codec configuration record, by codec:
 * h264 AVCDecoderConfigurationRecord, h265 HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 sections 5.3.3, 8.3.3),
 * av1 AV1CodecConfigurationRecord (AV1-ISOBMFF 2.3), aac AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1),
 * opus the identification header `OpusHead...` (RFC 7845 5.1), ac3 and eac3 the payload of `dac3`/`dec3`
 * (ETSI TS 102 366 F.4, F.6), mp3 empty.
 */
export type Track = {
  readonly id: TrackId;
  readonly kind: TrackKind;
  readonly codec: Codec;
  /** Ticks per second of every time of this track. */
  readonly timescale: number;
  readonly config: Uint8Array;
  /** BCP 47 tag; `und` when it is not known. */
  readonly language: string;
  /** RFC 6381 codecs parameter, e.g. `avc1.64001f`. */
  readonly codecString: string;
  /** Coded picture size after cropping, in luma samples; 0 where it does not apply. */
  readonly width: number;
  readonly height: number;
  /** Frames per second as the bitstream states it; 0 when it does not. */
  readonly frameRate: number;
  /** Samples per second; 0 where it does not apply. */
  readonly sampleRate: number;
  readonly channels: number;
};

/**
 * The tracks of a stream at one time. Every change of any of them, and every break of the timeline, makes a new set
 * with the next epoch; packets carry the epoch, and whoever sees a new one sends the configuration first.
 */
export type TrackSet = {
  readonly epoch: number;
  readonly tracks: readonly Track[];
  /** The track on which GOPs start: the first video track, else the first track. */
  readonly reference: Track;
};

/** Makes a set. `tracks` is not empty. */
export function makeTrackSet(epoch: number, tracks: readonly Track[]): TrackSet {
  const reference = tracks.find((track) => track.kind === "video") ?? tracks[0];
  if (reference === undefined) throw new RangeError("a track set needs at least one track");
  return { epoch, tracks, reference };
}
