import { dirname } from "node:path/posix";
import type { Clock } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import { dropOldest } from "../../base/oldest.ts";
import { ByteLru } from "../../base/byte-lru.ts";
import type { TrackSet } from "../../media/track.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import { NOTHING_DELETED, deletedFile } from "../format/deleted-spans.ts";
import type { DeletedSpans } from "../format/deleted-spans.ts";
import { fillIndexFile, storedMediaFile } from "../format/fill.ts";
import { FILL_NUMBERS_FILE, FillNumbers, MAX_FILL_NUMBERS_BYTES } from "../format/fill-numbers.ts";
import type { NumberShift } from "../format/fill-numbers.ts";
import { HOUR_US, indexFile } from "../format/hour.ts";
import { HourIndex, MAX_HOUR_RECORDS } from "../format/hour-index.ts";
import { INDEX_HEADER_BYTES } from "../format/index-header.ts";
import { INDEX_RECORD_BYTES } from "../format/index-record.ts";
import { readDeletedFile } from "../format/read-deleted.ts";
import type { ArchivedSegment } from "./archived-segment.ts";
import { readMediaHead } from "./init-tracks.ts";
import { MergedHour } from "./merged-hour.ts";
import type { HourView } from "./merged-hour.ts";

/** An hour as it was read. */
export type ReadHour = {
  readonly hour: number;
  readonly index: HourView;
  /** Of what was copied from peers in earlier hours: the numbers of playlists are higher by so much. */
  readonly shift: NumberShift;
  /** Of the media files that were asked for, by number. */
  readonly tracks: Map<number, Promise<TrackSet>>;
  /** Its segments, as far as somebody asked for them; as many as the index has, or fewer. */
  readonly entries: ArchivedSegment[];
};

/**
 * What is kept of hours in memory by one thread: ten days of one stream, for a span is read again from its beginning while it
 * grows, and when its hours do not fit all of them are parsed anew each time. Units: bytes, hours.
 */
const LIMITS = { bytes: 128 * 1024 * 1024, items: 4096 };
/** What an hour takes besides its tables, and what a segment of a playlist takes. */
const HOUR_BYTES = 512;
const ENTRY_BYTES = 160;
/** An hour that may still grow is looked at again after so long, any other one after so long. Units: microseconds. */
const FRESH_US = { growing: 200_000, finished: 30_000_000 };
/** An hour grows no more so long after its end. */
const LATE_US = 600_000_000;
/** Configurations that are told apart, over all streams of a thread. */
const MAX_TRACK_SETS = 1024;

const MAX_INDEX_BYTES = INDEX_HEADER_BYTES + MAX_HOUR_RECORDS * INDEX_RECORD_BYTES;

/** A day's listing is taken for right so long. Units: microseconds. */
const LIST_US = 5_000_000;
/** Days whose listings are kept. */
const MAX_DAYS = 1024;
/** What is known of a stream's fills is taken for right so long. Units: microseconds. */
const NUMBERS_US = 1_000_000;
/** Streams of which it is known. */
const MAX_NUMBERS = 4096;
/** Another object is there by now, or none. */
const REPLACED: ReadonlySet<string> = new Set(["OBJECT_CHANGED", "OBJECT_NOT_FOUND"]);

type Kept = ReadHour & {
  readonly own: HourIndex | null;
  readonly fills: HourIndex | null;
  readonly checkedUs: number;
};

type KeptNumbers = {
  readonly numbers: FillNumbers;
  readonly checkedUs: number;
};

type ListedDay = { readonly names: Promise<readonly string[]>; readonly listedUs: number };

/**
 * Indexes of hours, read when they are asked for, and read on where they have grown. Shared by all who read archives in a
 * thread; bounded in bytes.
 */
export class HourCache {
  readonly #files: ArchiveFiles;
  readonly #disk: ArchiveFiles;
  readonly #clock: Clock;
  readonly #kept = new ByteLru<Kept>(LIMITS);
  readonly #reading = new Map<string, Promise<ReadHour | null>>();
  readonly #numbers = new Map<string, KeptNumbers>();
  /** By stream folder and init segment: the same tracks are the same object, whatever hour they are of. */
  readonly #sets = new Map<string, TrackSet>();
  readonly #days = new Map<string, ListedDay>();
  /** With what is far. */
  readonly #farDays = new Map<string, ListedDay>();
  /** How often something was forgotten: what was read before that is not kept. */
  #forgotten = 0;

  /** `disk`: of `files`, those that are near. Where it has an index of an hour, it has all that may change of the hour. */
  constructor(files: ArchiveFiles, clock: Clock, disk: ArchiveFiles = files) {
    this.#files = files;
    this.#disk = disk;
    this.#clock = clock;
  }

  /** Bytes of the indexes that are kept. */
  get bytes(): number {
    return this.#kept.bytes;
  }

  /**
   * The hour as it is now; `null` when the stream has none. `isNewest`: of its stream, so that it may grow whatever the wall
   * clock says. Rejects with DVR_*.
   */
  async hour(folder: string, hour: number, isNewest = false): Promise<ReadHour | null> {
    const path = `${folder}/${indexFile(hour)}`;
    const kept = this.#kept.get(path);
    if (kept !== undefined && this.#clock.nowUs() - kept.checkedUs < this.#freshUs(hour, isNewest))
      return kept;
    const reading = this.#reading.get(path);
    if (reading !== undefined) return await reading;
    const read = this.#readAsItIs(folder, hour, kept ?? null).finally(() => {
      if (this.#reading.get(path) === read) this.#reading.delete(path);
    });
    this.#reading.set(path, read);
    return await read;
  }

  /** Reads the hours of a stream anew when they are asked for. */
  forget(folder: string): void {
    this.#forgotten++;
    const isOfFolder = (path: string): boolean => path.startsWith(`${folder}/`);
    this.#kept.deleteWhere(isOfFolder);
    for (const path of this.#reading.keys()) if (isOfFolder(path)) this.#reading.delete(path);
    for (const days of [this.#days, this.#farDays])
      for (const path of days.keys()) if (isOfFolder(path)) days.delete(path);
  }

  /** The tracks of one of an hour's media files. Rejects with DVR_*, MP4_*, CODEC_*. */
  tracks(folder: string, { hour, tracks }: ReadHour, file: number): Promise<TrackSet> {
    const known = tracks.get(file);
    if (known !== undefined) return known;
    const reading = this.#readTracks(folder, `${folder}/${storedMediaFile(hour, file)}`);
    tracks.set(file, reading);
    reading.catch(() => tracks.delete(file));
    return reading;
  }

  #freshUs(hour: number, isNewest: boolean): number {
    const mayGrow = isNewest || (hour + 1) * HOUR_US + LATE_US > this.#clock.wallUs();
    return mayGrow ? FRESH_US.growing : FRESH_US.finished;
  }

  /** In object storage files are replaced, also between two looks at them. */
  async #readAsItIs(folder: string, hour: number, kept: Kept | null): Promise<ReadHour | null> {
    try {
      return await this.#read(folder, hour, kept);
    } catch (caught) {
      if (!REPLACED.has(asMediaError(caught)?.code ?? "")) throw caught;
      return await this.#read(folder, hour, kept);
    }
  }

  async #read(folder: string, hour: number, kept: Kept | null): Promise<ReadHour | null> {
    const path = `${folder}/${indexFile(hour)}`;
    const forgotten = this.#forgotten;
    const checkedUs = this.#clock.nowUs();
    const { names, isNear } = await this.#namesBeside(path);
    const deleted = names.includes(nameOf(deletedFile(hour)))
      ? await readDeletedFile(this.#files, folder, hour)
      : NOTHING_DELETED;
    const fillPath = `${folder}/${fillIndexFile(hour)}`;
    const numbers = await this.#numbersOf(folder, isNear ? this.#disk : this.#files);
    // What is far comes file by file: fills whose numbers are not known yet are not shown yet.
    const hasFills = names.includes(nameOf(fillPath)) && (isNear || numbers.of(hour) !== null);
    const fills = hasFills
      ? await readIndex(this.#files, fillPath, (file) => readAnew(file, kept?.fills ?? null))
      : null;
    // Where there are fills, both are read with what is deleted: it keeps its numbers.
    const hidden = fills === null ? deleted : NOTHING_DELETED;
    const known = kept?.own?.deletedBytes === hidden.wholeBytes ? kept.own : null;
    const own = await readIndex(this.#files, path, (file) => readOn(file, known, hidden));
    if (own === null && fills === null) {
      this.#kept.delete(path);
      return null;
    }
    const shift = numbers.before(hour);
    const index = viewOf(kept?.index ?? null, { own, fills, numbers, deleted });
    const isSame = kept !== null && index === kept.index && sameShift(shift, kept.shift);
    const read: Kept = isSame
      ? { ...kept, checkedUs }
      : { hour, index, shift, tracks: new Map(), entries: [], own, fills, checkedUs };
    if (forgotten === this.#forgotten)
      this.#kept.set(path, read, index.memoryBytes + index.segmentCount * ENTRY_BYTES + HOUR_BYTES);
    return read;
  }

  /** What is in an hour's folder, where its index is. */
  async #namesBeside(
    path: string,
  ): Promise<{ readonly names: readonly string[]; readonly isNear: boolean }> {
    const near = await this.#namesIn(dirname(path), this.#disk, this.#days);
    const stem = nameOf(path).slice(0, -"idx".length);
    const isNear = near.includes(`${stem}idx`) || near.includes(`${stem}fill`);
    if (isNear || this.#disk === this.#files) return { names: near, isNear: true };
    return { names: await this.#namesIn(dirname(path), this.#files, this.#farDays), isNear: false };
  }

  /** What is in a day's folder: to look into it once costs less than to try for a file of each hour. */
  #namesIn(day: string, files: ArchiveFiles, days: Map<string, ListedDay>): Promise<readonly string[]> {
    const nowUs = this.#clock.nowUs();
    const known = days.get(day);
    if (known !== undefined && nowUs - known.listedUs < LIST_US) return known.names;
    const names = files.list(day);
    days.delete(day);
    days.set(day, { names, listedUs: nowUs });
    names.catch(() => days.delete(day));
    dropOldest(days, MAX_DAYS);
    return names;
  }

  /** What is said of a stream's fills. Who plays what is near waits for nothing that is far. */
  async #numbersOf(folder: string, files: ArchiveFiles): Promise<FillNumbers> {
    const key = `${files === this.#disk ? "near" : "far"} ${folder}`;
    const known = this.#numbers.get(key);
    const checkedUs = this.#clock.nowUs();
    if (known !== undefined && checkedUs - known.checkedUs < NUMBERS_US) return known.numbers;
    const file = await files.open(`${folder}/${FILL_NUMBERS_FILE}`);
    let read: KeptNumbers = { numbers: FillNumbers.NONE, checkedUs };
    try {
      const bytes = new Uint8Array(Math.min((await file?.sizeBytes()) ?? 0, MAX_FILL_NUMBERS_BYTES));
      await file?.read(0, bytes);
      if (file !== null) read = { ...read, numbers: FillNumbers.parse(bytes) };
    } finally {
      await file?.close();
    }
    this.#numbers.set(key, read);
    dropOldest(this.#numbers, MAX_NUMBERS);
    return read.numbers;
  }

  async #readTracks(folder: string, path: string): Promise<TrackSet> {
    const file = await this.#files.open(path);
    if (file === null) throw dvrErrors.error("DVR_BAD_MEDIA", { path, reason: "it is not there" });
    try {
      const { init, tracks } = await readMediaHead(file);
      const key = `${folder} ${Buffer.from(init).toString("latin1")}`;
      const known = this.#sets.get(key);
      if (known !== undefined) return known;
      const set = makeTrackSet(1, tracks);
      this.#sets.set(key, set);
      dropOldest(this.#sets, MAX_TRACK_SETS);
      return set;
    } finally {
      await file.close();
    }
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

async function readIndex(
  files: ArchiveFiles,
  path: string,
  read: (file: ArchiveFile) => Promise<HourIndex | null>,
): Promise<HourIndex | null> {
  const file = await files.open(path);
  if (file === null) return null;
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

/** The index with what has come since; another object where it was cut meanwhile. `null`: its header is not there yet. */
async function readOn(
  file: ArchiveFile,
  known: HourIndex | null,
  deleted: DeletedSpans,
): Promise<HourIndex | null> {
  const sizeBytes = Math.min(await file.sizeBytes(), MAX_INDEX_BYTES);
  const goesOn = known !== null && sizeBytes >= known.readBytes;
  const from = goesOn ? known.readBytes : 0;
  const bytes = new Uint8Array(sizeBytes - from);
  const got = bytes.subarray(0, await file.read(from, bytes));
  if (!goesOn)
    return got.byteLength < INDEX_HEADER_BYTES ? null : HourIndex.parse(got, { path: file.path, deleted });
  if (got.byteLength > 0) known.append(got);
  return known;
}

/** The index of fills, which is put in place as a whole, and longer each time. `null`: it has no header. */
async function readAnew(file: ArchiveFile, known: HourIndex | null): Promise<HourIndex | null> {
  const sizeBytes = Math.min(await file.sizeBytes(), MAX_INDEX_BYTES);
  if (known !== null && known.readBytes === sizeBytes) return known;
  return await readOn(file, null, NOTHING_DELETED);
}

/** The view that there was, where it still holds; or another one. */
function viewOf(
  known: HourView | null,
  {
    own,
    fills,
    numbers,
    deleted,
  }: {
    readonly own: HourIndex | null;
    readonly fills: HourIndex | null;
    readonly numbers: FillNumbers;
    readonly deleted: DeletedSpans;
  },
): HourView {
  if (fills === null) return own!;
  if (known instanceof MergedHour && known.isOf(own, fills, deleted) && known.readOn()) return known;
  const before = numbers.of(fills.hour) ?? { ordinal: 0, discontinuities: 0 };
  return new MergedHour(own, fills, { before, deleted });
}

function sameShift(a: NumberShift, b: NumberShift): boolean {
  return a.segments === b.segments && a.breaks === b.breaks;
}
