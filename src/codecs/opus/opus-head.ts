import { badConfig, codecErrors } from "../errors.ts";

/** The identification header of an Opus stream. */
export type OpusHead = {
  readonly channels: number;
  /** Samples at 48 kHz that a decoder drops at the beginning. */
  readonly preSkip: number;
  /** Rate of the source, for information: Opus always decodes at 48 kHz. */
  readonly inputSampleRate: number;
  /** Q7.8 dB. */
  readonly outputGain: number;
  readonly mappingFamily: number;
  /** Stream count, coupled count and channel mapping as they stand in the header; empty for family 0. */
  readonly mapping: Uint8Array;
};

/** Samples per second of every Opus decoder. */
export const OPUS_SAMPLE_RATE = 48_000;

const MAGIC = "OpusHead";
const FIXED_BYTES = 19;

/**
 * Parses an `OpusHead` header.
 *
 * Ownership: `mapping` is a view of `bytes`. Throws: CODEC_BAD_CONFIG; CODEC_UNSUPPORTED for a version above 15.
 * Spec: RFC 7845 section 5.1. Integers are little-endian.
 */
export function parseOpusHead(bytes: Uint8Array): OpusHead {
  if (bytes.byteLength < FIXED_BYTES) throw badConfig("opus", "OpusHead is cut off");
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[i] !== MAGIC.charCodeAt(i)) throw badConfig("opus", "no OpusHead");
  }
  if (bytes[8]! > 15)
    throw codecErrors.error("CODEC_UNSUPPORTED", { codec: "opus", reason: `version ${bytes[8]}` });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels = bytes[9]!;
  const mappingFamily = bytes[18]!;
  if (channels === 0) throw badConfig("opus", "no channels");
  if (mappingFamily === 0 && channels > 2)
    throw badConfig("opus", "mapping family 0 has at most two channels");
  const mappingBytes = mappingFamily === 0 ? 0 : 2 + channels;
  if (bytes.byteLength < FIXED_BYTES + mappingBytes)
    throw badConfig("opus", "the channel mapping is cut off");
  return {
    channels,
    preSkip: view.getUint16(10, true),
    inputSampleRate: view.getUint32(12, true),
    outputGain: view.getInt16(16, true),
    mappingFamily,
    mapping: bytes.subarray(FIXED_BYTES, FIXED_BYTES + mappingBytes),
  };
}

/** Builds an `OpusHead` header. Spec: RFC 7845 section 5.1. */
export function buildOpusHead(head: OpusHead): Uint8Array {
  const bytes = new Uint8Array(FIXED_BYTES + head.mapping.byteLength);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < MAGIC.length; i++) bytes[i] = MAGIC.charCodeAt(i);
  bytes[8] = 1;
  bytes[9] = head.channels;
  view.setUint16(10, head.preSkip, true);
  view.setUint32(12, head.inputSampleRate, true);
  view.setInt16(16, head.outputGain, true);
  bytes[18] = head.mappingFamily;
  bytes.set(head.mapping, FIXED_BYTES);
  return bytes;
}

/**
 * Parses the payload of a `dOps` box into the same facts.
 * Ownership: `mapping` is a view. Throws: CODEC_BAD_CONFIG. Spec: Encapsulation of Opus in ISOBMFF 0.8.1, section 4.3.2.
 */
export function parseOpusSpecificBox(bytes: Uint8Array): OpusHead {
  if (bytes.byteLength < 11) throw badConfig("opus", "dOps is cut off");
  if (bytes[0] !== 0) throw badConfig("opus", `dOps has version ${bytes[0]}, not 0`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels = bytes[1]!;
  const mappingFamily = bytes[10]!;
  const mappingBytes = mappingFamily === 0 ? 0 : 2 + channels;
  if (channels === 0) throw badConfig("opus", "no channels");
  if (bytes.byteLength < 11 + mappingBytes) throw badConfig("opus", "the channel mapping is cut off");
  return {
    channels,
    preSkip: view.getUint16(2),
    inputSampleRate: view.getUint32(4),
    outputGain: view.getInt16(8),
    mappingFamily,
    mapping: bytes.subarray(11, 11 + mappingBytes),
  };
}

/** Builds the payload of a `dOps` box. Spec: Encapsulation of Opus in ISOBMFF 0.8.1, section 4.3.2. */
export function buildOpusSpecificBox(head: OpusHead): Uint8Array {
  const bytes = new Uint8Array(11 + head.mapping.byteLength);
  const view = new DataView(bytes.buffer);
  bytes[1] = head.channels;
  view.setUint16(2, head.preSkip);
  view.setUint32(4, head.inputSampleRate);
  view.setInt16(8, head.outputGain);
  bytes[10] = head.mappingFamily;
  bytes.set(head.mapping, 11);
  return bytes;
}
