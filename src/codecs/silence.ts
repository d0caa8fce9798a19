import type { Track } from "../media/track.ts";
import { buildAacSilence } from "./aac/silence.ts";
import { parseAacConfig } from "./aac/audio-specific-config.ts";
import { buildMp3Silence } from "./mp3/silence.ts";
import { OPUS_SAMPLE_RATE } from "./opus/opus-head.ts";
import { OPUS_SILENCE_SAMPLES, buildOpusSilence } from "./opus/silence.ts";

/** One frame in which nothing is heard. */
export type SilentFrame = {
  /** Shared: never written to. */
  readonly payload: Uint8Array;
  /** What it lasts, in samples of `sampleRate`. */
  readonly samples: number;
  readonly sampleRate: number;
};

/** Layers of MPEG audio by their name in the codecs parameter; see `mp3CodecString`. */
const LAYERS: Readonly<Record<string, 2 | 3>> = { "mp4a.40.33": 2, "mp4a.40.34": 3 };

/**
 * The frame of silence that fits between the frames of an audio track, made by its configuration.
 *
 * Returns: `null` for codecs and configurations of which none is known: AC-3 and E-AC-3, whose frames would have to be
 * coded for each rate and mode; AAC other than LC with or without band replication; more than 16 streams of Opus.
 */
export function silentFrameOf(track: Track): SilentFrame | null {
  try {
    if (track.codec === "aac") return aacSilence(track.config);
    if (track.codec === "mp3") return mp3Silence(track);
    return track.codec === "opus" ? opusSilence(track.config) : null;
  } catch {
    // A configuration that its own parser refuses has no silence either.
    return null;
  }
}

function aacSilence(bytes: Uint8Array): SilentFrame | null {
  const config = parseAacConfig(bytes);
  const payload = buildAacSilence(config);
  const { sampleRate, frameSamples } = config;
  return payload === null ? null : { payload, samples: frameSamples, sampleRate };
}

function mp3Silence({ codecString, sampleRate, channels }: Track): SilentFrame | null {
  const layer = LAYERS[codecString];
  if (layer === undefined) return null;
  const payload = buildMp3Silence({ layer, sampleRate, channels: channels === 1 ? 1 : 2 });
  const samples = layer === 3 && sampleRate < 32_000 ? 576 : 1152;
  return payload === null ? null : { payload, samples, sampleRate };
}

/** More streams than real ones have: a header may claim 255. */
const MAX_OPUS_STREAMS_BYTES = 64;

function opusSilence(config: Uint8Array): SilentFrame | null {
  const payload = buildOpusSilence(config);
  if (payload.byteLength === 0 || payload.byteLength > MAX_OPUS_STREAMS_BYTES) return null;
  return { payload, samples: OPUS_SILENCE_SAMPLES, sampleRate: OPUS_SAMPLE_RATE };
}
