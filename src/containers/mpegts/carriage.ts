import { asMediaError } from "../../base/errors.ts";
import { parseAacConfig } from "../../codecs/aac/audio-specific-config.ts";
import { canFrameAdts } from "../../codecs/aac/adts.ts";
import { parseOpusHead } from "../../codecs/opus/opus-head.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { threeLetterCode } from "../mp4/language-code.ts";
import { DESCRIPTOR, OPUS_EXTENSION, STREAM_TYPE } from "./layout.ts";

/** How the program map names a track. */
export type TsCarriage = {
  readonly pid: number;
  readonly streamType: number;
  /** stream_id of its PES packets. Spec: ISO/IEC 13818-1 table 2-22. */
  readonly streamId: number;
  /** ES_info descriptors, one behind the other. */
  readonly descriptors: Uint8Array;
};

/** The PID of the program map table. */
export const PMT_PID = 0x1000;

const FIRST_VIDEO_PID = 0x100;
const FIRST_AUDIO_PID = 0x200;
/** PIDs are made from the ordinals of ids; more than this would leave their ranges. */
const MAX_ORDINAL = 99;
const STREAM_ID = { private: 0xbd, audio: 0xc0, video: 0xe0 } as const;

/**
 * Whether the track can be carried: H.264, H.265, AAC with a channel configuration that ADTS can say, MP3, AC-3,
 * E-AC-3, and Opus of up to eight channels.
 *
 * AV1 is left out: its carriage in transport streams was never finished and no player that needs TS reads it; text too.
 * By the track alone, so that a playlist can say it without muxing.
 */
export function canCarryInTs(track: Track): boolean {
  const ordinal = ordinalOf(track);
  if (ordinal < 1 || ordinal > MAX_ORDINAL) return false;
  try {
    return streamTypeOf(track) !== null;
  } catch (caught) {
    if (asMediaError(caught) === null) throw caught;
    return false;
  }
}

/** The tracks of a set that are carried, in its order. */
export function carriedInTs(tracks: TrackSet): readonly Track[] {
  return tracks.tracks.filter(canCarryInTs);
}

/**
 * How a track that `canCarryInTs` is carried. The PID follows from the track's id alone, so that it is the same in
 * every selection of tracks, every segment and every pod.
 */
export function carriageOf(track: Track): TsCarriage {
  const streamType = streamTypeOf(track);
  if (streamType === null) throw new RangeError(`${track.codec} is not carried in a transport stream`);
  const index = ordinalOf(track) - 1;
  const isVideo = track.kind === "video";
  return {
    pid: (isVideo ? FIRST_VIDEO_PID : FIRST_AUDIO_PID) + index,
    streamType,
    streamId: streamIdOf(track, index),
    descriptors: descriptorsOf(track),
  };
}

function ordinalOf(track: Track): number {
  return Number(track.id.slice(1));
}

/** Throws: CODEC_BAD_CONFIG. */
function streamTypeOf(track: Track): number | null {
  switch (track.codec) {
    case "h264":
      return STREAM_TYPE.h264;
    case "h265":
      return STREAM_TYPE.h265;
    case "aac":
      return canFrameAdts(parseAacConfig(track.config)) ? STREAM_TYPE.adts : null;
    case "mp3":
      // MPEG-2's half rates have a type of their own.
      return track.sampleRate >= 32_000 ? STREAM_TYPE.mpeg1Audio : STREAM_TYPE.mpeg2Audio;
    case "ac3":
      return STREAM_TYPE.ac3;
    case "eac3":
      return STREAM_TYPE.eac3;
    case "opus":
      return opusChannelCode(track) === null ? null : STREAM_TYPE.private;
    default:
      return null;
  }
}

function streamIdOf(track: Track, index: number): number {
  if (track.kind === "video") return STREAM_ID.video | (index & 0x0f);
  const isMpeg = track.codec === "aac" || track.codec === "mp3";
  return isMpeg ? STREAM_ID.audio | (index & 0x1f) : STREAM_ID.private;
}

/** channel_config_code: the channels of mapping families 0 and 1. Spec: Opus in MPEG-2 TS, section on descriptors. */
function opusChannelCode(track: Track): number | null {
  const { channels, mappingFamily } = parseOpusHead(track.config);
  return mappingFamily <= 1 && channels <= 8 ? channels : null;
}

const REGISTRATIONS: Partial<Record<Track["codec"], string>> = {
  h265: "HEVC",
  ac3: "AC-3",
  eac3: "EAC3",
  opus: "Opus",
};

/** Spec: ISO/IEC 13818-1 sections 2.6.8 (registration), 2.6.18 (ISO 639 language). */
function descriptorsOf(track: Track): Uint8Array {
  const bytes: number[] = [];
  const registration = REGISTRATIONS[track.codec];
  if (registration !== undefined) bytes.push(DESCRIPTOR.registration, 4, ...Buffer.from(registration));
  if (track.codec === "opus")
    bytes.push(DESCRIPTOR.dvbExtension, 2, OPUS_EXTENSION, opusChannelCode(track) ?? 0);
  const language = threeLetterCode(track.language);
  if (track.kind === "audio" && language !== "und")
    bytes.push(DESCRIPTOR.language, 4, ...Buffer.from(language), 0);
  return Uint8Array.from(bytes);
}
