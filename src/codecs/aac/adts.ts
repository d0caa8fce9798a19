import { badUnit } from "../errors.ts";
import type { AacConfig } from "./audio-specific-config.ts";
import { AAC_CHANNELS, AAC_SAMPLE_RATES } from "./tables.ts";

/** One ADTS frame's header. */
export type AdtsHeader = {
  /** Audio object type, e.g. 2 for AAC-LC. */
  readonly objectType: number;
  readonly sampleRate: number;
  /** 0 when a program config element in the frame lists the channels. */
  readonly channelConfig: number;
  readonly channels: number;
  /** 7, or 9 with a CRC. */
  readonly headerBytes: number;
  /** The whole frame, with its header. */
  readonly frameBytes: number;
  /** Raw data blocks of 1024 samples in the frame, 1 to 4. */
  readonly blocks: number;
};

/** Bytes of the header without CRC. */
export const ADTS_HEADER_BYTES = 7;

/** Longest frame, header and all, that the 13 bits of its length can say. */
export const MAX_ADTS_FRAME_BYTES = 0x1fff;

/**
 * Whether ADTS can say what the configuration says: one of the four oldest object types in frames of 1024 samples, a
 * sampling rate of the table and a channel configuration of 1 to 7.
 *
 * Channel configuration 0, a list of channels in the configuration alone, is left out: a decoder would look for that
 * list in the first frame. Spectral band replication is there all the same, found by the decoder in the frames.
 * Spec: ISO/IEC 14496-3 section 1.A.3.2.
 */
export function canFrameAdts(config: AacConfig): boolean {
  const { objectType, channelConfig, coreSampleRate, sampleRate, frameSamples } = config;
  const isTabled = AAC_SAMPLE_RATES.includes(coreSampleRate) && channelConfig >= 1 && channelConfig <= 7;
  const coreFrame = (frameSamples * coreSampleRate) / sampleRate;
  return isTabled && objectType >= 1 && objectType <= 4 && coreFrame === 1024;
}

/**
 * Makes the header of frames of this configuration, its length still 0; `setAdtsLength` sets that.
 *
 * Input: what `canFrameAdts` says yes to. Without CRC, one raw data block, buffer fullness of a variable rate.
 * Spec: ISO/IEC 14496-3 section 1.A.3.2.
 */
export function buildAdtsHeader(config: AacConfig): Uint8Array {
  const { objectType, channelConfig, coreSampleRate } = config;
  const rateIndex = AAC_SAMPLE_RATES.indexOf(coreSampleRate);
  return Uint8Array.of(
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (rateIndex << 2) | (channelConfig >> 2),
    (channelConfig & 3) << 6,
    0,
    0x1f,
    0xfc,
  );
}

/** Sets aac_frame_length of a header at an offset. Units: bytes, the header's own counted; at most 8191. */
export function setAdtsLength(bytes: Uint8Array, at: number, frameBytes: number): void {
  bytes[at + 3] = (bytes[at + 3]! & 0xfc) | (frameBytes >> 11);
  bytes[at + 4] = frameBytes >> 3;
  bytes[at + 5] = (bytes[at + 5]! & 0x1f) | ((frameBytes & 7) << 5);
}

/**
 * Parses an ADTS header at an offset.
 *
 * Returns: `null` while fewer than 7 bytes are there. Throws: CODEC_BAD_UNIT when there is no header at `at`.
 * Spec: ISO/IEC 14496-3 section 1.A.3.2 (adts_fixed_header, adts_variable_header).
 */
export function parseAdtsHeader(bytes: Uint8Array, at = 0): AdtsHeader | null {
  if (at + ADTS_HEADER_BYTES > bytes.byteLength) return null;
  const isSyncWord = bytes[at] === 0xff && (bytes[at + 1]! & 0xf6) === 0xf0;
  if (!isSyncWord) throw badUnit("aac", "no ADTS sync word");
  const headerBytes = (bytes[at + 1]! & 1) === 1 ? 7 : 9;
  const sampleRate = AAC_SAMPLE_RATES[(bytes[at + 2]! >> 2) & 15];
  if (sampleRate === undefined) throw badUnit("aac", "ADTS sampling rate is reserved");
  const channelConfig = ((bytes[at + 2]! & 1) << 2) | (bytes[at + 3]! >> 6);
  const frameBytes = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
  if (frameBytes < headerBytes) throw badUnit("aac", "ADTS frame is shorter than its header");
  return {
    objectType: (bytes[at + 2]! >> 6) + 1,
    sampleRate,
    channelConfig,
    channels: AAC_CHANNELS[channelConfig]!,
    headerBytes,
    frameBytes,
    blocks: (bytes[at + 6]! & 3) + 1,
  };
}
