/** What an hour's index keeps in memory of its records: columns of numbers, for a day has some hundred thousand. */
import type { IndexRecord } from "./index-record.ts";

type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array;

/** Rows of the smallest table: less is not worth growing from. */
const MIN_ROWS = 16;

/**
 * One row a chunk: 32 bytes. With tables that double as they grow, no chunk takes more than its record does on disk.
 *
 * Rows from `count` on are free.
 */
export class ChunkColumns {
  count = 0;
  offsets = new Float64Array(0);
  startsUs = new Float64Array(0);
  sizes = new Uint32Array(0);
  headerBytes = new Uint32Array(0);
  durationsUs = new Uint32Array(0);
  samples = new Uint16Array(0);
  trackNumbers = new Uint8Array(0);
  flags = new Uint8Array(0);

  /** Makes room for so many rows, and not for one more. */
  reserve(rows: number): void {
    this.offsets = grown(this.offsets, rows);
    this.startsUs = grown(this.startsUs, rows);
    this.sizes = grown(this.sizes, rows);
    this.headerBytes = grown(this.headerBytes, rows);
    this.durationsUs = grown(this.durationsUs, rows);
    this.samples = grown(this.samples, rows);
    this.trackNumbers = grown(this.trackNumbers, rows);
    this.flags = grown(this.flags, rows);
  }

  add(record: IndexRecord): void {
    if (this.count === this.offsets.length) this.reserve(Math.max(MIN_ROWS, this.count * 2));
    const row = this.count++;
    this.offsets[row] = record.offset;
    this.startsUs[row] = record.startUs;
    this.sizes[row] = record.size;
    this.headerBytes[row] = record.headerBytes;
    this.durationsUs[row] = record.durationUs;
    this.samples[row] = record.samples;
    this.trackNumbers[row] = record.trackNumber;
    this.flags[row] = record.flags;
  }

  /** What the tables take, free rows as well. */
  get memoryBytes(): number {
    return sizeOf(
      this.offsets,
      this.startsUs,
      this.sizes,
      this.headerBytes,
      this.durationsUs,
      this.samples,
      this.trackNumbers,
      this.flags,
    );
  }
}

/** What is in a row of segments beside the fields of the segment's end record. */
export type SegmentPlace = {
  /** Less the first ordinal of the hour. */
  readonly ordinalStep: number;
  readonly flags: number;
  readonly file: number;
  readonly firstChunk: number;
  readonly chunkCount: number;
};

/** One row a complete segment: 32 bytes, too. */
export class SegmentColumns {
  count = 0;
  startsUs = new Float64Array(0);
  durationsUs = new Uint32Array(0);
  ordinalSteps = new Uint32Array(0);
  discontinuities = new Uint32Array(0);
  sequences = new Uint32Array(0);
  firstChunks = new Uint32Array(0);
  chunkCounts = new Uint16Array(0);
  flags = new Uint8Array(0);
  files = new Uint8Array(0);

  /** Makes room for so many rows, and not for one more. */
  reserve(rows: number): void {
    this.startsUs = grown(this.startsUs, rows);
    this.durationsUs = grown(this.durationsUs, rows);
    this.ordinalSteps = grown(this.ordinalSteps, rows);
    this.discontinuities = grown(this.discontinuities, rows);
    this.sequences = grown(this.sequences, rows);
    this.firstChunks = grown(this.firstChunks, rows);
    this.chunkCounts = grown(this.chunkCounts, rows);
    this.flags = grown(this.flags, rows);
    this.files = grown(this.files, rows);
  }

  /** `end`: the segment's end record. */
  add(end: IndexRecord, place: SegmentPlace): void {
    if (this.count === this.startsUs.length) this.reserve(Math.max(MIN_ROWS, this.count * 2));
    const row = this.count++;
    this.startsUs[row] = end.startUs;
    this.durationsUs[row] = end.durationUs;
    this.ordinalSteps[row] = place.ordinalStep;
    this.discontinuities[row] = end.discontinuities;
    this.sequences[row] = end.sequence;
    this.firstChunks[row] = place.firstChunk;
    this.chunkCounts[row] = place.chunkCount;
    this.flags[row] = place.flags;
    this.files[row] = place.file;
  }

  /** Of the first rows, how many begin before a time: where a segment that begins then stands, or would. */
  lowerBound(us: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.startsUs[middle]! < us) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What the tables take, free rows as well. */
  get memoryBytes(): number {
    return sizeOf(
      this.startsUs,
      this.durationsUs,
      this.ordinalSteps,
      this.discontinuities,
      this.sequences,
      this.firstChunks,
      this.chunkCounts,
      this.flags,
      this.files,
    );
  }
}

/** One row each time that the wall clock was set: 16 bytes. */
export class StepColumns {
  count = 0;
  mediaUs = new Float64Array(0);
  utcUs = new Float64Array(0);

  add(record: IndexRecord): void {
    if (this.count === this.mediaUs.length) {
      const rows = Math.max(MIN_ROWS, this.count * 2);
      this.mediaUs = grown(this.mediaUs, rows);
      this.utcUs = grown(this.utcUs, rows);
    }
    const row = this.count++;
    this.mediaUs[row] = record.startUs;
    this.utcUs[row] = record.utcUs;
  }

  /** What the tables take, free rows as well. */
  get memoryBytes(): number {
    return sizeOf(this.mediaUs, this.utcUs);
  }
}

/** The column with room for `rows`; the same one where it has that. */
function grown<Kind extends Column>(column: Kind, rows: number): Kind {
  if (rows <= column.length) return column;
  const larger = new (column.constructor as new (length: number) => Kind)(rows);
  larger.set(column);
  return larger;
}

function sizeOf(...columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + column.byteLength, 0);
}
