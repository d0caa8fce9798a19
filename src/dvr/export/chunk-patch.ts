import { readFourCc, readU32, readU64, writeU32, writeU64 } from "../../base/bytes.ts";
import { ticksToUs } from "../../base/time.ts";

/**
 * So many bytes at a chunk's begin hold all that is changed in it. The writer's own have 100 at most: `moof`, `mfhd`,
 * `traf`, `tfhd` with all its fields, `tfdt`.
 */
export const PATCHED_BYTES = 256;

/** What a chunk is to say in a file that it is put into. */
export type ChunkPatch = {
  /** sequence_number of its fragment. */
  readonly sequence: number;
  readonly trackNumber: number;
  readonly timescale: number;
  /** Added to its decode time. Units: ticks. */
  readonly shiftTicks: number;
  /** sample_description_index, from 1 on. */
  readonly description: number;
  /** Where the index says that it begins. Units: microseconds, media clock. */
  readonly startUs: number;
};

/** Fields of `tfhd`. Spec: ISO/IEC 14496-12 section 8.8.7.1. */
const BASE_DATA_OFFSET = 0x1;
const DESCRIPTION_INDEX = 0x2;

/** A `moof` may be as far from what the index says of its time: it has been rounded. */
const MAX_DRIFT_US = 1000;

/**
 * Changes a chunk's decode time, its sequence number and its sample description in place.
 *
 * `head`: the chunk's first `PATCHED_BYTES`, or all of its header where that is shorter.
 * Returns: `null`, or a sentence about what is wrong with it; the bytes may have been changed in part then.
 * Spec: ISO/IEC 14496-12 sections 8.8.4, 8.8.5, 8.8.7, 8.8.12.
 */
export function patchChunk(head: Uint8Array, patch: ChunkPatch): string | null {
  if (head.byteLength < 8 || readFourCc(head, 4) !== "moof") return 'there is no "moof"';
  const mfhd = findAt(head, 8, "mfhd", 16);
  const traf = findAt(head, 8, "traf", 8);
  if (mfhd === null || traf === null) return 'its "moof" has no "mfhd" or no "traf" where they are to be';
  const tfhd = findAt(head, traf + 8, "tfhd", 16);
  const tfdt = findAt(head, traf + 8, "tfdt", 16);
  if (tfhd === null || tfdt === null) return 'its "traf" has no "tfhd" or no "tfdt" where they are to be';
  writeU32(head, mfhd + 12, patch.sequence);
  return patchTrack(head, tfhd, patch) ?? patchTime(head, tfdt, patch);
}

function patchTrack(head: Uint8Array, tfhd: number, patch: ChunkPatch): string | null {
  const flags = readU32(head, tfhd + 8) & 0xff_ffff;
  const number = readU32(head, tfhd + 12);
  if (number !== patch.trackNumber) return `it is of track ${number}, not ${patch.trackNumber}`;
  if ((flags & BASE_DATA_OFFSET) !== 0) return "its data lie at an absolute place";
  if ((flags & DESCRIPTION_INDEX) !== 0) {
    if (readU32(head, tfhd) < 20) return 'its "tfhd" is too short';
    writeU32(head, tfhd + 16, patch.description);
    return null;
  }
  return patch.description === 1 ? null : 'its "tfhd" has no place for the sample description';
}

function patchTime(head: Uint8Array, tfdt: number, patch: ChunkPatch): string | null {
  const isLong = head[tfdt + 8] === 1;
  if (isLong && readU32(head, tfdt) < 20) return 'its "tfdt" is too short';
  const dts = isLong ? readU64(head, tfdt + 12) : readU32(head, tfdt + 12);
  const driftUs = ticksToUs(dts, patch.timescale) - patch.startUs;
  // In this form a value that is no number is refused as well.
  if (!(Math.abs(driftUs) <= MAX_DRIFT_US)) return `it begins ${driftUs} us from where it should`;
  const moved = Math.max(0, dts + patch.shiftTicks);
  if (isLong) writeU64(head, tfdt + 12, moved);
  else if (moved <= 0xffff_ffff) writeU32(head, tfdt + 12, moved);
  else return "its time has 32 bits, which is too few";
  return null;
}

/**
 * The place of the first box of a type among those that follow each other from `at` on; `null` when it does not begin, with
 * `lengthBytes` at least, within `head`.
 */
function findAt(head: Uint8Array, at: number, type: string, lengthBytes: number): number | null {
  while (at + lengthBytes <= head.byteLength) {
    const sizeBytes = readU32(head, at);
    if (sizeBytes < 8) return null;
    if (readFourCc(head, at + 4) === type) {
      // The longer form of a box, with four bytes more, is as far as anything here is read.
      const neededBytes = Math.min(sizeBytes, lengthBytes + 4);
      return sizeBytes >= lengthBytes && at + neededBytes <= head.byteLength ? at : null;
    }
    at += sizeBytes;
  }
  return null;
}
