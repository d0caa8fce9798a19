/** The index of an hour in memory: which segments there are, and where the bytes of each are. */
import { dvrErrors } from "../errors.ts";
import { segmentName } from "../../packaging/live-segment.ts";
import { NOTHING_DELETED, isBehindDeleted, isDeletedAt } from "./deleted-spans.ts";
import type { DeletedSpans } from "./deleted-spans.ts";
import { HOUR_US } from "./hour.ts";
import { ChunkColumns, SegmentColumns, StepColumns } from "./index-columns.ts";
import { INDEX_HEADER_BYTES, readIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "./index-record.ts";
import { emptyRecord, readRecordInto, recordView } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";

/** A segment that is complete. */
export type HourSegment = {
  /** As URLs have it, and as the live window had it: the media clock at its start, in milliseconds. */
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  /** In the whole life of the stream's archive: the media sequence number of playlists. */
  readonly ordinal: number;
  /** The timeline breaks before it. */
  readonly discontinuity: boolean;
  /** It does only since what was in front of it is deleted; `discontinuities` does not count that. */
  readonly isBehindDeleted: boolean;
  /** Breaks that the archive had up to and including it, as they were recorded. */
  readonly discontinuities: number;
  /** It begins with a random access point of the reference track. */
  readonly independent: boolean;
  /** Number of the media file that has all of its chunks. */
  readonly file: number;
  /** Low 32 bits of the number that it had while it was live. */
  readonly sequence: number;
};

/** Samples of one track: a `moof` and its `mdat`. */
export type HourChunk = {
  /** As in MP4 (`trackNumber`). */
  readonly trackNumber: number;
  /** Where the `moof` begins in the segment's media file. Units: bytes. */
  readonly offset: number;
  /** Of `moof` and `mdat` together. Units: bytes. */
  readonly size: number;
  /** Of that, in front of the payload. */
  readonly headerBytes: number;
  readonly samples: number;
  /** When its first sample is decoded. */
  readonly startUs: number;
  readonly durationUs: number;
  /** It begins with a sync sample. */
  readonly isSync: boolean;
};

/** The wall clock was set. */
export type ClockStep = {
  /** Media clock, which does not step. */
  readonly mediaUs: number;
  /** What the wall clock said then. */
  readonly utcUs: number;
};

/** Why bytes of an index were not taken. */
export type IndexStop = {
  /**
   * `open-group`: the bytes end within a group, which is how an hour looks while it is recorded. `bad-record`: a record
   * there is none, and nothing behind it is read. `full`: there are more records than an hour may have.
   */
  readonly kind: "open-group" | "bad-record" | "full";
  /** Where in the index the group or record begins. Units: bytes. */
  readonly offset: number;
};

/**
 * Most records that an hour may have: 72 a second, where a stream of two tracks needs two. An index is no longer, on disk
 * as in memory, than this many times 64 bytes. Stops a file that was made to hurt.
 */
export const MAX_HOUR_RECORDS = 2 ** 18;

/** More about how an index is read. */
export type HourIndexOptions = {
  /** For messages. */
  readonly path?: string;
  /** `MAX_HOUR_RECORDS` unless given. */
  readonly maxRecords?: number;
  /** Segments that start in one of these are none; the first one behind a span begins with a break. */
  readonly deleted?: DeletedSpans;
};

/** A segment that has begun and whose end record has not come. */
type OpenSegment = {
  readonly ordinal: number;
  readonly file: number;
  readonly flags: number;
  /** Its chunks are the rows from this one on. */
  readonly firstChunk: number;
};

/** How far the tables are filled with whole groups. */
type Filled = {
  readonly chunks: number;
  readonly segments: number;
  readonly steps: number;
  readonly ignored: number;
  readonly writtenUs: number;
  readonly open: OpenSegment | null;
};

/** A flag of ours, which no record has. */
const BEHIND_DELETED = 128;
const MAX_CHUNKS = 2 ** 16 - 1;
const MAX_ORDINAL_STEP = 2 ** 32 - 1;
const SEGMENT_NAME = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * What an hour's index says. Segments stand in the order of their starts and are known by their place in it, from 0; only
 * those with an end record are among them.
 *
 * Records come in groups, and only whole groups are taken. Within them, what makes no sense where it stands (a chunk of no
 * segment, an end without a beginning, a segment that does not start later than the one before it, or in another hour) is
 * passed over and counted: it costs its segment and not the hour.
 *
 * Memory: at most 64 bytes a record, and a little. Bound: `MAX_HOUR_RECORDS`.
 */
export class HourIndex {
  /** In hours since 1970. */
  readonly hour: number;
  readonly #maxRecords: number;
  readonly #deleted: DeletedSpans;
  readonly #chunks = new ChunkColumns();
  readonly #segments = new SegmentColumns();
  readonly #steps = new StepColumns();
  readonly #record = emptyRecord();
  #open: OpenSegment | null = null;
  #ignored = 0;
  #readBytes = INDEX_HEADER_BYTES;
  #stop: IndexStop | null = null;
  #firstOrdinal = 0;
  #writtenUs = 0;

  private constructor(hour: number, { maxRecords, deleted }: Required<Omit<HourIndexOptions, "path">>) {
    this.hour = hour;
    this.#maxRecords = maxRecords;
    this.#deleted = deleted;
  }

  /**
   * Reads an index from its beginning; `stop` says where it could not go on.
   *
   * Ownership: `bytes` are not kept. Throws: DVR_BAD_INDEX when they have no whole header, DVR_INDEX_VERSION.
   * Spec: docs/archive-format.md, "Reading".
   */
  static parse(bytes: Uint8Array, options: HourIndexOptions = {}): HourIndex {
    const { path = "in memory", maxRecords = MAX_HOUR_RECORDS, deleted = NOTHING_DELETED } = options;
    const header = readIndexHeader(bytes, path);
    if (header === null) throw dvrErrors.error("DVR_BAD_INDEX", { path, reason: "its header is cut off" });
    const index = new HourIndex(header.hour, { maxRecords, deleted });
    const records = bytes.subarray(INDEX_HEADER_BYTES);
    index.#reserve(records);
    index.append(records);
    return index;
  }

  /**
   * Reads on: `bytes` are those of the file from `readBytes` on. The last record of a group that was not whole comes
   * again with them.
   *
   * Returns: how many of the bytes were taken. Ownership: `bytes` are not kept.
   */
  append(bytes: Uint8Array): number {
    const view = recordView(bytes);
    const record = this.#record;
    let taken = 0;
    let at = 0;
    let filled = this.#filled();
    let kind: IndexStop["kind"] = "open-group";
    for (; at + INDEX_RECORD_BYTES <= bytes.byteLength; at += INDEX_RECORD_BYTES) {
      if (this.#readBytes + at >= this.#limitBytes) kind = "full";
      else if (!readRecordInto(view, at, record)) kind = "bad-record";
      if (kind !== "open-group") break;
      this.#take(record);
      if ((record.flags & RECORD_FLAG.groupEnd) === 0) continue;
      filled = this.#filled();
      taken = at + INDEX_RECORD_BYTES;
    }
    this.#goBackTo(filled);
    const stopAt = kind === "open-group" ? taken : at;
    this.#stop = stopAt === bytes.byteLength ? null : { kind, offset: this.#readBytes + stopAt };
    this.#readBytes += taken;
    return taken;
  }

  /** Bytes of the index that were taken, with the header: where reading goes on. */
  get readBytes(): number {
    return this.#readBytes;
  }

  /** Bytes of the file of deleted spans that count. */
  get deletedBytes(): number {
    return this.#deleted.wholeBytes;
  }

  /** Why the last bytes were not all taken; `null` when they were. */
  get stop(): IndexStop | null {
    return this.#stop;
  }

  /**
   * When the last complete segment was written: the wall clock, in microseconds; 0 where there is none. Its media is some
   * time older, and by more where the wall clock was set.
   */
  get writtenUs(): number {
    return this.#writtenUs;
  }

  /** Complete segments. */
  get segmentCount(): number {
    return this.#segments.count;
  }

  /** Records that made no sense where they stood. */
  get ignoredRecords(): number {
    return this.#ignored;
  }

  /** What the tables take in memory. */
  get memoryBytes(): number {
    return this.#chunks.memoryBytes + this.#segments.memoryBytes + this.#steps.memoryBytes;
  }

  /** The segment at a place. Throws: RangeError when there is none. */
  segment(place: number): HourSegment {
    const rows = this.#segments;
    this.#check(place);
    const startUs = rows.startsUs[place]!;
    const flags = rows.flags[place]!;
    return {
      name: segmentName(startUs),
      startUs,
      durationUs: rows.durationsUs[place]!,
      ordinal: this.#firstOrdinal + rows.ordinalSteps[place]!,
      discontinuity: (flags & (RECORD_FLAG.discontinuity | BEHIND_DELETED)) !== 0,
      isBehindDeleted: (flags & BEHIND_DELETED) !== 0,
      discontinuities: rows.discontinuities[place]!,
      independent: (flags & RECORD_FLAG.independent) !== 0,
      file: rows.files[place]!,
      sequence: rows.sequences[place]!,
    };
  }

  /** The segments from a place on up to, and without, another. */
  *segments(from = 0, to = this.segmentCount): Generator<HourSegment> {
    for (let place = from; place < to; place++) yield this.segment(place);
  }

  /** The chunks of a segment as they lie in its media file, of one track where a number is given. */
  chunks(place: number, trackNumber?: number): HourChunk[] {
    this.#check(place);
    const first = this.#segments.firstChunks[place]!;
    const end = first + this.#segments.chunkCounts[place]!;
    const chunks: HourChunk[] = [];
    for (let row = first; row < end; row++) {
      if (trackNumber === undefined || this.#chunks.trackNumbers[row] === trackNumber)
        chunks.push(this.#chunk(row));
    }
    return chunks;
  }

  /** The place of the first segment that starts at a time or later; `segmentCount` when none does. */
  placeFrom(us: number): number {
    return this.#segments.lowerBound(us);
  }

  /** The place of the last segment that starts at a time or earlier; -1 when none does. It may end before that time. */
  placeAt(us: number): number {
    const place = this.#segments.lowerBound(us);
    return this.#segments.startsUs[place] === us && place < this.segmentCount ? place : place - 1;
  }

  /** The place of the segment that URLs name so; -1 when there is none. */
  placeOfName(name: string): number {
    if (!SEGMENT_NAME.test(name)) return -1;
    const place = this.#segments.lowerBound(Number(name) * 1000);
    return place < this.segmentCount && segmentName(this.#segments.startsUs[place]!) === name ? place : -1;
  }

  /** When the wall clock was set, in the order of the records. */
  clockSteps(): ClockStep[] {
    return Array.from({ length: this.#steps.count }, (_, row) => ({
      mediaUs: this.#steps.mediaUs[row]!,
      utcUs: this.#steps.utcUs[row]!,
    }));
  }

  get #limitBytes(): number {
    return INDEX_HEADER_BYTES + this.#maxRecords * INDEX_RECORD_BYTES;
  }

  /** Makes the tables as large as these records need them, so that reading a whole hour leaves nothing free. */
  #reserve(bytes: Uint8Array): void {
    const end = Math.min(bytes.byteLength, this.#maxRecords * INDEX_RECORD_BYTES);
    let chunks = 0;
    let segments = 0;
    for (let at = 4; at < end; at += INDEX_RECORD_BYTES) {
      if (bytes[at] === RECORD_KIND.chunk) chunks++;
      else if (bytes[at] === RECORD_KIND.segmentEnd) segments++;
    }
    this.#chunks.reserve(chunks);
    this.#segments.reserve(segments);
  }

  #take(record: IndexRecord): void {
    if (record.kind === RECORD_KIND.chunk) this.#takeChunk(record);
    else if (record.kind === RECORD_KIND.segmentEnd) this.#takeEnd(record);
    else if (record.kind === RECORD_KIND.fact) this.#steps.add(record);
    // What a segment start tells is for recovery: the end record says it again.
  }

  #takeChunk(record: IndexRecord): void {
    const { ordinal, file, flags } = record;
    const firstChunk = this.#chunks.count;
    if ((flags & RECORD_FLAG.segmentStart) !== 0) this.#open = { ordinal, file, flags, firstChunk };
    const open = this.#open;
    if (open?.ordinal === ordinal && open.file === file && firstChunk - open.firstChunk < MAX_CHUNKS) {
      this.#chunks.add(record);
      return;
    }
    this.#ignored++;
    this.#open = null;
  }

  #takeEnd(record: IndexRecord): void {
    const open = this.#open;
    this.#open = null;
    if (open?.ordinal !== record.ordinal || !this.#goesOn(record)) {
      this.#ignored++;
      return;
    }
    if (isDeletedAt(this.#deleted, record.startUs)) return;
    const flags = open.flags | record.flags;
    const breaks = (flags & RECORD_FLAG.discontinuity) === 0 && this.#isBehindDeleted(record.startUs);
    if (this.#segments.count === 0) this.#firstOrdinal = record.ordinal;
    this.#writtenUs = record.utcUs;
    this.#segments.add(record, {
      ordinalStep: record.ordinal - this.#firstOrdinal,
      flags: breaks ? flags | BEHIND_DELETED : flags,
      file: open.file,
      firstChunk: open.firstChunk,
      chunkCount: this.#chunks.count - open.firstChunk,
    });
  }

  /** Whether something is deleted between the last segment, or the beginning of the hour, and a time. */
  #isBehindDeleted(us: number): boolean {
    const { count, startsUs } = this.#segments;
    return isBehindDeleted(this.#deleted, count === 0 ? -Infinity : startsUs[count - 1]!, us);
  }

  /** Whether a segment can stand behind those that are there. */
  #goesOn({ startUs, ordinal }: IndexRecord): boolean {
    if (Math.floor(startUs / HOUR_US) !== this.hour) return false;
    const last = this.#segments.count - 1;
    if (last < 0) return true;
    const step = ordinal - this.#firstOrdinal;
    const isNext = step > this.#segments.ordinalSteps[last]! && step <= MAX_ORDINAL_STEP;
    // Two within one millisecond would have one name.
    return isNext && Math.floor(startUs / 1000) > Math.floor(this.#segments.startsUs[last]! / 1000);
  }

  #chunk(row: number): HourChunk {
    const rows = this.#chunks;
    return {
      trackNumber: rows.trackNumbers[row]!,
      offset: rows.offsets[row]!,
      size: rows.sizes[row]!,
      headerBytes: rows.headerBytes[row]!,
      samples: rows.samples[row]!,
      startUs: rows.startsUs[row]!,
      durationUs: rows.durationsUs[row]!,
      isSync: (rows.flags[row]! & RECORD_FLAG.sync) !== 0,
    };
  }

  #check(place: number): void {
    if (!(place >= 0 && place < this.segmentCount)) throw new RangeError(`no segment at place ${place}`);
  }

  #filled(): Filled {
    return {
      chunks: this.#chunks.count,
      segments: this.#segments.count,
      steps: this.#steps.count,
      ignored: this.#ignored,
      writtenUs: this.#writtenUs,
      open: this.#open,
    };
  }

  #goBackTo(filled: Filled): void {
    this.#chunks.count = filled.chunks;
    this.#segments.count = filled.segments;
    this.#steps.count = filled.steps;
    this.#ignored = filled.ignored;
    this.#writtenUs = filled.writtenUs;
    this.#open = filled.open;
  }
}
