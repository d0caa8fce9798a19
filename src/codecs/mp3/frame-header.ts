import { badUnit } from "../errors.ts";

/** One MPEG audio frame's header. */
export type Mp3Header = {
  /** 1, 2, or 2.5. */
  readonly version: 1 | 2 | 2.5;
  readonly layer: 1 | 2 | 3;
  /** 0 for the free format. */
  readonly bitrateBps: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Samples per frame and channel. */
  readonly frameSamples: number;
  /** The whole frame with its header; 0 for the free format. */
  readonly frameBytes: number;
};

const LOW_RATES_LAYERS_2_AND_3 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/**
 * kbit/s by bitrate_index: of MPEG-1, then of MPEG-2 and 2.5, layers I to III.
 * Spec: ISO/IEC 11172-3 section 2.4.2.3; ISO/IEC 13818-3 section 2.4.2.3.
 */
const BITRATES: readonly (readonly (readonly number[])[])[] = [
  [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    LOW_RATES_LAYERS_2_AND_3,
    LOW_RATES_LAYERS_2_AND_3,
  ],
];

/** Samples per second of MPEG-1; half for MPEG-2, a quarter for MPEG-2.5. */
const SAMPLE_RATES: readonly number[] = [44100, 48000, 32000];
const VERSIONS = [2.5, null, 2, 1] as const;
const LAYERS = [null, 3, 2, 1] as const;

/**
 * Parses an MPEG audio frame header (layers I to III, MPEG-1, 2 and 2.5).
 *
 * Returns: `null` while fewer than 4 bytes are there. Throws: CODEC_BAD_UNIT.
 * Spec: ISO/IEC 11172-3 section 2.4.1.3, 2.4.3.1; ISO/IEC 13818-3 section 2.4.1.3.
 */
export function parseMp3Header(bytes: Uint8Array, at = 0): Mp3Header | null {
  if (at + 4 > bytes.byteLength) return null;
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) throw badUnit("mp3", "no sync word");
  const version = VERSIONS[(bytes[at + 1]! >> 3) & 3]!;
  const layer = LAYERS[(bytes[at + 1]! >> 1) & 3]!;
  const rateBase = SAMPLE_RATES[(bytes[at + 2]! >> 2) & 3];
  if (version === null || layer === null) throw badUnit("mp3", "version or layer is reserved");
  if (rateBase === undefined) throw badUnit("mp3", "the sampling rate is reserved");
  const kilobits = BITRATES[version === 1 ? 0 : 1]![layer - 1]![bytes[at + 2]! >> 4];
  if (kilobits === undefined) throw badUnit("mp3", "the bit rate is reserved");
  const sampleRate = rateBase / (version === 1 ? 1 : version === 2 ? 2 : 4);
  const frameSamples = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const padding = (bytes[at + 2]! >> 1) & 1;
  const bitrateBps = kilobits * 1000;
  const slotBytes = layer === 1 ? 4 : 1;
  const slots = Math.floor((frameSamples / 8 / slotBytes) * (bitrateBps / sampleRate)) + padding;
  return {
    version,
    layer,
    bitrateBps,
    sampleRate,
    channels: bytes[at + 3]! >> 6 === 3 ? 1 : 2,
    frameSamples,
    frameBytes: bitrateBps === 0 ? 0 : slots * slotBytes,
  };
}

/**
 * The codecs parameter in the form of HLS: `mp4a.40.34` for layer III, 33 and 32 for II and I.
 *
 * RFC 6381 would also allow the object type indications `mp4a.6B` and `mp4a.69`. The choice is by the players: Chromium
 * takes MP3 in MP4 under no name at all by Media Source Extensions (only `audio/mpeg`), hls.js and Apple's players
 * know this name and drop a variant that has another.
 * Spec: RFC 6381 section 3.3; ISO/IEC 14496-3 Table 1.17 (object types 32 to 34).
 */
export function mp3CodecString(header: Mp3Header | null): string {
  return `mp4a.40.${31 + (header?.layer ?? 3)}`;
}
