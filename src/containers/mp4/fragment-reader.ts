import { readI32, readU32, readU64 } from "../../base/bytes.ts";
import { boxError, findBox, needBox, needBytes, versionOf, visitBoxes } from "./box-reader.ts";
import type { Box } from "./box-reader.ts";
import type { SampleTableBuilder } from "./sample-table-builder.ts";

/** Defaults of a track's samples in fragments, from `trex`. */
export type FragmentDefaults = {
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
};

/** What samples are added to: a `SampleTableBuilder`, or somebody else who wants them. */
export type SampleSink = Pick<SampleTableBuilder, "moveToTime" | "moveToPlace" | "add">;

/** A track that fragments add to. */
export type FragmentedTrack = { readonly defaults: FragmentDefaults; readonly builder: SampleSink };

const BASE_DATA_OFFSET = 0x1;
const DESCRIPTION_INDEX = 0x2;
const DEFAULT_DURATION = 0x8;
const DEFAULT_SIZE = 0x10;
const DEFAULT_FLAGS = 0x20;
const DEFAULT_BASE_IS_MOOF = 0x2_0000;

const DATA_OFFSET = 0x1;
const FIRST_SAMPLE_FLAGS = 0x4;
const SAMPLE_DURATION = 0x100;
const SAMPLE_SIZE = 0x200;
const SAMPLE_FLAGS = 0x400;
const SAMPLE_CTS_OFFSET = 0x800;

/** sample_is_non_sync_sample of sample_flags. Spec: ISO/IEC 14496-12 section 8.8.3.1. */
const IS_NON_SYNC = 0x1_0000;

/** `trex` boxes by track number. Spec: ISO/IEC 14496-12 section 8.8.3. */
export function readFragmentDefaults(mvex: Box): Map<number, FragmentDefaults> {
  const defaults = new Map<number, FragmentDefaults>();
  visitBoxes(mvex, ["trex"], (trex) => {
    needBytes(trex, 0, 24);
    const at = trex.start;
    defaults.set(readU32(trex.bytes, at + 4), {
      durationTicks: readU32(trex.bytes, at + 12),
      sizeBytes: readU32(trex.bytes, at + 16),
      flags: readU32(trex.bytes, at + 20),
    });
  });
  return defaults;
}

/**
 * Adds the samples of a `moof` to its tracks. Tracks that are not in the map are passed over.
 *
 * Throws: MP4_BAD_BOX, MP4_BOX_SIZE, MP4_LIMIT.
 * Spec: ISO/IEC 14496-12 sections 8.8.4 to 8.8.8, 8.8.12.
 */
export function readFragment(moof: Box, tracks: ReadonlyMap<number, FragmentedTrack>): void {
  let place = moof.offset;
  visitBoxes(moof, ["traf"], (traf) => {
    place = readTrackFragment(traf, moof.offset, place, tracks);
  });
}

/** Returns: the place after the data of this track fragment, where the next one's may begin. */
function readTrackFragment(
  traf: Box,
  moofPlace: number,
  nextPlace: number,
  tracks: ReadonlyMap<number, FragmentedTrack>,
): number {
  const tfhd = needBox(traf, "tfhd");
  const track = tracks.get(trackNumberOf(tfhd));
  const header = readTrackFragmentHeader(
    tfhd,
    track?.defaults ?? { durationTicks: 0, sizeBytes: 0, flags: 0 },
  );
  const base = header.baseIsMoof ? moofPlace : (header.basePlace ?? nextPlace);
  const tfdt = findBox(traf, "tfdt");
  if (tfdt !== null && track !== undefined && !track.builder.moveToTime(readDecodeTime(tfdt))) {
    throw boxError(tfdt, "it goes back in time");
  }
  let place = base;
  visitBoxes(traf, ["trun"], (trun) => {
    place = readTrackRun(trun, header.defaults, base, place, track?.builder ?? null);
  });
  return place;
}

function trackNumberOf(tfhd: Box): number {
  needBytes(tfhd, 0, 8);
  return readU32(tfhd.bytes, tfhd.start + 4);
}

function readTrackFragmentHeader(tfhd: Box, defaults: FragmentDefaults) {
  const { bytes } = tfhd;
  const flags = readU32(bytes, tfhd.start) & 0xff_ffff;
  let at = 8;
  const take = (flag: number, lengthBytes: number): number | null => {
    if ((flags & flag) === 0) return null;
    needBytes(tfhd, at, lengthBytes);
    at += lengthBytes;
    return tfhd.start + at - lengthBytes;
  };
  const baseAt = take(BASE_DATA_OFFSET, 8);
  take(DESCRIPTION_INDEX, 4);
  const durationAt = take(DEFAULT_DURATION, 4);
  const sizeAt = take(DEFAULT_SIZE, 4);
  const flagsAt = take(DEFAULT_FLAGS, 4);
  const basePlace = baseAt === null ? null : readU64(bytes, baseAt);
  if (basePlace !== null && !Number.isSafeInteger(basePlace))
    throw boxError(tfhd, "its base is beyond any file");
  return {
    basePlace,
    baseIsMoof: basePlace === null && (flags & DEFAULT_BASE_IS_MOOF) !== 0,
    defaults: {
      durationTicks: durationAt === null ? defaults.durationTicks : readU32(bytes, durationAt),
      sizeBytes: sizeAt === null ? defaults.sizeBytes : readU32(bytes, sizeAt),
      flags: flagsAt === null ? defaults.flags : readU32(bytes, flagsAt),
    },
  };
}

function readDecodeTime(tfdt: Box): number {
  const isLong = versionOf(tfdt) === 1;
  needBytes(tfdt, 4, isLong ? 8 : 4);
  const dts = isLong ? readU64(tfdt.bytes, tfdt.start + 4) : readU32(tfdt.bytes, tfdt.start + 4);
  if (dts > Number.MAX_SAFE_INTEGER / 2) throw boxError(tfdt, "its time is beyond any recording");
  return dts;
}

/** Returns: the place after the data of this run. `builder` is `null` for a track that is passed over. */
function readTrackRun(
  trun: Box,
  defaults: FragmentDefaults,
  base: number,
  nextPlace: number,
  builder: SampleSink | null,
): number {
  needBytes(trun, 0, 8);
  const { bytes } = trun;
  const flags = readU32(bytes, trun.start) & 0xff_ffff;
  const count = readU32(bytes, trun.start + 4);
  let at = trun.start + 8;
  const fixedBytes = ((flags & DATA_OFFSET) === 0 ? 0 : 4) + ((flags & FIRST_SAMPLE_FLAGS) === 0 ? 0 : 4);
  const perSampleBytes =
    4 * bitCount(flags & (SAMPLE_DURATION | SAMPLE_SIZE | SAMPLE_FLAGS | SAMPLE_CTS_OFFSET));
  needBytes(trun, 8, fixedBytes + count * perSampleBytes);
  let place = nextPlace;
  if ((flags & DATA_OFFSET) !== 0) {
    place = base + readI32(bytes, at);
    at += 4;
  }
  if (place < 0) throw boxError(trun, "its data begin before the file");
  let firstFlags: number | null = null;
  if ((flags & FIRST_SAMPLE_FLAGS) !== 0) {
    firstFlags = readU32(bytes, at);
    at += 4;
  }
  // Otherwise a count alone, without a byte in the file behind it, would fill the tables.
  if (builder !== null && (flags & SAMPLE_SIZE) === 0 && defaults.sizeBytes === 0 && count > 0) {
    throw boxError(trun, `its ${count} frames have no bytes`);
  }
  if (builder === null && (flags & SAMPLE_SIZE) === 0) return place + count * defaults.sizeBytes;
  builder?.moveToPlace(place);
  for (let i = 0; i < count; i++) {
    let { durationTicks, sizeBytes, flags: sampleFlags } = defaults;
    let ctsOffset = 0;
    if ((flags & SAMPLE_DURATION) !== 0) [durationTicks, at] = [readU32(bytes, at), at + 4];
    if ((flags & SAMPLE_SIZE) !== 0) [sizeBytes, at] = [readU32(bytes, at), at + 4];
    if ((flags & SAMPLE_FLAGS) !== 0) [sampleFlags, at] = [readU32(bytes, at), at + 4];
    if ((flags & SAMPLE_CTS_OFFSET) !== 0) [ctsOffset, at] = [readI32(bytes, at), at + 4];
    if (i === 0 && firstFlags !== null) sampleFlags = firstFlags;
    builder?.add(durationTicks, sizeBytes, ctsOffset, (sampleFlags & IS_NON_SYNC) === 0);
    place += sizeBytes;
  }
  return place;
}

function bitCount(flags: number): number {
  let bits = 0;
  for (let rest = flags; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}
