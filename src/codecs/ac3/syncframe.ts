import { BitReader } from "../../base/bits.ts";
import { badUnit } from "../errors.ts";

/** One syncframe of AC-3 or Enhanced AC-3. */
export type Ac3Frame = {
  readonly isEnhanced: boolean;
  /** 0 independent, 1 dependent, 2 converted from AC-3; 0 for AC-3. */
  readonly streamType: number;
  readonly substreamId: number;
  readonly frameBytes: number;
  /** 0 48 kHz, 1 44.1 kHz, 2 32 kHz, 3 half of those (Enhanced only). */
  readonly sampleRateCode: number;
  readonly sampleRate: number;
  /** Samples per channel. */
  readonly samples: number;
  readonly bitstreamId: number;
  readonly bitstreamMode: number;
  /** Audio coding mode (acmod): which of the channels there are. */
  readonly codingMode: number;
  readonly hasLfe: boolean;
  /** acmod and LFE counted; channels of a dependent substream that replace others are counted too. */
  readonly channels: number;
  /** frmsizecod of AC-3; 0 for Enhanced. */
  readonly frameSizeCode: number;
  /** chanmap of a dependent substream; 0 when there is none. Bit 15 is the left channel. */
  readonly channelMap: number;
};

const SYNC_WORD = 0x0b77;
/** Bytes that hold every field that is read. */
const HEADER_BYTES = 16;
const SAMPLE_RATES: readonly number[] = [48_000, 44_100, 32_000];
/** Channels by acmod, without LFE. Spec: ETSI TS 102 366 Table 4.3. */
const MODE_CHANNELS: readonly number[] = [2, 1, 2, 3, 3, 4, 4, 5];
/** kbit/s by frmsizecod >> 1. Spec: ETSI TS 102 366 Table 4.13. */
export const AC3_KILOBITS: readonly number[] = [
  32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];
const BLOCK_SAMPLES = 256;
const BLOCKS = [1, 2, 3, 6] as const;

/**
 * Parses the syncframe header at an offset.
 *
 * Returns: `null` while fewer than 16 bytes are there, which every frame has. Throws: CODEC_BAD_UNIT.
 * Spec: ETSI TS 102 366 sections 4.3.1, 4.3.2 (AC-3), E.1.2.1, E.1.2.2 (Enhanced AC-3).
 */
export function parseAc3Frame(bytes: Uint8Array, at = 0): Ac3Frame | null {
  if (at + HEADER_BYTES > bytes.byteLength) return null;
  const bits = new BitReader(bytes.subarray(at, at + HEADER_BYTES));
  if (bits.read(16) !== SYNC_WORD) throw badUnit("ac3", "no sync word");
  const bitstreamId = bytes[at + 5]! >> 3; // bsid stands at the same place in both
  if (bitstreamId <= 8) return parsePlain(bits);
  if (bitstreamId > 10 && bitstreamId <= 16) return parseEnhanced(bits);
  throw badUnit("ac3", `bit stream identification ${bitstreamId} is reserved`);
}

function parsePlain(bits: BitReader): Ac3Frame {
  bits.skip(16); // crc1
  const sampleRateCode = bits.read(2);
  const frameSizeCode = bits.read(6);
  const bitstreamId = bits.read(5);
  const bitstreamMode = bits.read(3);
  const codingMode = bits.read(3);
  if ((codingMode & 1) === 1 && codingMode !== 1) bits.skip(2); // cmixlev
  if ((codingMode & 4) !== 0) bits.skip(2); // surmixlev
  if (codingMode === 2) bits.skip(2); // dsurmod
  const hasLfe = bits.flag();
  const fullRate = SAMPLE_RATES[sampleRateCode];
  const kilobits = AC3_KILOBITS[frameSizeCode >> 1];
  if (fullRate === undefined || kilobits === undefined)
    throw badUnit("ac3", "sampling rate or frame size is reserved");
  const words = Math.floor((kilobits * 96_000) / fullRate) + (sampleRateCode === 1 ? frameSizeCode & 1 : 0);
  return {
    isEnhanced: false,
    streamType: 0,
    substreamId: 0,
    frameBytes: words * 2,
    sampleRateCode,
    // bsid 9 and 10 halve the rate in some streams; only up to 8 is standard and gets here.
    sampleRate: fullRate,
    samples: 6 * BLOCK_SAMPLES,
    bitstreamId,
    bitstreamMode,
    codingMode,
    hasLfe,
    channels: MODE_CHANNELS[codingMode]! + (hasLfe ? 1 : 0),
    frameSizeCode,
    channelMap: 0,
  };
}

function parseEnhanced(bits: BitReader): Ac3Frame {
  const streamType = bits.read(2);
  const substreamId = bits.read(3);
  const frameBytes = (bits.read(11) + 1) * 2;
  const sampleRateCode = bits.read(2);
  const halfCode = bits.read(2); // fscod2, or numblkscod
  const codingMode = bits.read(3);
  const hasLfe = bits.flag();
  const bitstreamId = bits.read(5);
  const isHalf = sampleRateCode === 3;
  const rate = SAMPLE_RATES[isHalf ? halfCode : sampleRateCode];
  if (rate === undefined || streamType === 3)
    throw badUnit("ac3", "sampling rate or stream type is reserved");
  if (frameBytes < HEADER_BYTES) throw badUnit("ac3", "the frame is shorter than its header");
  return {
    isEnhanced: true,
    streamType,
    substreamId,
    frameBytes,
    sampleRateCode,
    sampleRate: isHalf ? rate / 2 : rate,
    samples: (isHalf ? 6 : BLOCKS[halfCode]!) * BLOCK_SAMPLES,
    bitstreamId,
    bitstreamMode: 0,
    codingMode,
    hasLfe,
    channels: MODE_CHANNELS[codingMode]! + (hasLfe ? 1 : 0),
    frameSizeCode: 0,
    channelMap: streamType === 1 ? readChannelMap(bits, codingMode) : 0,
  };
}

/** Spec: ETSI TS 102 366 section E.1.2.2: dialnorm, compr and chanmap. */
function readChannelMap(bits: BitReader, codingMode: number): number {
  const programs = codingMode === 0 ? 2 : 1;
  for (let i = 0; i < programs; i++) {
    bits.skip(5); // dialnorm
    if (bits.flag()) bits.skip(8); // compr
  }
  return bits.flag() ? bits.read(16) : 0;
}
