import { writeFourCc, writeU32, writeU64 } from "../../base/bytes.ts";

/** A `sidx` counts its references in 16 bits. */
export const MAX_SEGMENT_REFERENCES = 0xffff;
/** referenced_size has 31 bits. */
export const MAX_REFERENCED_BYTES = 0x7fff_ffff;

/** What a `sidx` tells of the media behind it, as columns of equal lengths. */
export type SegmentIndex = {
  /** track_ID of the track whose times these are. */
  readonly trackNumber: number;
  readonly timescale: number;
  /** When the first subsegment begins on the presentation timeline. Units: ticks. */
  readonly earliestTicks: number;
  /** Between the end of the `sidx` and the first subsegment. */
  readonly firstOffsetBytes: number;
  /** Bytes of the subsegments, which lie one behind the other. */
  readonly sizes: Uint32Array;
  /** Ticks. */
  readonly durations: Uint32Array;
  /** 1 for a subsegment that begins with a random access point, of whatever type. */
  readonly startsWithSap: Uint8Array;
};

const FIXED_BYTES = 40;
const REFERENCE_BYTES = 12;
/** starts_with_SAP; SAP_type is 0, unknown: key frames of open GOPs are there too. */
const STARTS_WITH_SAP = 0x8000_0000;

/** Bytes of a `sidx` with so many references. */
export function segmentIndexBytes(references: number): number {
  return FIXED_BYTES + references * REFERENCE_BYTES;
}

/**
 * Builds a `sidx`: where each subsegment is, and when it plays.
 *
 * Ownership: the result is new. Throws: RangeError for more references, or for longer ones, than there is room for: that
 * is the caller's mistake.
 * Spec: ISO/IEC 14496-12 section 8.16.3.
 */
export function buildSegmentIndex(index: SegmentIndex): Uint8Array {
  const { sizes, durations, startsWithSap } = index;
  const count = sizes.length;
  if (count > MAX_SEGMENT_REFERENCES) throw new RangeError(`${count} references in one sidx`);
  const box = new Uint8Array(segmentIndexBytes(count));
  writeU32(box, 0, box.byteLength);
  writeFourCc(box, 4, "sidx");
  box[8] = 1; // version
  writeU32(box, 12, index.trackNumber); // reference_ID
  writeU32(box, 16, index.timescale);
  writeU64(box, 20, index.earliestTicks); // earliest_presentation_time
  writeU64(box, 28, index.firstOffsetBytes); // first_offset
  writeU32(box, 36, count); // reserved, reference_count
  for (let i = 0, at = FIXED_BYTES; i < count; i++, at += REFERENCE_BYTES) {
    if (sizes[i]! > MAX_REFERENCED_BYTES) throw new RangeError(`a reference to ${sizes[i]} bytes`);
    writeU32(box, at, sizes[i]!); // reference_type 0: media
    writeU32(box, at + 4, durations[i]!);
    writeU32(box, at + 8, startsWithSap[i] === 1 ? STARTS_WITH_SAP : 0);
  }
  return box;
}
