import { boxError } from "./box-reader.ts";
import type { Box } from "./box-reader.ts";

/** What an `esds` box says of the codec. */
export type EsDescriptor = {
  /** objectTypeIndication. */
  readonly objectType: number;
  /** `null` when the object type is none that is served. */
  readonly codec: "aac" | "mp3" | null;
  /** DecoderSpecificInfo: the AudioSpecificConfig of AAC; empty for MP3. */
  readonly config: Uint8Array;
};

const ES_DESCRIPTOR = 0x03;
const DECODER_CONFIG = 0x04;
const DECODER_SPECIFIC_INFO = 0x05;
const AAC_OBJECT_TYPES = [0x40, 0x66, 0x67, 0x68];
const MP3_OBJECT_TYPES = [0x69, 0x6b];

/**
 * Reads the elementary stream descriptor of an `esds` box.
 *
 * Throws: MP4_BAD_BOX when the descriptors do not nest as they must, or AAC has no AudioSpecificConfig.
 * Spec: ISO/IEC 14496-1 sections 7.2.6.5, 7.2.6.6; 8.3.3 for the lengths.
 */
export function readEsDescriptor(esds: Box): EsDescriptor {
  const es = descriptorAt(esds, esds.start + 4, esds.end, ES_DESCRIPTOR);
  const flags = esds.bytes[es.start + 2] ?? 0;
  let at = es.start + 3;
  if ((flags & 0x80) !== 0) at += 2;
  if ((flags & 0x40) !== 0) at += 1 + (esds.bytes[at] ?? 0);
  if ((flags & 0x20) !== 0) at += 2;
  const decoder = descriptorAt(esds, at, es.end, DECODER_CONFIG);
  if (decoder.end - decoder.start < 13) throw boxError(esds, "its decoder configuration is too short");
  const objectType = esds.bytes[decoder.start]!;
  if (MP3_OBJECT_TYPES.includes(objectType)) return { objectType, codec: "mp3", config: new Uint8Array(0) };
  if (!AAC_OBJECT_TYPES.includes(objectType)) return { objectType, codec: null, config: new Uint8Array(0) };
  const specific = descriptorAt(esds, decoder.start + 13, decoder.end, DECODER_SPECIFIC_INFO);
  return { objectType, codec: "aac", config: esds.bytes.slice(specific.start, specific.end) };
}

/** The contents of the descriptor with this tag at `at`: a tag byte, then a length of up to four 7-bit groups. */
function descriptorAt(esds: Box, at: number, end: number, tag: number): { start: number; end: number } {
  if (at >= end || esds.bytes[at] !== tag)
    throw boxError(esds, `it has no descriptor ${tag} where one must be`);
  let lengthBytes = 0;
  let start = at + 1;
  for (let i = 0; i < 4; i++) {
    if (start >= end) throw boxError(esds, `its descriptor ${tag} is cut off`);
    const byte = esds.bytes[start++]!;
    lengthBytes = lengthBytes * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) break;
  }
  if (lengthBytes > end - start) throw boxError(esds, `its descriptor ${tag} is longer than what holds it`);
  return { start, end: start + lengthBytes };
}
