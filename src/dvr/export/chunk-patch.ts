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
  /** Put between header and payload, as the begin of the first sample; 0: nothing is. Units: bytes. */
  readonly insertedBytes: number;
};

/** Fields of `tfhd`. Spec: ISO/IEC 14496-12 section 8.8.7.1. */
const BASE_DATA_OFFSET = 0x1;
const DESCRIPTION_INDEX = 0x2;
const DEFAULT_DURATION = 0x8;
const DEFAULT_SIZE = 0x10;

/** Fields of `trun`. Spec: ISO/IEC 14496-12 section 8.8.8.1. */
const DATA_OFFSET = 0x1;
const FIRST_SAMPLE_FLAGS = 0x4;
const SAMPLE_DURATION = 0x100;
const SAMPLE_SIZE = 0x200;

const MDAT_HEADER_BYTES = 8;

/** A `moof` may be as far from what the index says of its time: it has been rounded. */
const MAX_DRIFT_US = 1000;

/**
 * Changes a chunk's decode time, its sequence number and its sample description in place, and makes its first sample longer
 * by what is put in front of it.
 *
 * `head`: the chunk's first `PATCHED_BYTES`, or all of its header where that is shorter; all of it where something is put
 * behind it.
 * Returns: `null`, or a sentence about what is wrong with it; the bytes may have been changed in part then.
 * Spec: ISO/IEC 14496-12 sections 8.1.1, 8.8.4, 8.8.5, 8.8.7, 8.8.8, 8.8.12.
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
  const reason = patchTrack(head, tfhd, patch) ?? patchTime(head, tfdt, patch);
  if (reason !== null || patch.insertedBytes === 0) return reason;
  const trun = findAt(head, traf + 8, "trun", 20);
  if (trun === null) return 'its "traf" has no "trun" where it is to be';
  return patchFirstSample(head, tfhd, trun, patch.insertedBytes) ?? patchData(head, patch.insertedBytes);
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

function patchFirstSample(head: Uint8Array, tfhd: number, trun: number, bytes: number): string | null {
  const flags = readU32(head, trun + 8) & 0xff_ffff;
  const defaults = readU32(head, tfhd + 8) & 0xff_ffff;
  if ((flags & DATA_OFFSET) === 0) return "it does not say where its data begin";
  const perSample = trun + 20 + ((flags & FIRST_SAMPLE_FLAGS) === 0 ? 0 : 4);
  const ofDefault = tfhd + 16 + ((defaults & DESCRIPTION_INDEX) === 0 ? 0 : 4);
  if ((flags & SAMPLE_SIZE) !== 0) {
    const at = perSample + ((flags & SAMPLE_DURATION) === 0 ? 0 : 4);
    return addAt(head, at, trun + readU32(head, trun), bytes) ? null : 'its "trun" has no samples';
  }
  if (readU32(head, trun + 12) === 1 && (defaults & DEFAULT_SIZE) !== 0) {
    const at = ofDefault + ((defaults & DEFAULT_DURATION) === 0 ? 0 : 4);
    return addAt(head, at, tfhd + readU32(head, tfhd), bytes) ? null : 'its "tfhd" is too short';
  }
  // All are of one length, so none of them can get longer: what is put in belongs to none of them.
  addAt(head, trun + 16, trun + 20, bytes);
  return null;
}

/** Adds to a number of 32 bits, if it stands within its box. */
function addAt(head: Uint8Array, at: number, end: number, value: number): boolean {
  if (at + 4 > Math.min(end, head.byteLength)) return false;
  writeU32(head, at, readU32(head, at) + value);
  return true;
}

function patchData(head: Uint8Array, bytes: number): string | null {
  const mdat = head.byteLength - MDAT_HEADER_BYTES;
  const isThere = readU32(head, 0) === mdat && readFourCc(head, mdat + 4) === "mdat";
  if (!isThere || readU32(head, mdat) < MDAT_HEADER_BYTES) return 'its "mdat" is not behind its "moof"';
  writeU32(head, mdat, readU32(head, mdat) + bytes);
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
