import { equalBytes } from "../../base/bytes.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { MP4_LIMITS } from "../../containers/mp4/limits.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import { dvrExportErrors } from "./errors.ts";
import { ChunkColumns, SegmentColumns } from "./range-columns.ts";
import { FixedClock, StretchClock } from "./stretch-clock.ts";
import type { Gaps, PlanClock } from "./stretch-clock.ts";
import type { StoredChunk, StoredRange, StoredSegment, StoredTracks } from "./stored-range.ts";

/** What one export may cost. */
export const EXPORT_LIMITS = {
  /** Two tracks with a GOP of two seconds have a million in twelve days: 50 MB in memory. */
  chunks: 2 ** 20,
  /** Configurations of one track: an encoder that changes its resolution every minute for four hours. */
  configs: 250,
  /** Bytes of one chunk. A segment ends at 64 MiB. */
  chunkBytes: 128 * 2 ** 20,
  /** Samples of one chunk: as many as a record of the index can say. */
  samples: 2 ** 16,
} as const;

/** A stretch without any segment that is longer than this is a gap, also where the archive does not say so. */
const MAX_HOLE_US = 1_000_000;
/** Of a `moof` with a `traf`, and an `mdat` without contents. */
const MIN_HEADER_BYTES = 32;

/** One configuration of a track. */
export type PlannedConfig = {
  readonly track: Track;
  /** When the first chunk with it begins. Units: microseconds, media clock. */
  readonly startUs: number;
};

/** A track that the range has, in all its configurations, of which there is at least one. */
export type PlannedTrack = {
  readonly id: TrackId;
  /** As in MP4. */
  readonly number: number;
  readonly configs: readonly PlannedConfig[];
};

/** Chosen tracks of media files, one after the other in time. */
export type PlannedEpoch = { readonly firstSegment: number; readonly tracks: readonly Track[] };

type OpenTrack = PlannedTrack & { readonly configs: PlannedConfig[] };

/** A track of a media file: what it is in the plan; `null` for one that is not wanted. */
type TrackPlace = { readonly track: number; readonly config: number; readonly timescale: number };

type PlannedFile = {
  readonly number: number;
  readonly tracks: Map<number, TrackPlace | null>;
  /** Wanted tracks, also those of which it has no chunk; found out when a segment first asks. */
  chosen: readonly Track[] | null;
};

/** How a range is planned. */
export type RangePlanOptions = {
  readonly tracks?: StoredTracks;
  readonly gaps?: Gaps;
  /** Added to all times of the media clock, whatever gaps there are, in place of a clock of its own. Units: microseconds. */
  readonly shiftUs?: number;
};

/**
 * What of a range is exported, and when it plays on the export's own clock, which begins at 0: made of the list alone,
 * nothing is read. Segments at the begin that have none of the wanted tracks are left out; in between they are holes.
 */
export class RangePlan {
  readonly chunks = new ChunkColumns();
  readonly segments = new SegmentColumns();
  readonly #tracks: OpenTrack[] = [];
  /** One object for all tracks of an id that have the same configuration. Bounded by the tracks of the media files. */
  readonly #known = new Map<TrackId, Track[]>();
  readonly #files = new Map<string, PlannedFile>();
  readonly #fileKeys: string[] = [];
  readonly #epochs: PlannedEpoch[] = [];
  readonly #range: StoredRange;
  readonly #wanted: StoredTracks;
  readonly #clock: PlanClock;
  /** First segment of the stretch that is open. */
  #stretchFrom = 0;
  /** Where the last segment of the list begins and ends, also one that is left out. */
  #lastStartUs = -Infinity;
  #lastEndUs = -Infinity;
  /** The timeline breaks before the next segment that is taken. */
  #isBroken = false;

  /** Throws: DVR_EXPORT_EMPTY, _LIMIT, _UNKNOWN_TRACK, _BAD_CHUNK. */
  constructor(range: StoredRange, options: RangePlanOptions = {}) {
    this.#range = range;
    this.#wanted = options.tracks ?? {};
    const { gaps = "closed", shiftUs } = options;
    this.#clock = shiftUs === undefined ? new StretchClock(gaps) : new FixedClock(shiftUs);
    for (const segment of range.segments) this.#addSegment(segment);
    if (this.segments.count === 0)
      throw dvrExportErrors.error("DVR_EXPORT_EMPTY", { reason: this.#empty() });
    this.#finishStretch();
  }

  /** Those of which there are chunks; in the order of their first ones. */
  get tracks(): readonly PlannedTrack[] {
    return this.#tracks;
  }

  /** Keys of the media files by their numbers. */
  get fileKeys(): readonly string[] {
    return this.#fileKeys;
  }

  get epochs(): readonly PlannedEpoch[] {
    return this.#epochs;
  }

  /** When the first segment begins to play. Pictures are decoded before that, from 0 on. Units: microseconds. */
  get startUs(): number {
    return this.playsAt(0);
  }

  /** When the last track ends. Units: microseconds. */
  get endUs(): number {
    return this.#clock.endUs;
  }

  /** When a segment begins to play. Units: microseconds. */
  playsAt(segment: number): number {
    return this.segments.startUs[segment]! + this.segments.shiftUs[segment]!;
  }

  /** The number behind that of a segment's last chunk. */
  chunksEnd(segment: number): number {
    const next = segment + 1;
    return next < this.segments.count ? this.segments.firstChunk[next]! : this.chunks.count;
  }

  /** From the media clock to the export's, of a chunk. Units: microseconds. */
  shiftOf(chunk: number): number {
    return this.segments.shiftUs[this.chunks.segment[chunk]!]!;
  }

  /** The configuration of a chunk's track. */
  trackOf(chunk: number): Track {
    return this.#tracks[this.chunks.track[chunk]!]!.configs[this.chunks.config[chunk]!]!.track;
  }

  /** The media file of a chunk. */
  fileOf(chunk: number): string {
    return this.#fileKeys[this.chunks.file[chunk]!]!;
  }

  #addSegment(segment: StoredSegment): void {
    const { startUs, durationUs } = segment;
    const isBroken =
      segment.discontinuity || startUs < this.#lastStartUs || startUs - this.#lastEndUs > MAX_HOLE_US;
    this.#isBroken ||= isBroken;
    this.#lastStartUs = startUs;
    this.#lastEndUs = startUs + durationUs;
    const { count } = this.chunks;
    for (const chunk of segment.chunks) {
      const file = this.#fileNamed(chunk.mediaFileKey);
      const place = this.#placeOf(file, chunk);
      if (place === null) continue;
      if (this.chunks.count === count) this.#openSegment(segment, file);
      this.#addChunk(chunk, file, place);
    }
    if (this.chunks.count > count) this.#clock.addSegment(startUs + durationUs);
  }

  /** It has a chunk that is wanted. */
  #openSegment(segment: StoredSegment, file: PlannedFile): void {
    if (this.#isBroken || this.segments.count === 0) {
      if (this.segments.count > 0) this.#finishStretch();
      this.#stretchFrom = this.segments.count;
      this.#clock.begin(segment.startUs);
      this.#isBroken = false;
    }
    const tracks = this.#chosenOf(file);
    if (!areSame(tracks, this.#epochs.at(-1)?.tracks))
      this.#epochs.push({ firstSegment: this.segments.count, tracks });
    this.segments.push(segment, this.chunks.count, this.#epochs.length - 1);
  }

  #addChunk(chunk: StoredChunk, file: PlannedFile, place: TrackPlace): void {
    if (this.chunks.count >= EXPORT_LIMITS.chunks)
      throw tooMany("a number of chunks", EXPORT_LIMITS.chunks);
    checkChunk(chunk);
    this.#clock.addChunk(place.track, place.timescale, chunk.startUs, chunk.durationUs);
    const segment = this.segments.count - 1;
    this.chunks.push(chunk, { track: place.track, config: place.config, file: file.number, segment });
  }

  #finishStretch(): void {
    this.segments.shiftUs.fill(this.#clock.finish(), this.#stretchFrom, this.segments.count);
  }

  #fileNamed(key: string): PlannedFile {
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    // Bounded by the chunks.
    const file: PlannedFile = { number: this.#fileKeys.length, tracks: new Map(), chosen: null };
    this.#files.set(key, file);
    this.#fileKeys.push(key);
    return file;
  }

  #placeOf(file: PlannedFile, chunk: StoredChunk): TrackPlace | null {
    const known = file.tracks.get(chunk.trackNumber);
    if (known !== undefined) return known;
    const tracks = this.#range.mediaFiles.get(chunk.mediaFileKey) ?? [];
    const track = tracks.find(({ id }) => trackNumber(id) === chunk.trackNumber);
    if (track === undefined) {
      throw dvrExportErrors.error("DVR_EXPORT_UNKNOWN_TRACK", {
        number: chunk.trackNumber,
        file: chunk.mediaFileKey,
        time: utcTime(chunk.startUs),
      });
    }
    const place = this.#isWanted(track) ? this.#planTrack(this.#oneOf(track), chunk.startUs) : null;
    file.tracks.set(chunk.trackNumber, place);
    return place;
  }

  #isWanted(track: Track): boolean {
    const { ids } = this.#wanted;
    return (ids === undefined || ids.includes(track.id)) && this.#wanted.accepts?.(track) !== false;
  }

  #planTrack(track: Track, startUs: number): TrackPlace {
    let number = this.#tracks.findIndex(({ id }) => id === track.id);
    if (number < 0) {
      number = this.#tracks.length;
      this.#tracks.push({ id: track.id, number: trackNumber(track.id), configs: [] });
    }
    const { configs } = this.#tracks[number]!;
    let config = configs.findIndex((known) => known.track === track);
    if (config < 0) {
      config = configs.length;
      if (config >= EXPORT_LIMITS.configs)
        throw tooMany(`a number of configurations of track ${track.id}`, EXPORT_LIMITS.configs);
      configs.push({ track, startUs });
    }
    return { track: number, config, timescale: track.timescale };
  }

  #chosenOf(file: PlannedFile): readonly Track[] {
    if (file.chosen !== null) return file.chosen;
    const tracks = this.#range.mediaFiles.get(this.#fileKeys[file.number]!) ?? [];
    file.chosen = tracks.filter((track) => this.#isWanted(track)).map((track) => this.#oneOf(track));
    return file.chosen;
  }

  #oneOf(track: Track): Track {
    const known = this.#known.get(track.id) ?? [];
    const same = known.find((other) => isSameConfig(other, track));
    if (same !== undefined) return same;
    known.push(track);
    this.#known.set(track.id, known);
    return track;
  }

  #empty(): string {
    if (this.#lastStartUs === -Infinity) return "there is no segment in it";
    const { ids } = this.#wanted;
    if (ids === undefined) return "the format can carry none of its tracks";
    return `it has none of the tracks ${ids.join(", ")} in a form that the format can carry`;
  }
}

/** A time of the media clock for messages, such as 2026-11-23T08:00:00.000Z. */
export function utcTime(us: number): string {
  const date = new Date(Math.floor(us / 1000));
  return Number.isNaN(date.getTime()) ? `${us} us` : date.toISOString();
}

/** Whether what is coded with one configuration can be decoded with the other. */
function isSameConfig(a: Track, b: Track): boolean {
  if (a === b) return true;
  return (
    a.codec === b.codec &&
    a.timescale === b.timescale &&
    a.width === b.width &&
    a.height === b.height &&
    a.sampleRate === b.sampleRate &&
    a.channels === b.channels &&
    equalBytes(a.config, b.config)
  );
}

function areSame(tracks: readonly Track[], before: readonly Track[] | undefined): boolean {
  if (before?.length !== tracks.length) return false;
  return tracks.every((track, i) => track === before[i]);
}

function checkChunk(chunk: StoredChunk): void {
  const { size, headerBytes, samples } = chunk;
  const { chunkBytes } = EXPORT_LIMITS;
  if (size > chunkBytes) throw tooMany(`a length in bytes ${inFile(chunk)}`, chunkBytes, size);
  if (headerBytes > MP4_LIMITS.moofBytes)
    throw tooMany(`a length in bytes of the header ${inFile(chunk)}`, MP4_LIMITS.moofBytes, headerBytes);
  if (samples > EXPORT_LIMITS.samples)
    throw tooMany(`a number of samples ${inFile(chunk)}`, EXPORT_LIMITS.samples, samples);
  if (headerBytes >= MIN_HEADER_BYTES && headerBytes <= size) return;
  const reason = `its header of ${headerBytes} bytes does not fit into its ${size} bytes`;
  const { mediaFileKey: file, offset } = chunk;
  throw dvrExportErrors.error("DVR_EXPORT_BAD_CHUNK", { file, offset, reason });
}

function inFile({ mediaFileKey, offset }: StoredChunk): string {
  return `of the chunk at byte ${offset} of "${mediaFileKey}"`;
}

function tooMany(what: string, limit: number, value = limit + 1): Error {
  return dvrExportErrors.error("DVR_EXPORT_LIMIT", { what, value, limit });
}
