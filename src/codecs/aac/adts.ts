import { badUnit } from "../errors.ts";
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
