import type { StoredChunk, StoredSegment } from "./stored-range.ts";

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

const FIRST_CAPACITY = 256;

/** Where a chunk belongs. */
export type ChunkPlace = {
  /** Number of its track in the plan. */
  readonly track: number;
  /** Number of its track's configuration. */
  readonly config: number;
  /** Number of its media file. */
  readonly file: number;
  /** Number of its segment. */
  readonly segment: number;
};

/** The chunks of a range as columns of `count` entries: 44 bytes a chunk, where objects would take some hundred. */
export class ChunkColumns {
  count = 0;
  track = new Uint16Array(FIRST_CAPACITY);
  config = new Uint8Array(FIRST_CAPACITY);
  file = new Uint32Array(FIRST_CAPACITY);
  segment = new Uint32Array(FIRST_CAPACITY);
  /** Bytes. */
  offset = new Float64Array(FIRST_CAPACITY);
  size = new Uint32Array(FIRST_CAPACITY);
  headerBytes = new Uint32Array(FIRST_CAPACITY);
  samples = new Uint32Array(FIRST_CAPACITY);
  /** Decode time of the first sample. Units: microseconds, media clock. */
  startUs = new Float64Array(FIRST_CAPACITY);
  /** Microseconds. */
  durationUs = new Float64Array(FIRST_CAPACITY);

  /** Adds a chunk behind the others. */
  push(chunk: StoredChunk, place: ChunkPlace): void {
    const at = this.count++;
    if (at === this.size.length) this.#grow(at * 2);
    this.track[at] = place.track;
    this.config[at] = place.config;
    this.file[at] = place.file;
    this.segment[at] = place.segment;
    this.offset[at] = chunk.offset;
    this.size[at] = chunk.size;
    this.headerBytes[at] = chunk.headerBytes;
    this.samples[at] = chunk.samples;
    this.startUs[at] = chunk.startUs;
    this.durationUs[at] = chunk.durationUs;
  }

  #grow(capacity: number): void {
    this.track = grown(this.track, capacity);
    this.config = grown(this.config, capacity);
    this.file = grown(this.file, capacity);
    this.segment = grown(this.segment, capacity);
    this.offset = grown(this.offset, capacity);
    this.size = grown(this.size, capacity);
    this.headerBytes = grown(this.headerBytes, capacity);
    this.samples = grown(this.samples, capacity);
    this.startUs = grown(this.startUs, capacity);
    this.durationUs = grown(this.durationUs, capacity);
  }
}

/** The segments of a range that have any chunk, as columns of `count` entries. */
export class SegmentColumns {
  count = 0;
  /** Its chunks are those from this one up to the next segment's first one. */
  firstChunk = new Uint32Array(FIRST_CAPACITY);
  /** Presentation time of its begin. Units: microseconds, media clock. */
  startUs = new Float64Array(FIRST_CAPACITY);
  /** Microseconds. */
  durationUs = new Float64Array(FIRST_CAPACITY);
  /** From the media clock to the export's. Units: microseconds. */
  shiftUs = new Float64Array(FIRST_CAPACITY);
  /** Number of its set of tracks. */
  epoch = new Uint32Array(FIRST_CAPACITY);
  /** 1: it begins with a random access point. */
  independent = new Uint8Array(FIRST_CAPACITY);

  /** Adds a segment behind the others. */
  push(segment: StoredSegment, firstChunk: number, epoch: number): void {
    const at = this.count++;
    if (at === this.startUs.length) this.#grow(at * 2);
    this.firstChunk[at] = firstChunk;
    this.startUs[at] = segment.startUs;
    this.durationUs[at] = segment.durationUs;
    this.epoch[at] = epoch;
    this.independent[at] = segment.independent ? 1 : 0;
  }

  #grow(capacity: number): void {
    this.firstChunk = grown(this.firstChunk, capacity);
    this.startUs = grown(this.startUs, capacity);
    this.durationUs = grown(this.durationUs, capacity);
    this.shiftUs = grown(this.shiftUs, capacity);
    this.epoch = grown(this.epoch, capacity);
    this.independent = grown(this.independent, capacity);
  }
}

function grown<T extends Column>(column: T, capacity: number): T {
  const larger = new (column.constructor as new (length: number) => T)(capacity);
  larger.set(column);
  return larger;
}
