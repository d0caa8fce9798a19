import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";
import { buildSegmentType } from "../../containers/mp4/fragment.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import type { LentBody, TrackSelection } from "../../packaging/presentation.ts";
import type { BlockPool } from "../../vod/block-pool.ts";
import type { BoundedWork } from "../../base/bounded-work.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import type { StoredRange, StoredSegment } from "../export/stored-range.ts";
import { parseFillIndexFile, storedMediaFile } from "../format/fill.ts";
import { hourOf, hourPath, indexFile, parseHourFile } from "../format/hour.ts";
import type { HourChunk } from "../format/hour-index.ts";
import { hoursWithFills } from "../format/hours-of-stream.ts";
import { ArchivedSegment } from "./archived-segment.ts";
import type { HourCache, ReadHour } from "./hour-cache.ts";
import type { HourView } from "./merged-hour.ts";
import { nearestTimes } from "./nearest-times.ts";
import type { NearestTimes } from "./nearest-times.ts";
import { NumberedSegments } from "./numbered-segments.ts";
import type { ListedEntry } from "./numbered-segments.ts";
import { SetSearch, SetsBefore } from "./set-search.ts";
import type { FoundSet } from "./set-search.ts";
import { RecordedRanges } from "./recorded-ranges.ts";
import type { RecordedExtent } from "./recorded-ranges.ts";
import { UnreadableHours } from "./unreadable-hours.ts";

/** What all archives that are read in a thread share. */
export type ArchiveReading = {
  /** All that there is. */
  readonly files: ArchiveFiles;
  /** What of it is on the disk. */
  readonly disk: ArchiveFiles;
  readonly hours: HourCache;
  readonly pool: BlockPool;
  readonly work: BoundedWork;
  /** What is not on the disk waits apart, so that a host that hangs holds up nobody who reads the disk. */
  readonly farWork: BoundedWork;
  readonly clock: Clock;
  /** Most segments of one span. */
  readonly maxSegments: number;
  /** For what is damaged; nothing is said unless given. */
  readonly log?: Logger;
};

/** A day's listing is taken for right so long, that of the newest day for less: an hour may begin. Units: microseconds. */
const LIST_US = { newest: 500_000, older: 5_000_000 };
/** What was written so long ago is not live any more. Units: microseconds. */
const LIVE_US = 30_000_000;
/** Days whose listings are kept. */
const MAX_DAYS = 400;
const DAY_HOURS = 24;
/** Of more days those are listed that are there: who asks from 1970 on makes no twenty thousand listings. */
const MAX_DAYS_TO_LIST = 40;
/** Which configurations there are is looked at no more often. Units: microseconds. */
const LOOK_US = 5_000_000;
/** Who asks for a configuration that was never there makes so many hours be read, and no more. */
const MAX_INIT_HOURS = 24 * 31;
/** Sets of tracks that were listed lately. */
const MAX_SHOWN = 64;
/** A segment is held in memory whole. */
const MAX_SEGMENT_BYTES = 128 * 2 ** 20;
/** What a segment of a live window begins with, too. */
const SEGMENT_TYPE = buildSegmentType();

type Day = { readonly hours: readonly number[]; readonly listedUs: number };

/** Bytes that lie together in a media file. */
type Run = { offset: number; bytes: number };

/** The archive of one stream, for those who play it. Holds nothing open. */
export class StreamArchive {
  readonly folder: string;
  readonly #reading: ArchiveReading;
  readonly #days = new Map<number, Day>();
  readonly #ranges: RecordedRanges;
  readonly #numbered = new NumberedSegments();
  readonly #unreadable: UnreadableHours;
  readonly #setsBefore: SetsBefore;
  #longestUs = 0;
  /** The newest hour, and when it was looked for among all. */
  #newest: { readonly hour: number | null; readonly atUs: number } | null = null;
  /** What tracks there are, and when it was looked. */
  #looked: { readonly atUs: number; readonly search: SetSearch } | null = null;
  /** Tracks of what was listed lately, the last ones last. */
  readonly #shown = new Map<TrackSet, ArchivedSegment>();

  constructor(folder: string, reading: ArchiveReading) {
    this.folder = folder;
    this.#reading = reading;
    this.#unreadable = new UnreadableHours(reading.log);
    const { files, clock } = reading;
    const index = async (hour: number): Promise<HourView | null> => (await this.#hour(hour))?.index ?? null;
    this.#ranges = new RecordedRanges({ folder, files, clock, index });
    this.#setsBefore = new SetsBefore({
      clock,
      hours: (from, to) => this.#nearHours(from, to),
      sets: (hour, untilUs) => this.#setsOf(hour, untilUs),
    });
  }

  /** The longest segment that was read so far: what playlists that go on have promised. Units: microseconds. */
  get longestUs(): number {
    return this.#longestUs;
  }

  /** What is recorded from a time on and before another one, as ranges. Units: microseconds. Rejects with DVR_*. */
  ranges(fromUs: number, toUs: number): Promise<RecordedExtent> {
    return this.#ranges.within(fromUs, toUs);
  }

  /** What is recorded has changed in another way than by growing: it is looked at anew. */
  forget(): void {
    this.#ranges.forget();
    this.#days.clear();
    this.#looked = null;
    this.#newest = null;
    this.#setsBefore.forget();
  }

  /**
   * Where now is on the media clock: the end of what is recorded as long as that grows, whatever the wall clock was set to
   * meanwhile, or however far an encoder's clock has drifted from it. Afterwards it is the wall clock, but not before the end
   * of what is recorded. It never goes back while the wall clock does not. Units: microseconds. Rejects with DVR_*.
   */
  async now(wallUs: number): Promise<number> {
    const newest = await this.#newestHour();
    // An hour that has begun has no complete segment yet.
    for (const hour of newest === null ? [] : [newest, newest - 1]) {
      const index = (await this.#hour(hour))?.index;
      if (index === undefined || index.segmentCount === 0) continue;
      const { startUs, durationUs } = index.segment(index.segmentCount - 1);
      const endUs = startUs + durationUs;
      return wallUs - index.writtenUs < LIVE_US ? endUs : Math.max(endUs, wallUs);
    }
    return wallUs;
  }

  /** The newest hour with an index; `null` where nothing is recorded. */
  async #newestHour(): Promise<number | null> {
    const { clock, files } = this.#reading;
    const nowUs = clock.nowUs();
    if (this.#newest === null || nowUs - this.#newest.atUs > LIST_US.older) {
      let newest: number | null = null;
      for await (const hour of hoursWithFills(files, this.folder)) {
        newest = hour;
        break;
      }
      this.#newest = { hour: newest, atUs: nowUs };
    }
    const { hour, atUs } = this.#newest;
    if (hour === null) return null;
    let last = hour;
    for await (const later of this.hours(hour, hour + 1)) last = later;
    if (last > hour) this.#newest = { hour: last, atUs };
    return last;
  }

  /** The newest hour may grow, whatever time it is. One whose index is damaged is not there. */
  #hour(hour: number): Promise<ReadHour | null> {
    const { hours } = this.#reading;
    return this.#unreadable.orNull(
      () => `${this.folder}/${indexFile(hour)}`,
      () => hours.hour(this.folder, hour, hour === this.#newest?.hour),
    );
  }

  /** The hours that are recorded, from one up to another one, oldest first. Rejects with DVR_DISK_FAILED. */
  async *hours(from: number, to: number): AsyncGenerator<number> {
    if (to - from > MAX_DAYS_TO_LIST * DAY_HOURS) {
      const found: number[] = [];
      for await (const hour of hoursWithFills(this.#reading.files, this.folder)) {
        if (hour < from) break;
        if (hour <= to) found.push(hour);
      }
      yield* found.toReversed();
      return;
    }
    for (let day = Math.floor(from / DAY_HOURS); day <= Math.floor(to / DAY_HOURS); day++) {
      for (const hour of await this.#hoursOfDay(day)) if (hour >= from && hour <= to) yield hour;
    }
  }

  /**
   * The segments that start from a time on and before another one, in order. A stretch begins anew with each hour, so that
   * all who ask for any part of it are told the same. Units: microseconds. Rejects with DVR_*, MP4_*, CODEC_*.
   */
  async segments(fromUs: number, toUs: number): Promise<ArchivedSegment[]> {
    const found: ArchivedSegment[] = [];
    for await (const number of this.hours(hourOf(Math.max(0, fromUs)), hourOf(Math.max(0, toUs)))) {
      const hour = await this.#hour(number);
      if (hour !== null) await this.#collect(hour, fromUs, toUs, found);
      const { maxSegments: most } = this.#reading;
      if (found.length > most) throw dvrErrors.error("DVR_SPAN_TOO_LONG", { most });
    }
    this.#numbered.breakWhereMissing(found);
    for (const { durationUs } of found) this.#longestUs = Math.max(this.#longestUs, durationUs);
    this.#show(found);
    return found;
  }

  /** Segments as a playlist has them that slides or grows. `segments`: of `segments`. */
  numbered(segments: readonly ArchivedSegment[]): ListedEntry[] {
    return this.#numbered.of(segments);
  }

  async #collect(hour: ReadHour, fromUs: number, toUs: number, found: ArchivedSegment[]): Promise<void> {
    const { index } = hour;
    const first = index.placeFrom(fromUs);
    const end = index.placeFrom(toUs);
    const entries = await this.#entriesOf(hour);
    for (let place = first; place < end; place++) {
      const entry = entries[place];
      if (entry !== undefined && entry !== null) found.push(entry);
    }
  }

  /** The segments of an hour by their places; `null` for those whose media file does not say what its tracks are. */
  async #entriesOf(hour: ReadHour): Promise<readonly (ArchivedSegment | null)[]> {
    const { index, entries: kept } = hour;
    const sets = new Map<number, TrackSet | null>();
    // What has holes is not kept, so that it is looked at again.
    let entries: (ArchivedSegment | null)[] = kept;
    for (let place = kept.length; place < index.segmentCount; place++) {
      const segment = index.segment(place);
      let tracks = sets.get(segment.file);
      if (tracks === undefined) {
        tracks = await this.#readableTracks(hour, segment.file);
        sets.set(segment.file, tracks);
      }
      if (tracks === null && entries === kept) entries = kept.slice(0, place);
      // Somebody else may have come to here meanwhile.
      if (entries.length > place) continue;
      const before = entries.at(-1) ?? null;
      const goesOn = before !== null && before.tracks === tracks && !segment.discontinuity;
      const stretchStartUs = goesOn ? before.stretchStartUs : null;
      entries.push(
        tracks === null ? null : new ArchivedSegment(hour, place, { segment, tracks, stretchStartUs }),
      );
    }
    return entries;
  }

  /** `null` where the media file is damaged. */
  #readableTracks(hour: ReadHour, file: number): Promise<TrackSet | null> {
    return this.#unreadable.orNull(
      () => `${this.folder}/${storedMediaFile(hour.hour, file)}`,
      () => this.#tracks(hour, file),
    );
  }

  /** The tracks of a media file, without a wait where they are known. */
  #tracks(hour: ReadHour, file: number): Promise<TrackSet> {
    return this.#reading.hours.tracks(this.folder, hour, file);
  }

  /** The segment of that name; `null` when there is none. Rejects as `segments`. */
  async segmentOf(name: string): Promise<ArchivedSegment | null> {
    const us = Number(name) * 1000;
    const hour = Number.isSafeInteger(us) ? await this.#hour(hourOf(us)) : null;
    const place = hour?.index.placeOfName(name) ?? -1;
    return hour === null || place < 0 ? null : await this.#segmentAt(hour, place);
  }

  /**
   * A segment with such tracks, looking back for `MAX_INIT_HOURS` recorded hours; `null` when there is none. What is there is
   * looked for again after `LOOK_US`, whatever is asked for meanwhile. Rejects as `segments`.
   */
  async segmentWithInit(isWanted: (tracks: TrackSet) => boolean): Promise<ArchivedSegment | null> {
    const nowUs = this.#reading.clock.nowUs();
    const isOld =
      this.#looked !== null && nowUs - this.#looked.atUs > LOOK_US && !this.#looked.search.isBusy;
    if (this.#looked === null || isOld)
      this.#looked = { atUs: nowUs, search: new SetSearch(this.#shown, this.#newestOfSets()) };
    try {
      return await this.#looked.search.find(isWanted);
    } catch (caught) {
      this.#looked = null;
      throw caught;
    }
  }

  /** The newest segment of each set of tracks, an hour at a time. */
  async *#newestOfSets(): AsyncGenerator<readonly FoundSet[]> {
    const { files: disk } = this.#reading;
    let left = MAX_INIT_HOURS;
    for await (const number of hoursWithFills(disk, this.folder)) {
      if (left-- === 0) break;
      const hour = await this.#hour(number);
      const files = new Set<number>();
      const found: FoundSet[] = [];
      if (hour === null) continue;
      for (let place = hour.index.segmentCount - 1; place >= 0; place--) {
        const { file } = hour.index.segment(place);
        if (files.has(file)) continue;
        files.add(file);
        const tracks = await this.#readableTracks(hour, file);
        if (tracks !== null) found.push([tracks, await this.#segmentAt(hour, place)]);
      }
      yield found;
    }
  }

  /** Sets of tracks in the day before a time, the newest last; see `SetsBefore`. Units: microseconds. Rejects as `segments`. */
  setsBefore(us: number): Promise<readonly TrackSet[]> {
    return this.#setsBefore.at(us);
  }

  /** Those that are on the disk: what is far holds up nobody who plays what is near. */
  async *#nearHours(from: number, to: number): AsyncGenerator<number> {
    const found: number[] = [];
    for await (const hour of hoursWithFills(this.#reading.disk, this.folder)) {
      if (hour < from) break;
      if (hour < to) found.push(hour);
    }
    yield* found.toReversed();
  }

  async #setsOf(number: number, untilUs: number): Promise<readonly TrackSet[]> {
    const hour = await this.#hour(number);
    if (hour === null) return [];
    const files = new Set<number>();
    const { index } = hour;
    for (let place = 0, end = index.placeFrom(untilUs); place < end; place++) {
      const { file } = index.segment(place);
      files.delete(file);
      files.add(file);
    }
    const sets = await Promise.all([...files].map((file) => this.#readableTracks(hour, file)));
    return sets.filter((tracks) => tracks !== null);
  }

  /** Who was given a playlist asks for its init segments next. */
  #show(segments: readonly ArchivedSegment[]): void {
    let last: TrackSet | null = null;
    for (const segment of segments) {
      if (segment.tracks === last) continue;
      last = segment.tracks;
      if (!this.#shown.has(last)) this.#looked = null;
      this.#shown.delete(last);
      this.#shown.set(last, segment);
    }
    dropOldest(this.#shown, MAX_SHOWN);
  }

  /** Segments as they are stored, for what is made of them. */
  storedRange(segments: readonly ArchivedSegment[]): StoredRange {
    const mediaFiles = new Map<string, readonly Track[]>();
    const keyOf = mediaFileKeys();
    for (const segment of segments) mediaFiles.set(keyOf(segment), segment.tracks.tracks);
    return { segments: storedSegments(segments), mediaFiles, read: (...read) => this.#readStored(...read) };
  }

  async #readStored(key: string, offset: number, targets: readonly Uint8Array[]): Promise<number> {
    return await this.#withMedia(`${this.folder}/${key}`, async (file) => {
      let got = 0;
      for (const target of targets) {
        const bytes = await file.read(offset + got, target);
        got += bytes;
        if (bytes < target.byteLength) break;
      }
      return got;
    });
  }

  /** Runs with a media file that is open, a few at a time. Rejects with VOD_BUSY, DVR_*, what `use` rejects with. */
  async #withMedia<T>(path: string, use: (file: ArchiveFile) => Promise<T>): Promise<T> {
    const { work, farWork, disk, files } = this.#reading;
    const near = await work.run(() => withFile(disk, path, use));
    const found = near ?? (await farWork.run(() => withFile(files, path, use)));
    if (found === null) throw dvrErrors.error("DVR_BAD_MEDIA", { path, reason: "it is not there" });
    return found.result;
  }

  async #segmentAt(hour: ReadHour, place: number): Promise<ArchivedSegment> {
    const segment = hour.index.segment(place);
    const tracks = await this.#tracks(hour, segment.file);
    return new ArchivedSegment(hour, place, { segment, tracks, stretchStartUs: null });
  }

  /** The times nearest to one at which something is recorded that can be played. Rejects with DVR_*. */
  nearest(us: number): Promise<NearestTimes> {
    return nearestTimes(us, {
      hours: (from, to) => this.hours(from, to),
      index: async (number) => {
        const hour = await this.#hour(number);
        const isWhole = hour !== null && !(await this.#entriesOf(hour)).includes(null);
        return isWhole ? hour.index : null;
      },
    });
  }

  /**
   * A segment with those of the selected tracks that it has, as it is stored; `null` when there is none of that name.
   * Rejects with DVR_*, MP4_*, CODEC_*, VOD_BUSY.
   */
  async lendSegment(name: string, selection: TrackSelection): Promise<LentBody | null> {
    const us = Number(name) * 1000;
    if (!Number.isSafeInteger(us)) return null;
    const hour = await this.#hour(hourOf(us));
    const place = hour?.index.placeOfName(name) ?? -1;
    if (hour === null || place < 0) return null;
    const numbers = new Set(selection.map(trackNumber));
    const chunks = hour.index.chunks(place).filter((chunk) => numbers.has(chunk.trackNumber));
    if (chunks.length === 0) return null;
    const path = `${this.folder}/${storedMediaFile(hour.hour, hour.index.segment(place).file)}`;
    return await this.#withMedia(path, (file) => this.#lend(file, chunks));
  }

  async #lend(file: ArchiveFile, chunks: readonly HourChunk[]): Promise<LentBody> {
    const { path } = file;
    const runs = runsOf(chunks);
    const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
    if (bytes > MAX_SEGMENT_BYTES)
      throw dvrErrors.error("DVR_BAD_MEDIA", { path, reason: `a segment has ${bytes} bytes` });
    const memory = this.#reading.pool.take(bytes);
    try {
      await readRuns(file, runs, memory.bytes);
    } catch (caught) {
      memory.release();
      throw caught;
    }
    let isLent = true;
    const release = (): void => {
      if (isLent) memory.release();
      isLent = false;
    };
    return { body: [SEGMENT_TYPE, memory.bytes], release };
  }

  async #hoursOfDay(day: number): Promise<readonly number[]> {
    const { clock, files } = this.#reading;
    const known = this.#days.get(day);
    const listedUs = clock.nowUs();
    const freshUs =
      day < Math.floor((this.#newest?.hour ?? 0) / DAY_HOURS) ? LIST_US.older : LIST_US.newest;
    if (known !== undefined && listedUs - known.listedUs < freshUs) return known.hours;
    const path = hourPath(day * DAY_HOURS).slice(0, -"/00".length);
    const found = (await files.list(`${this.folder}/${path}`)).flatMap((name) => {
      const fill = parseFillIndexFile(`${path}/${name}`);
      if (fill !== null) return [fill];
      const file = parseHourFile(`${path}/${name}`);
      return file === null || file.file !== null ? [] : [file.hour];
    });
    const hours = [...new Set(found)].toSorted((a, b) => a - b);
    if (this.#days.size >= MAX_DAYS) this.#days.clear();
    this.#days.set(day, { hours, listedUs });
    return hours;
  }
}

/** What comes of using a file; `null` when it is not there. */
async function withFile<T>(
  files: ArchiveFiles,
  path: string,
  use: (file: ArchiveFile) => Promise<T>,
): Promise<{ readonly result: T } | null> {
  const file = await files.open(path);
  if (file === null) return null;
  try {
    return { result: await use(file) };
  } finally {
    await file.close();
  }
}

function* storedSegments(segments: readonly ArchivedSegment[]): Generator<StoredSegment> {
  const keyOf = mediaFileKeys();
  for (const segment of segments) {
    const { startUs, durationUs, discontinuity, isIndependent: independent } = segment;
    const mediaFileKey = keyOf(segment);
    const chunks = segment.chunks().map((chunk) => ({ ...chunk, mediaFileKey }));
    yield { startUs, durationUs, discontinuity, independent, chunks };
  }
}

/** Names the media file of each segment; those that follow each other are mostly in one, and are given one text. */
function mediaFileKeys(): (segment: ArchivedSegment) => string {
  let [hour, file, key] = [-1, -1, ""];
  return (segment) => {
    if (segment.hour !== hour || segment.file !== file)
      [hour, file, key] = [segment.hour, segment.file, segment.mediaFile];
    return key;
  };
}

/** Chunks that lie together are read together. */
function runsOf(chunks: readonly HourChunk[]): Run[] {
  const runs: Run[] = [];
  for (const { offset, size } of chunks) {
    const last = runs.at(-1);
    if (last !== undefined && last.offset + last.bytes === offset) last.bytes += size;
    else runs.push({ offset, bytes: size });
  }
  return runs;
}

async function readRuns(file: ArchiveFile, runs: readonly Run[], into: Uint8Array): Promise<void> {
  let at = 0;
  for (const { offset, bytes } of runs) {
    const got = await file.read(offset, into.subarray(at, at + bytes));
    if (got < bytes)
      throw dvrErrors.error("DVR_BAD_MEDIA", {
        path: file.path,
        reason: `it ends before byte ${offset + bytes}`,
      });
    at += bytes;
  }
}
