/** What is recorded of a stream, told in stretches of time: what timelines and lists of recordings show. */
import type { Clock } from "../../base/clock.ts";
import { dropOldest } from "../../base/oldest.ts";
import type { ArchiveFiles } from "../archive-files.ts";
import { deletedFile } from "../format/deleted-spans.ts";
import { fillIndexFile } from "../format/fill.ts";
import { HOUR_US, hourOf, indexFile } from "../format/hour.ts";
import { hoursWithFills } from "../format/hours-of-stream.ts";
import type { HourView } from "./merged-hour.ts";

/** A stretch that is recorded without a gap. Units: microseconds of the media clock, which is UTC. */
export type RecordedRange = { readonly fromUs: number; readonly toUs: number };

/** What is recorded in a span of time. */
export type RecordedExtent = {
  /** In order, apart from each other. */
  readonly ranges: readonly RecordedRange[];
  /** Of the media files of all hours of the span, also where the span begins or ends within an hour. Units: bytes. */
  readonly mediaBytes: number;
  /** There is more than is told. */
  readonly isCut: boolean;
};

/** What this needs of who reads a stream's archive. */
export type RangesSource = {
  readonly folder: string;
  readonly files: ArchiveFiles;
  readonly clock: Clock;
  /** An hour's index; `null` when it is not there any more. */
  index(hour: number): Promise<HourView | null>;
};

/** Less than this between two segments is no gap: tracks do not end at one time. Units: microseconds. */
export const MIN_GAP_US = 500_000;
/** Most ranges that are told at a time, the oldest of them. */
export const MAX_RANGES = 10_000;
/** Hours whose ranges are told at a time, the oldest of them, and kept: over a year of one stream. */
export const MAX_HOURS = 9000;

/** Files of an hour that grows no more are looked at again after so long: a month has two thousand. Units: microseconds. */
const FRESH_US = 30_000_000;
/** An hour grows no more so long after its end. Units: microseconds. */
const LATE_US = 600_000_000;

type HourRanges = {
  readonly indexBytes: number;
  readonly deletedBytes: number;
  /** When its files were looked at. */
  checkedUs: number;
} & RecordedExtent;

/** The ranges of one stream's archive. Keeps those of each hour for as long as its files are as long as they were. */
export class RecordedRanges {
  readonly #source: RangesSource;
  readonly #hours = new Map<number, HourRanges>();

  constructor(source: RangesSource) {
    this.#source = source;
  }

  /** What is recorded has changed in another way than by growing: all files are looked at anew. */
  forget(): void {
    this.#hours.clear();
  }

  /** What is recorded from a time on and before another one. Units: microseconds. Rejects with DVR_*. */
  async within(fromUs: number, toUs: number): Promise<RecordedExtent> {
    const hours = await this.#hoursWithin(fromUs, toUs);
    const ranges: RecordedRange[] = [];
    let mediaBytes = 0;
    let isCut = hours.length > MAX_HOURS;
    for (const hour of hours.slice(0, MAX_HOURS)) {
      const found = await this.#ofHour(hour);
      if (found === null) continue;
      mediaBytes += found.mediaBytes;
      isCut ||= found.isCut;
      for (const range of found.ranges) {
        const part = { fromUs: Math.max(fromUs, range.fromUs), toUs: Math.min(toUs, range.toUs) };
        if (part.fromUs < part.toUs && !addRange(ranges, part)) isCut = true;
      }
    }
    return { ranges, mediaBytes, isCut };
  }

  /** Oldest first. */
  async #hoursWithin(fromUs: number, toUs: number): Promise<number[]> {
    const { folder, files } = this.#source;
    const found: number[] = [];
    for await (const hour of hoursWithFills(files, folder)) {
      if (hour < hourOf(Math.max(0, fromUs))) break;
      if (hour <= hourOf(Math.max(0, toUs))) found.push(hour);
    }
    return found.toReversed();
  }

  async #ofHour(hour: number): Promise<HourRanges | null> {
    const known = this.#hours.get(hour);
    const { clock } = this.#source;
    const checkedUs = clock.nowUs();
    if (known !== undefined) {
      const isOver = (hour + 1) * HOUR_US + LATE_US < clock.wallUs();
      if (isOver && checkedUs - known.checkedUs < FRESH_US) return known;
      if (await isLikeFiles(known, hour, this.#source)) {
        known.checkedUs = checkedUs;
        return known;
      }
    }
    const index = await this.#source.index(hour);
    if (index === null) {
      this.#hours.delete(hour);
      return null;
    }
    const { readBytes: indexBytes, deletedBytes } = index;
    const found = { indexBytes, deletedBytes, checkedUs, ...rangesOf(index) };
    this.#hours.set(hour, found);
    dropOldest(this.#hours, MAX_HOURS);
    return found;
  }
}

async function isLikeFiles(
  known: HourRanges,
  hour: number,
  { folder, files }: RangesSource,
): Promise<boolean> {
  const paths = [indexFile(hour), fillIndexFile(hour), deletedFile(hour)].map(
    (path) => `${folder}/${path}`,
  );
  const [ownBytes, fillBytes, deletedBytes] = await Promise.all(paths.map((path) => files.stat(path)));
  const indexBytes = (ownBytes ?? 0) + (fillBytes ?? 0);
  return indexBytes === known.indexBytes && (deletedBytes ?? 0) === known.deletedBytes;
}

/** What is recorded in an hour. The last range may reach into the next hour, by less than a segment. */
export function rangesOf(index: HourView): RecordedExtent {
  const ranges: RecordedRange[] = [];
  const fileEnds: number[] = [];
  let isCut = false;
  for (let place = 0; place < index.segmentCount; place++) {
    const { startUs, durationUs, file } = index.segment(place);
    if (!addRange(ranges, { fromUs: startUs, toUs: startUs + durationUs })) isCut = true;
    const last = index.chunks(place).at(-1);
    if (last !== undefined) fileEnds[file] = last.offset + last.size;
  }
  return { ranges, mediaBytes: fileEnds.reduce((sum, end) => sum + end, 0), isCut };
}

/** Adds a range behind the others, or to the last one where it goes on. Returns: whether there was room for it. */
function addRange(ranges: RecordedRange[], range: RecordedRange): boolean {
  const last = ranges.at(-1);
  if (last !== undefined && range.fromUs - last.toUs < MIN_GAP_US) {
    ranges[ranges.length - 1] = { fromUs: last.fromUs, toUs: Math.max(last.toUs, range.toUs) };
    return true;
  }
  if (ranges.length >= MAX_RANGES) return false;
  ranges.push(range);
  return true;
}
