import type { Codec, Track } from "../media/track.ts";
import { buildAc3Config, buildEac3Config, parseAc3Config, parseEac3Config } from "./ac3/ac3-config.ts";
import { parseAc3Frame } from "./ac3/syncframe.ts";
import { aacCodecString, parseAacConfig } from "./aac/audio-specific-config.ts";
import { av1CodecString, buildAv1Config, findAv1SequenceHeader, parseAv1Config } from "./av1/av1-config.ts";
import { badConfig } from "./errors.ts";
import { avcCodecString, parseAvcConfig } from "./h264/avc-config.ts";
import { parseH264Sps } from "./h264/sps.ts";
import { parseHevcConfig } from "./h265/hevc-config.ts";
import { hevcCodecString } from "./h265/profile-tier-level.ts";
import { parseH265Sps } from "./h265/sps.ts";
import { mp3CodecString, parseMp3Header } from "./mp3/frame-header.ts";
import { OPUS_SAMPLE_RATE, parseOpusHead } from "./opus/opus-head.ts";

/** The part of a track that its codec configuration decides. */
export type TrackFacts = Pick<
  Track,
  "config" | "codecString" | "width" | "height" | "frameRate" | "sampleRate" | "channels"
>;

type FactsReader = (config: Uint8Array, firstFrame: Uint8Array | undefined) => TrackFacts;

const NO_VIDEO = { width: 0, height: 0, frameRate: 0 } as const;
const NO_AUDIO = { sampleRate: 0, channels: 0 } as const;
const NOTHING = new Uint8Array(0);

const READERS: Readonly<Record<Codec, FactsReader>> = {
  h264: readH264,
  h265: readH265,
  av1: readAv1,
  aac: readAac,
  mp3: readMp3,
  opus: readOpus,
  ac3: readAc3,
  eac3: readEac3,
  webvtt: (config) => ({ config: config.slice(), codecString: "wvtt", ...NO_VIDEO, ...NO_AUDIO }),
};

/** Reads what a configuration says. Ownership: the result is a copy. Throws: CODEC_BAD_CONFIG, CODEC_BAD_UNIT. */
export function readTrackFacts(codec: Codec, config: Uint8Array, firstFrame?: Uint8Array): TrackFacts {
  return READERS[codec](config, firstFrame);
}

/**
 * Bytes of the NAL length fields that an avcC or hvcC record announces: 1, 2 or 4.
 * Returns: 4 for every other codec. Throws: CODEC_BAD_CONFIG.
 */
export function nalLengthSize(codec: Codec, config: Uint8Array): number {
  if (codec === "h264") return parseAvcConfig(config).nalLengthSize;
  return codec === "h265" ? parseHevcConfig(config).nalLengthSize : 4;
}

function readH264(record: Uint8Array): TrackFacts {
  const first = parseAvcConfig(record).sps[0]!;
  const { width, height, frameRate } = parseH264Sps(first);
  const config = record.slice();
  config[4]! |= 3; // lengthSizeMinusOne
  return { config, codecString: avcCodecString(first), width, height, frameRate, ...NO_AUDIO };
}

function readH265(record: Uint8Array): TrackFacts {
  const { ptl, width, height, frameRate } = parseH265Sps(parseHevcConfig(record).sps[0]!);
  const config = record.slice();
  config[0] = 1; // configurationVersion
  config[21]! |= 3; // lengthSizeMinusOne
  return { config, codecString: hevcCodecString(ptl), width, height, frameRate, ...NO_AUDIO };
}

function readAv1(record: Uint8Array, firstFrame: Uint8Array | undefined): TrackFacts {
  if (record.byteLength === 0 && firstFrame === undefined)
    throw badConfig("av1", "no configuration and no frame");
  const config = record.byteLength === 0 ? buildAv1Config(firstFrame!) : record.slice();
  const parsed = parseAv1Config(config);
  const sequence = parsed.sequence ?? (firstFrame === undefined ? null : findAv1SequenceHeader(firstFrame));
  const codecString = av1CodecString({ ...parsed, sequence });
  const { width = 0, height = 0, frameRate = 0 } = sequence ?? {};
  return { config, codecString, width, height, frameRate, ...NO_AUDIO };
}

function readAac(record: Uint8Array): TrackFacts {
  const parsed = parseAacConfig(record);
  const { sampleRate, channels } = parsed;
  return { config: record.slice(), codecString: aacCodecString(parsed), ...NO_VIDEO, sampleRate, channels };
}

function readMp3(_record: Uint8Array, firstFrame: Uint8Array | undefined): TrackFacts {
  const header = firstFrame === undefined ? null : parseMp3Header(firstFrame);
  const { sampleRate, channels } = header ?? NO_AUDIO;
  return { config: NOTHING, codecString: mp3CodecString(header), ...NO_VIDEO, sampleRate, channels };
}

function readOpus(record: Uint8Array): TrackFacts {
  const { channels } = parseOpusHead(record);
  return {
    config: record.slice(),
    codecString: "opus",
    ...NO_VIDEO,
    sampleRate: OPUS_SAMPLE_RATE,
    channels,
  };
}

function readAc3(record: Uint8Array, firstFrame: Uint8Array | undefined): TrackFacts {
  if (record.byteLength === 0 && firstFrame === undefined)
    throw badConfig("ac3", "no configuration and no frame");
  const config = record.byteLength === 0 ? buildAc3Config(firstFrame!) : record.slice();
  const { sampleRate, channels } = parseAc3Config(config);
  return { config, codecString: "ac-3", ...NO_VIDEO, sampleRate, channels };
}

function readEac3(record: Uint8Array, firstFrame: Uint8Array | undefined): TrackFacts {
  if (record.byteLength === 0 && firstFrame === undefined)
    throw badConfig("eac3", "no configuration and no frame");
  const config = record.byteLength === 0 ? buildEac3Config(firstFrame!) : record.slice();
  const { sampleRate, channels } = parseEac3Config(config);
  const heard =
    sampleRate > 0 || firstFrame === undefined ? sampleRate : (parseAc3Frame(firstFrame)?.sampleRate ?? 0);
  return { config, codecString: "ec-3", ...NO_VIDEO, sampleRate: heard, channels };
}
