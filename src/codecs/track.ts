import { asMediaError } from "../base/errors.ts";
import { rescale } from "../base/time.ts";
import type { TrackId } from "../media/ids.ts";
import type { Codec, Track, TrackKind } from "../media/track.ts";
import { ac3UnitSamples } from "./ac3/ac3-config.ts";
import { parseAacConfig } from "./aac/audio-specific-config.ts";
import { badConfig, codecErrors } from "./errors.ts";
import { parseMp3Header } from "./mp3/frame-header.ts";
import { opusPacketSamples } from "./opus/packet-duration.ts";
import type { TrackFacts } from "./track-facts.ts";
import { readTrackFacts } from "./track-facts.ts";

/** What `buildTrack` needs to know. */
export type TrackOptions = {
  readonly id: TrackId;
  readonly codec: Codec;
  /** As `Track.config` describes it; may be empty where `firstFrame` tells: mp3, ac3, eac3, av1. */
  readonly config: Uint8Array;
  /** Ticks per second. When absent: 90000 for video, the sampling rate for audio, 1000 for text. */
  readonly timescale?: number;
  /** BCP 47 tag; `und` when absent or empty. */
  readonly language?: string;
  /** The first packet's payload: mp3, ac3, eac3 and av1 keep their facts there. */
  readonly firstFrame?: Uint8Array;
  /** What the container says, used only where codec configuration and first frame say nothing. */
  readonly fallback?: Partial<Pick<Track, "width" | "height" | "frameRate" | "sampleRate" | "channels">>;
};

const KINDS: Readonly<Record<Codec, TrackKind>> = {
  h264: "video",
  h265: "video",
  av1: "video",
  aac: "audio",
  mp3: "audio",
  opus: "audio",
  ac3: "audio",
  eac3: "audio",
  webvtt: "text",
};

/** Ticks per second of MPEG systems, the usual clock of video. Spec: ISO/IEC 13818-1 section 2.4.2.1. */
const VIDEO_TIMESCALE = 90_000;
const TEXT_TIMESCALE = 1000;
/** Longest configuration that is kept; real ones have tens of bytes. */
const MAX_CONFIG_BYTES = 256 * 1024;
const MAX_TIMESCALE = 0xffff_ffff;
const LANGUAGE = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}$/;

/** The kind of elementary stream that a codec makes. */
export function kindOf(codec: Codec): TrackKind {
  return KINDS[codec];
}

/**
 * Makes a track out of a codec configuration.
 *
 * H.264 and H.265: the track's `config` always says that NAL length fields have 4 bytes, as payloads do here. When
 * `nalLengthSize(config)` is not 4, the caller converts its samples with `toFourByteLengths`.
 * Ownership: `config` and `firstFrame` are copied or not retained.
 * Throws: CODEC_BAD_CONFIG, CODEC_UNSUPPORTED; CODEC_BAD_UNIT, when `firstFrame` was needed and is broken.
 */
export function buildTrack(options: TrackOptions): Track {
  const { id, codec, config, firstFrame } = options;
  if (config.byteLength > MAX_CONFIG_BYTES) throw badConfig(codec, "the configuration is too long");
  const facts = readTrackFacts(codec, config, firstFrame);
  const { fallback = {} } = options;
  const kind = KINDS[codec];
  const sampleRate = facts.sampleRate || (fallback.sampleRate ?? 0);
  return {
    id,
    kind,
    codec,
    timescale: checkedTimescale(options.timescale ?? defaultTimescale(kind, sampleRate), codec),
    config: facts.config,
    language: languageOf(options.language),
    codecString: facts.codecString,
    width: facts.width || (fallback.width ?? 0),
    height: facts.height || (fallback.height ?? 0),
    frameRate: facts.frameRate || (fallback.frameRate ?? 0),
    sampleRate,
    channels: facts.channels || (fallback.channels ?? 0),
  } satisfies Track & TrackFacts;
}

function defaultTimescale(kind: TrackKind, sampleRate: number): number {
  if (kind === "video") return VIDEO_TIMESCALE;
  return kind === "audio" ? sampleRate : TEXT_TIMESCALE;
}

function checkedTimescale(timescale: number, codec: Codec): number {
  if (Number.isInteger(timescale) && timescale > 0 && timescale <= MAX_TIMESCALE) return timescale;
  throw codecErrors.error("CODEC_UNSUPPORTED", {
    codec,
    reason: `no timescale or sampling rate (${timescale})`,
  });
}

function languageOf(tag: string | undefined): string {
  return tag !== undefined && LANGUAGE.test(tag) ? tag : "und";
}

/** Samples per frame of AAC tracks, which stand in the configuration; computed once per track. */
const aacFrameSamples = new WeakMap<Track, number>();

/**
 * How long one audio packet lasts, from the codec alone.
 *
 * Returns: 0 for video and text, for object types whose frames are not known, and for a broken packet.
 * Units: ticks of the track's timescale, rounded down; samples when the timescale is the sampling rate.
 */
export function frameDurationTicks(track: Track, payload: Uint8Array): number {
  const samples = frameSamples(track, payload);
  return track.sampleRate === 0 ? 0 : rescale(samples, track.sampleRate, track.timescale);
}

/** Samples of one packet of each codec; `null` where packets have no fixed duration. */
const SAMPLE_COUNTERS: Readonly<Record<Codec, ((track: Track, payload: Uint8Array) => number) | null>> = {
  h264: null,
  h265: null,
  av1: null,
  aac: aacSamples,
  mp3: (_track, payload) => parseMp3Header(payload)?.frameSamples ?? 0,
  opus: (_track, payload) => opusPacketSamples(payload),
  ac3: (_track, payload) => ac3UnitSamples(payload),
  eac3: (_track, payload) => ac3UnitSamples(payload),
  webvtt: null,
};

/** Samples per channel that one audio packet decodes to, at the track's `sampleRate`; 0 when unknown. */
export function frameSamples(track: Track, payload: Uint8Array): number {
  const counter = SAMPLE_COUNTERS[track.codec];
  if (counter === null) return 0;
  try {
    return counter(track, payload);
  } catch (caught) {
    if (asMediaError(caught) === null) throw caught;
    return 0;
  }
}

function aacSamples(track: Track): number {
  const known = aacFrameSamples.get(track);
  if (known !== undefined) return known;
  const samples = parseAacConfig(track.config).frameSamples;
  aacFrameSamples.set(track, samples);
  return samples;
}

const CODEC_NAMES: Readonly<Record<Codec, string>> = {
  h264: "H.264",
  h265: "H.265",
  av1: "AV1",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  ac3: "AC-3",
  eac3: "E-AC-3",
  webvtt: "WebVTT",
};

/** A track in words for log lines and pages, e.g. `H.264 1280x720 25 fps` or `AAC 48000 Hz 2 ch`. */
export function describeTrack(track: Track): string {
  const parts = [CODEC_NAMES[track.codec]];
  if (track.width > 0) parts.push(`${track.width}x${track.height}`);
  if (track.frameRate > 0) parts.push(`${Math.round(track.frameRate * 1000) / 1000} fps`);
  if (track.sampleRate > 0) parts.push(`${track.sampleRate} Hz`);
  if (track.channels > 0) parts.push(`${track.channels} ch`);
  if (track.language !== "und") parts.push(track.language);
  return parts.join(" ");
}
