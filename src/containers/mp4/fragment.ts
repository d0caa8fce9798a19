import { writeFourCc, writeU32, writeU64 } from "../../base/bytes.ts";
import type { Track } from "../../media/track.ts";
import { trackNumber } from "./track-number.ts";

/**
 * One track's samples of a fragment, as columns. The arrays may be longer than `count`. The payloads lie in one block
 * of `dataBytes` elsewhere, in the order of the samples; only their sizes are needed here.
 */
export type FragmentTrack = {
  readonly track: Track;
  /** Decode time of the first sample in ticks of the track; a safe non-negative integer. */
  readonly baseDts: number;
  readonly count: number;
  readonly sizes: Uint32Array;
  /** Ticks. */
  readonly durations: Uint32Array;
  /** `pts - dts` in ticks. */
  readonly ctsOffsets: Int32Array;
  /** 1 for sync samples, 0 for others. */
  readonly syncFlags: Uint8Array;
  readonly dataBytes: number;
};

/** What a fragment header may have in front of its `moof`. */
export type FragmentOptions = {
  /** Begin with `styp`: for the first fragment of a segment. */
  readonly styp?: boolean;
  /**
   * UTC of the first track's first sample in microseconds since 1970; writes a `prft`, by which players measure
   * their latency.
   */
  readonly utcUs?: number;
  /**
   * Every `tfhd` says that its samples are of the first sample description, which is so without it too: in a recording,
   * so that whoever puts it together with others can say that they are of another one, in place.
   */
  readonly sampleDescriptionIndex?: boolean;
};

/** Fields of `trun`. Spec: ISO/IEC 14496-12 section 8.8.8.1. */
const DATA_OFFSET = 0x1;
const FIRST_SAMPLE_FLAGS = 0x4;
const SAMPLE_DURATION = 0x100;
const SAMPLE_SIZE = 0x200;
const SAMPLE_FLAGS = 0x400;
const SAMPLE_CTS_OFFSET = 0x800;

/** Fields of `tfhd`. Spec: ISO/IEC 14496-12 section 8.8.7.1. */
const DEFAULT_BASE_IS_MOOF = 0x2_0000;
const DESCRIPTION_INDEX = 0x2;
const DEFAULT_DURATION = 0x8;
const DEFAULT_SIZE = 0x10;
const DEFAULT_FLAGS = 0x20;

/** Stands among the fields of a `trun` while a fragment is laid out, and is written to its `tfhd` alone. */
const WITH_DESCRIPTION_INDEX = 0x1_0000;

/** sample_depends_on 2 (on no other). Spec: ISO/IEC 14496-12 section 8.8.3.1. */
const SYNC_SAMPLE = 0x0200_0000;
/** sample_depends_on 1, sample_is_non_sync_sample. */
const NON_SYNC_SAMPLE = 0x0101_0000;

const STYP_BYTES = 24;
const PRFT_BYTES = 32;
const MOOF_FIXED_BYTES = 8 + 16; // moof, mfhd
const TRAF_FIXED_BYTES = 8 + 16 + 20 + 20; // traf, tfhd and trun without optional fields, tfdt; trun has data_offset
const MAX_BOX_BYTES = 0xffff_ffff;
/** data_offset is signed. */
const MAX_DATA_OFFSET = 0x7fff_ffff;
const NTP_EPOCH_SECONDS = 2_208_988_800;
/** Media times are arbitrary but consistent. Spec: ISO/IEC 14496-12 section 8.16.5. */
const PRFT_FLAGS = 24;

/**
 * Builds what stands before the payload of a fragment: optional `styp` and `prft`, `moof`, and the header of `mdat`.
 * The tracks' blocks follow in the given order; a track without samples gets no `traf`.
 *
 * Ownership: the result is new and exactly sized. Hot path: one pass over the columns finds which fields vary, one
 * writes; nothing else is allocated.
 * Throws: RangeError when `dataBytes` is not the sum of the sizes, and when a track would begin over 2 GiB after the
 * `moof`: that is the caller's mistake.
 * Spec: ISO/IEC 14496-12 sections 8.1.1, 8.8.4 to 8.8.8, 8.8.12, 8.16.2, 8.16.5; ISO/IEC 23000-19 section 7.5.
 */
export function buildFragmentHeader(
  sequence: number,
  tracks: readonly FragmentTrack[],
  options: FragmentOptions = {},
): Uint8Array {
  const hasPrft = options.utcUs !== undefined && tracks.length > 0;
  const leadBytes = (options.styp === true ? STYP_BYTES : 0) + (hasPrft ? PRFT_BYTES : 0);
  const fields: number[] = [];
  let moofBytes = MOOF_FIXED_BYTES;
  let dataBytes = 0;
  const always = options.sampleDescriptionIndex === true ? WITH_DESCRIPTION_INDEX : 0;
  for (const track of tracks) {
    const present = fieldsOf(track) | always;
    fields.push(present);
    if (track.count > 0) moofBytes += trafBytes(track.count, present);
    dataBytes += track.dataBytes;
  }
  const mdatBytes = dataBytes + 8 > MAX_BOX_BYTES ? 16 : 8;
  const header = new Uint8Array(leadBytes + moofBytes + mdatBytes);
  writeLead(header, tracks, options);
  writeMoof(header, leadBytes, moofBytes, sequence);
  let at = leadBytes + MOOF_FIXED_BYTES;
  let dataOffset = moofBytes + mdatBytes;
  for (let i = 0; i < tracks.length; i++) {
    if (tracks[i]!.count > 0) at = writeTraf(header, at, tracks[i]!, fields[i]!, dataOffset);
    dataOffset += tracks[i]!.dataBytes;
  }
  writeMdatHeader(header, at, dataBytes);
  return header;
}

/** Which fields stand in the `trun`: those whose values differ from sample to sample. */
function fieldsOf(track: FragmentTrack): number {
  const { count, sizes, durations, ctsOffsets, syncFlags } = track;
  let [bytes, sizeBits, durationBits, ctsBits, syncCount] = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    bytes += sizes[i]!;
    sizeBits |= sizes[i]! ^ sizes[0]!;
    durationBits |= durations[i]! ^ durations[0]!;
    ctsBits |= ctsOffsets[i]!;
    syncCount += syncFlags[i]!;
  }
  if (bytes !== track.dataBytes)
    throw new RangeError(`${track.dataBytes} bytes for samples of ${bytes} bytes`);
  let present = DATA_OFFSET;
  if (durationBits !== 0) present |= SAMPLE_DURATION;
  if (sizeBits !== 0) present |= SAMPLE_SIZE;
  if (ctsBits !== 0) present |= SAMPLE_CTS_OFFSET;
  if (syncCount === 0 || syncCount === count) return present;
  return present | (syncCount === 1 && syncFlags[0] === 1 ? FIRST_SAMPLE_FLAGS : SAMPLE_FLAGS);
}

function trafBytes(count: number, present: number): number {
  let defaults = (present & WITH_DESCRIPTION_INDEX) === 0 ? 0 : 4;
  let perSample = 0;
  if ((present & SAMPLE_DURATION) === 0) defaults += 4;
  else perSample += 4;
  if ((present & SAMPLE_SIZE) === 0) defaults += 4;
  else perSample += 4;
  if ((present & SAMPLE_FLAGS) === 0) defaults += 4;
  else perSample += 4;
  if ((present & SAMPLE_CTS_OFFSET) !== 0) perSample += 4;
  if ((present & FIRST_SAMPLE_FLAGS) !== 0) defaults += 4;
  return TRAF_FIXED_BYTES + defaults + perSample * count;
}

function writeLead(header: Uint8Array, tracks: readonly FragmentTrack[], options: FragmentOptions): void {
  let at = 0;
  if (options.styp === true) {
    writeSegmentType(header, at);
    at += STYP_BYTES;
  }
  const first = tracks[0];
  if (options.utcUs === undefined || first === undefined) return;
  const seconds = Math.floor(options.utcUs / 1e6);
  writeU32(header, at, PRFT_BYTES);
  writeFourCc(header, at + 4, "prft");
  writeU32(header, at + 8, 0x0100_0000 | PRFT_FLAGS);
  writeU32(header, at + 12, trackNumber(first.track.id));
  writeU32(header, at + 16, seconds + NTP_EPOCH_SECONDS);
  writeU32(header, at + 20, Math.floor(((options.utcUs - seconds * 1e6) * 2 ** 32) / 1e6));
  writeU64(header, at + 24, first.baseDts);
}

/** A `styp` by itself, for a segment whose fragments are there already. Spec: ISO/IEC 14496-12 section 8.16.2. */
export function buildSegmentType(): Uint8Array {
  const bytes = new Uint8Array(STYP_BYTES);
  writeSegmentType(bytes, 0);
  return bytes;
}

function writeSegmentType(bytes: Uint8Array, at: number): void {
  writeU32(bytes, at, STYP_BYTES);
  writeFourCc(bytes, at + 4, "styp");
  writeFourCc(bytes, at + 8, "msdh");
  writeFourCc(bytes, at + 16, "msdh");
  writeFourCc(bytes, at + 20, "iso6");
}

function writeMoof(header: Uint8Array, at: number, moofBytes: number, sequence: number): void {
  writeU32(header, at, moofBytes);
  writeFourCc(header, at + 4, "moof");
  writeU32(header, at + 8, 16);
  writeFourCc(header, at + 12, "mfhd");
  writeU32(header, at + 20, sequence);
}

function writeTraf(
  header: Uint8Array,
  start: number,
  track: FragmentTrack,
  present: number,
  offset: number,
): number {
  if (offset > MAX_DATA_OFFSET) throw new RangeError("a track begins over 2 GiB after its moof");
  writeU32(header, start, trafBytes(track.count, present));
  writeFourCc(header, start + 4, "traf");
  const tfdt = writeTfhd(header, start + 8, track, present);
  writeU32(header, tfdt, 20);
  writeFourCc(header, tfdt + 4, "tfdt");
  header[tfdt + 8] = 1; // version
  writeU64(header, tfdt + 12, track.baseDts);
  return writeTrun(header, tfdt + 20, track, present, offset);
}

/** Defaults for every field that the `trun` does not have, so that `trex` never matters. */
function writeTfhd(header: Uint8Array, start: number, track: FragmentTrack, present: number): number {
  let flags = DEFAULT_BASE_IS_MOOF;
  let at = start + 16;
  if ((present & WITH_DESCRIPTION_INDEX) !== 0) {
    flags |= DESCRIPTION_INDEX;
    writeU32(header, at, 1);
    at += 4;
  }
  if ((present & SAMPLE_DURATION) === 0) {
    flags |= DEFAULT_DURATION;
    writeU32(header, at, track.durations[0]!);
    at += 4;
  }
  if ((present & SAMPLE_SIZE) === 0) {
    flags |= DEFAULT_SIZE;
    writeU32(header, at, track.sizes[0]!);
    at += 4;
  }
  if ((present & SAMPLE_FLAGS) === 0) {
    flags |= DEFAULT_FLAGS;
    const areSync = (present & FIRST_SAMPLE_FLAGS) === 0 && track.syncFlags[0] === 1;
    writeU32(header, at, areSync ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
    at += 4;
  }
  writeU32(header, start, at - start);
  writeFourCc(header, start + 4, "tfhd");
  writeU32(header, start + 8, flags);
  writeU32(header, start + 12, trackNumber(track.track.id));
  return at;
}

/** Version 1: composition offsets are signed. */
function writeTrun(
  header: Uint8Array,
  start: number,
  track: FragmentTrack,
  present: number,
  offset: number,
): number {
  const { count, durations, sizes, syncFlags, ctsOffsets } = track;
  writeFourCc(header, start + 4, "trun");
  writeU32(header, start + 8, 0x0100_0000 | (present & ~WITH_DESCRIPTION_INDEX));
  writeU32(header, start + 12, count);
  writeU32(header, start + 16, offset);
  let at = start + 20;
  if ((present & FIRST_SAMPLE_FLAGS) !== 0) {
    writeU32(header, at, SYNC_SAMPLE);
    at += 4;
  }
  for (let i = 0; i < count; i++) {
    if ((present & SAMPLE_DURATION) !== 0) at = put(header, at, durations[i]!);
    if ((present & SAMPLE_SIZE) !== 0) at = put(header, at, sizes[i]!);
    if ((present & SAMPLE_FLAGS) !== 0)
      at = put(header, at, syncFlags[i] === 1 ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
    if ((present & SAMPLE_CTS_OFFSET) !== 0) at = put(header, at, ctsOffsets[i]!);
  }
  writeU32(header, start, at - start);
  return at;
}

function put(header: Uint8Array, at: number, value: number): number {
  writeU32(header, at, value);
  return at + 4;
}

function writeMdatHeader(header: Uint8Array, at: number, dataBytes: number): void {
  writeFourCc(header, at + 4, "mdat");
  if (dataBytes + 8 <= MAX_BOX_BYTES) {
    writeU32(header, at, dataBytes + 8);
    return;
  }
  writeU32(header, at, 1); // the size follows in 64 bits
  writeU64(header, at + 8, dataBytes + 16);
}
