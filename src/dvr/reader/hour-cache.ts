import type { Clock } from "../../base/clock.ts";
import { dropOldest } from "../../base/oldest.ts";
import { ByteLru } from "../../vod/byte-lru.ts";
import type { TrackSet } from "../../media/track.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import { HOUR_US, indexFile, mediaFile } from "../format/hour.ts";
import { HourIndex, MAX_HOUR_RECORDS } from "../format/hour-index.ts";
import { INDEX_HEADER_BYTES } from "../format/index-header.ts";
import { INDEX_RECORD_BYTES } from "../format/index-record.ts";
import type { ArchivedSegment } from "./archived-segment.ts";
import { readMediaHead } from "./init-tracks.ts";

/** An hour as it was read. */
export type ReadHour = {
  readonly hour: number;
  readonly index: HourIndex;
  /** Of the media files that were asked for, by number. */
  readonly tracks: Map<number, Promise<TrackSet>>;
  /** Its segments, as far as somebody asked for them; as many as the index has, or fewer. */
  readonly entries: ArchivedSegment[];
};

/** What is kept of hours in memory by one thread. Units: bytes, hours. */
const LIMITS = { bytes: 64 * 1024 * 1024, items: 4096 };
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

type Kept = ReadHour & { checkedUs: number };

/**
 * Indexes of hours, read when they are asked for, and read on where they have grown. Shared by all who read archives in a
 * thread; bounded in bytes.
 */
export class HourCache {
  readonly #files: ArchiveFiles;
  readonly #clock: Clock;
  readonly #kept = new ByteLru<Kept>(LIMITS);
  readonly #reading = new Map<string, Promise<ReadHour | null>>();
  /** By stream folder and init segment: the same tracks are the same object, whatever hour they are of. */
  readonly #sets = new Map<string, TrackSet>();

  constructor(files: ArchiveFiles, clock: Clock) {
    this.#files = files;
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
    const read = this.#read(path, hour, kept ?? null).finally(() => this.#reading.delete(path));
    this.#reading.set(path, read);
    return await read;
  }

  /** The tracks of one of an hour's media files. Rejects with DVR_*, MP4_*, CODEC_*. */
  tracks(folder: string, { hour, tracks }: ReadHour, file: number): Promise<TrackSet> {
    const known = tracks.get(file);
    if (known !== undefined) return known;
    const reading = this.#readTracks(folder, `${folder}/${mediaFile(hour, file)}`);
    tracks.set(file, reading);
    reading.catch(() => tracks.delete(file));
    return reading;
  }

  #freshUs(hour: number, isNewest: boolean): number {
    const mayGrow = isNewest || (hour + 1) * HOUR_US + LATE_US > this.#clock.wallUs();
    return mayGrow ? FRESH_US.growing : FRESH_US.finished;
  }

  async #read(path: string, hour: number, kept: Kept | null): Promise<ReadHour | null> {
    const checkedUs = this.#clock.nowUs();
    const file = await this.#files.open(path);
    if (file === null) {
      this.#kept.delete(path);
      return null;
    }
    try {
      const index = await readOn(file, kept?.index ?? null);
      if (index === null) return null;
      const read: Kept =
        index === kept?.index
          ? { ...kept, checkedUs }
          : { hour, index, tracks: new Map(), entries: [], checkedUs };
      this.#kept.set(path, read, index.memoryBytes + index.segmentCount * ENTRY_BYTES + HOUR_BYTES);
      return read;
    } finally {
      await file.close();
    }
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

/** The index with what has come since; another object where it was cut meanwhile. `null`: its header is not there yet. */
async function readOn(file: ArchiveFile, known: HourIndex | null): Promise<HourIndex | null> {
  const sizeBytes = Math.min(await file.sizeBytes(), MAX_INDEX_BYTES);
  const goesOn = known !== null && sizeBytes >= known.readBytes;
  const from = goesOn ? known.readBytes : 0;
  const bytes = new Uint8Array(sizeBytes - from);
  const got = bytes.subarray(0, await file.read(from, bytes));
  if (!goesOn)
    return got.byteLength < INDEX_HEADER_BYTES ? null : HourIndex.parse(got, { path: file.path });
  if (got.byteLength > 0) known.append(got);
  return known;
}
