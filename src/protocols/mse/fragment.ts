/**
 * Fragments of one frame, in the fixed layout that players of this protocol read by place.
 *
 * | bytes   | box  | what players read                                                     |
 * | ------- | ---- | --------------------------------------------------------------------- |
 * | 0-23    | moof, mfhd | sequence number at 20                                           |
 * | 24-31   | traf |                                                                       |
 * | 32-59   | tfhd | track_ID at 44, so its last byte at 47; default duration, size, flags |
 * | 60-79   | tfdt | decode time at 72, 64 bits                                            |
 * | 80-99   | futc | UTC of the frame: seconds at 92, microseconds at 96                   |
 * | 100-123 | trun | data offset, composition offset                                       |
 * | 124-131 | mdat |                                                                       |
 */
import { writeFourCc, writeU32, writeU64 } from "../../base/bytes.ts";

/** Bytes in front of the frame's own. */
export const FRAGMENT_HEADER_BYTES = 132;

const MOOF_BYTES = 124;
const TFHD = 32;
const TFDT = 60;
const FUTC = 80;
const TRUN = 100;

/** default-base-is-moof; default duration, size and flags are there. Spec: ISO/IEC 14496-12 section 8.8.7.1. */
const TFHD_FLAGS = 0x2_0038;
/** data_offset, sample_composition_time_offset. Spec: ISO/IEC 14496-12 section 8.8.8.1. */
const TRUN_FLAGS = 0x801;
/** sample_depends_on 2 (on no other). Spec: ISO/IEC 14496-12 section 8.8.3.1. */
const SYNC_SAMPLE = 0x0200_0000;
/** sample_depends_on 1, sample_is_non_sync_sample. */
const NON_SYNC_SAMPLE = 0x0101_0000;

/** What never changes; the changing fields are zero. */
const TEMPLATE = makeTemplate();

/** One frame of one track. */
export type FrameFacts = {
  /** track_ID, up to 255: players read one byte of it. */
  readonly trackNumber: number;
  readonly sequence: number;
  /** Ticks of the track, as `durationTicks` and `ctsOffset` (`pts - dts`). */
  readonly dts: number;
  readonly durationTicks: number;
  readonly ctsOffset: number;
  readonly isSync: boolean;
  readonly sizeBytes: number;
  /** Microseconds since 1970. */
  readonly utcUs: number;
};

/**
 * Writes what stands in front of the bytes of one frame. Spec: ISO/IEC 14496-12 sections 8.8.4 to 8.8.8, 8.8.12, 8.1.1.
 */
export function writeFragmentHeader(out: Uint8Array, at: number, frame: FrameFacts): void {
  out.set(TEMPLATE, at);
  writeU32(out, at + 20, frame.sequence);
  writeU32(out, at + TFHD + 12, frame.trackNumber);
  writeU32(out, at + TFHD + 16, frame.durationTicks);
  writeU32(out, at + TFHD + 20, frame.sizeBytes);
  writeU32(out, at + TFHD + 24, frame.isSync ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
  writeU64(out, at + TFDT + 12, frame.dts);
  const seconds = Math.floor(frame.utcUs / 1_000_000);
  writeU32(out, at + FUTC + 12, seconds);
  writeU32(out, at + FUTC + 16, frame.utcUs - seconds * 1_000_000);
  writeU32(out, at + TRUN + 20, frame.ctsOffset);
  writeU32(out, at + MOOF_BYTES, frame.sizeBytes + 8);
}

function makeTemplate(): Uint8Array {
  const out = new Uint8Array(FRAGMENT_HEADER_BYTES);
  const box = (at: number, sizeBytes: number, type: string): void => {
    writeU32(out, at, sizeBytes);
    writeFourCc(out, at + 4, type);
  };
  box(0, MOOF_BYTES, "moof");
  box(8, 16, "mfhd");
  box(24, MOOF_BYTES - 24, "traf");
  box(TFHD, 28, "tfhd");
  writeU32(out, TFHD + 8, TFHD_FLAGS);
  box(TFDT, 20, "tfdt");
  out[TFDT + 8] = 1; // version: 64-bit time
  box(FUTC, 20, "futc");
  box(TRUN, 24, "trun");
  writeU32(out, TRUN + 8, 0x0100_0000 | TRUN_FLAGS); // version 1: signed composition offsets
  writeU32(out, TRUN + 12, 1); // sample_count
  writeU32(out, TRUN + 16, FRAGMENT_HEADER_BYTES);
  writeFourCc(out, MOOF_BYTES + 4, "mdat");
  return out;
}
