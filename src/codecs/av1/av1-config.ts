import { asMediaError } from "../../base/errors.ts";
import { badConfig } from "../errors.ts";
import { AV1_OBU, findObu } from "./obu.ts";
import type { Av1SequenceHeader } from "./sequence-header.ts";
import { parseAv1SequenceHeader } from "./sequence-header.ts";

/** AV1CodecConfigurationRecord. */
export type Av1Config = {
  readonly profile: number;
  readonly level: number;
  readonly tier: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly isMonochrome: boolean;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  readonly chromaSamplePosition: number;
  /** Of the configOBUs; `null` when the record has none. */
  readonly sequence: Av1SequenceHeader | null;
};

const RECORD_BYTES = 4;
/** Longest record; configOBUs hold one sequence header and metadata. */
const MAX_RECORD_BYTES = 64 * 1024;

/**
 * Parses an av1C record.
 *
 * Throws: CODEC_BAD_CONFIG, also for broken configOBUs.
 * Spec: AV1 Codec ISO Media File Format Binding section 2.3.3.
 */
export function parseAv1Config(bytes: Uint8Array): Av1Config {
  if (bytes.byteLength < RECORD_BYTES) throw badConfig("av1", "av1C is cut off");
  if (bytes.byteLength > MAX_RECORD_BYTES) throw badConfig("av1", "av1C is too long");
  if (bytes[0] !== 0x81) throw badConfig("av1", "av1C has no marker or another version than 1");
  const flags = bytes[2]!;
  const isHighDepth = (flags & 0x40) !== 0;
  return {
    profile: bytes[1]! >> 5,
    level: bytes[1]! & 0x1f,
    tier: flags >> 7,
    bitDepth: isHighDepth ? ((flags & 0x20) !== 0 ? 12 : 10) : 8,
    isMonochrome: (flags & 0x10) !== 0,
    subsamplingX: (flags >> 3) & 1,
    subsamplingY: (flags >> 2) & 1,
    chromaSamplePosition: flags & 3,
    sequence: findAv1SequenceHeader(bytes.subarray(RECORD_BYTES)),
  };
}

/** The first sequence header among OBUs, parsed, or `null`. Throws: CODEC_BAD_CONFIG. */
export function findAv1SequenceHeader(obus: Uint8Array): Av1SequenceHeader | null {
  try {
    const obu = findObu(obus, AV1_OBU.sequenceHeader);
    return obu === null ? null : parseAv1SequenceHeader(obus.subarray(obu.payload, obu.end));
  } catch (caught) {
    const error = asMediaError(caught);
    throw error === null || error.code === "CODEC_BAD_CONFIG" ? caught : badConfig("av1", error.message);
  }
}

/**
 * Builds an av1C record with its sequence header inside.
 *
 * Input: OBUs among which a sequence header is, e.g. the first temporal unit. Throws: CODEC_BAD_CONFIG.
 * Spec: AV1 Codec ISO Media File Format Binding section 2.3.3.
 */
export function buildAv1Config(obus: Uint8Array): Uint8Array {
  const sequence = findAv1SequenceHeader(obus);
  if (sequence === null) throw badConfig("av1", "no sequence header to build av1C from");
  const obu = findObu(obus, AV1_OBU.sequenceHeader)!;
  const payload = obus.subarray(obu.payload, obu.end);
  // The record's OBUs have size fields; one or two bytes of leb128 hold every sequence header that is read.
  const sizeField =
    payload.byteLength < 128
      ? [payload.byteLength]
      : [(payload.byteLength & 0x7f) | 0x80, payload.byteLength >> 7];
  const header = [(AV1_OBU.sequenceHeader << 3) | 2, ...sizeField];
  const bytes = new Uint8Array(RECORD_BYTES + header.length + payload.byteLength);
  const { color } = sequence;
  const depthBits = color.bitDepth === 12 ? 0x60 : color.bitDepth === 10 ? 0x40 : 0;
  const chromaBits = (color.subsamplingX << 3) | (color.subsamplingY << 2) | color.chromaSamplePosition;
  bytes[0] = 0x81;
  bytes[1] = (sequence.profile << 5) | sequence.level;
  bytes[2] = (sequence.tier << 7) | depthBits | (color.isMonochrome ? 0x10 : 0) | chromaBits;
  bytes.set(header, RECORD_BYTES);
  bytes.set(payload, RECORD_BYTES + header.length);
  return bytes;
}

/**
 * The codecs parameter: `av01.P.LLT.DD`, and the long form with chroma and colour when any of those is not the default
 * (4:2:0, BT.709 or unspecified, limited range).
 * Spec: AV1 Codec ISO Media File Format Binding section 5.
 */
export function av1CodecString(config: Av1Config): string {
  const level = String(config.level).padStart(2, "0");
  const depth = String(config.bitDepth).padStart(2, "0");
  const short = `av01.${config.profile}.${level}${config.tier === 1 ? "H" : "M"}.${depth}`;
  const color = config.sequence?.color;
  const { primaries = 1, transfer = 1, matrix = 1, isFullRange = false } = color ?? {};
  const isPlainColor =
    [primaries, transfer, matrix].every((point) => point === 1 || point === 2) && !isFullRange;
  const isPlainChroma = !config.isMonochrome && config.subsamplingX === 1 && config.subsamplingY === 1;
  if (isPlainColor && isPlainChroma && config.chromaSamplePosition === 0) return short;
  const position = config.subsamplingX === 1 && config.subsamplingY === 1 ? config.chromaSamplePosition : 0;
  const chroma = `${config.subsamplingX}${config.subsamplingY}${position}`;
  const points = [primaries, transfer, matrix].map((point) => String(point).padStart(2, "0")).join(".");
  return `${short}.${config.isMonochrome ? 1 : 0}.${chroma}.${points}.${isFullRange ? 1 : 0}`;
}
