/** The record of which the index of an hour is made; docs/archive-format.md is its specification. */
import { crc32 } from "./crc32.ts";

/** What a record takes in the index. */
export const INDEX_RECORD_BYTES = 64;

/** What a record tells. */
export const RECORD_KIND = {
  /** Samples of one track are in a media file. */
  chunk: 1,
  /** A segment is complete: what it is called and how long it is. */
  segmentEnd: 2,
  /** Something happened; today only that the wall clock was set. */
  fact: 3,
  /** A segment begins whose end comes with a later group: what it will be called. */
  segmentStart: 4,
} as const;

/** One of `RECORD_KIND`. */
export type RecordKind = (typeof RECORD_KIND)[keyof typeof RECORD_KIND];

/** Bits of a record's flags. */
export const RECORD_FLAG = {
  /** The last record of one append: readers and recovery take whole groups only. */
  groupEnd: 1,
  /** The first chunk of its segment. */
  segmentStart: 2,
  /** The chunk begins with a sync sample. */
  sync: 4,
  /** The timeline breaks before this segment. */
  discontinuity: 8,
  /** The segment begins with a random access point of the reference track. */
  independent: 16,
  /** The wall clock was set. */
  clockStep: 32,
} as const;

/** A record as data. What a kind has no use for is 0. */
export type IndexRecord = {
  readonly kind: RecordKind;
  /** As in MP4 (`trackNumber`), for chunks. */
  readonly trackNumber: number;
  /** Bits of `RECORD_FLAG`. */
  readonly flags: number;
  /** Of the segment, in the whole life of the stream's archive. */
  readonly ordinal: number;
  /**
   * Media clock: when a chunk's first sample is decoded; where the segment starts, for segment start and end; when a
   * fact happened.
   */
  readonly startUs: number;
  /** Wall clock: when the media arrived; for a clock step, what the clock says after it. */
  readonly utcUs: number;
  /** Of the chunk's samples together, or of the segment. */
  readonly durationUs: number;
  /** Breaks that the archive had up to and including this segment. */
  readonly discontinuities: number;
  /** Where the chunk's `moof` begins in its media file. Units: bytes. */
  readonly offset: number;
  /** Of `moof` and `mdat` together. Units: bytes. */
  readonly size: number;
  /** Of that, in front of the payload: `moof` and the header of `mdat`. */
  readonly headerBytes: number;
  /** Samples of the chunk. */
  readonly samples: number;
  /** Number of the media file. */
  readonly file: number;
  /** Low 32 bits of the live media sequence number. */
  readonly sequence: number;
};

/** A record that is filled again and again, where a new one for each would cost too much. */
export type RecordFields = { -readonly [Field in keyof IndexRecord]: IndexRecord[Field] };

/** Smallest of the headers that a chunk may have: `moof` with an `mfhd` alone, and the header of `mdat`. */
const MIN_HEADER_BYTES = 32;
/** Of the most samples that a chunk can have, 16 bytes each, and room. Recovery reads a header whole. */
const MAX_HEADER_BYTES = 2 ** 21;

const U8 = 2 ** 8 - 1;
const U16 = 2 ** 16 - 1;
const U32 = 2 ** 32 - 1;

const { groupEnd, segmentStart, sync, discontinuity, independent, clockStep } = RECORD_FLAG;
const SEGMENT_FLAGS = discontinuity | independent;

/** The bits that a record of each kind may have. */
const KIND_FLAGS: readonly number[] = [
  0,
  groupEnd | segmentStart | sync | SEGMENT_FLAGS,
  groupEnd | SEGMENT_FLAGS,
  groupEnd | clockStep,
  groupEnd | SEGMENT_FLAGS,
];

/** Fields narrower than the safe integers, which a reader cannot find too big. */
const WIDTHS = [
  ["durationUs", U32],
  ["discontinuities", U32],
  ["size", U32],
  ["headerBytes", U32],
  ["samples", U16],
  ["file", U8],
  ["sequence", U32],
] as const;

/** A record with nothing in it, to be filled. */
export function emptyRecord(): RecordFields {
  return {
    kind: RECORD_KIND.fact,
    trackNumber: 0,
    flags: 0,
    ordinal: 0,
    startUs: 0,
    utcUs: 0,
    durationUs: 0,
    discontinuities: 0,
    offset: 0,
    size: 0,
    headerBytes: 0,
    samples: 0,
    file: 0,
    sequence: 0,
  };
}

/** A view by which records are read and written. */
export function recordView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Writes a record, with its checksum.
 *
 * Throws: RangeError when a reader would refuse it, or there is no room: the caller's mistake. Nothing is written then.
 * Spec: docs/archive-format.md, "Record".
 */
export function writeIndexRecord(into: Uint8Array, at: number, record: IndexRecord): void {
  const field = WIDTHS.find(([name, most]) => !isCount(record[name], most))?.[0] ?? wrongField(record);
  if (field !== null) throw new RangeError(`no index record can have ${field} ${record[field]}`);
  if (at < 0 || at + INDEX_RECORD_BYTES > into.byteLength)
    throw new RangeError(`no room for an index record at ${at} of ${into.byteLength} bytes`);
  const view = recordView(into);
  view.setUint8(at + 4, record.kind);
  view.setUint8(at + 5, record.trackNumber);
  view.setUint16(at + 6, record.flags, true);
  writeU64(view, at + 8, record.ordinal);
  writeU64(view, at + 16, record.startUs);
  writeU64(view, at + 24, record.utcUs);
  view.setUint32(at + 32, record.durationUs, true);
  view.setUint32(at + 36, record.discontinuities, true);
  writeU64(view, at + 40, record.offset);
  view.setUint32(at + 48, record.size, true);
  view.setUint32(at + 52, record.headerBytes, true);
  view.setUint16(at + 56, record.samples, true);
  view.setUint8(at + 58, record.file);
  view.setUint8(at + 59, 0);
  view.setUint32(at + 60, record.sequence, true);
  view.setUint32(at, crc32(view, at + 4, at + INDEX_RECORD_BYTES), true);
}

/** The record at a place; `null` when its checksum is wrong, a field cannot be so, or the bytes end within it. */
export function readIndexRecord(bytes: Uint8Array, at: number): IndexRecord | null {
  if (at < 0 || at + INDEX_RECORD_BYTES > bytes.byteLength) return null;
  const record = emptyRecord();
  return readRecordInto(recordView(bytes), at, record) ? record : null;
}

/**
 * The same into a record that is there already. All its bytes are within the view.
 *
 * Returns: `false` when the checksum is wrong or a field cannot be so; the record then has fields of no use.
 * Spec: docs/archive-format.md, "Record".
 */
export function readRecordInto(view: DataView, at: number, record: RecordFields): boolean {
  if (view.getUint32(at, true) !== crc32(view, at + 4, at + INDEX_RECORD_BYTES)) return false;
  record.kind = view.getUint8(at + 4) as RecordKind;
  record.trackNumber = view.getUint8(at + 5);
  record.flags = view.getUint16(at + 6, true);
  record.ordinal = readU64(view, at + 8);
  record.startUs = readU64(view, at + 16);
  record.utcUs = readU64(view, at + 24);
  record.durationUs = view.getUint32(at + 32, true);
  record.discontinuities = view.getUint32(at + 36, true);
  record.offset = readU64(view, at + 40);
  record.size = view.getUint32(at + 48, true);
  record.headerBytes = view.getUint32(at + 52, true);
  record.samples = view.getUint16(at + 56, true);
  record.file = view.getUint8(at + 58);
  record.sequence = view.getUint32(at + 60, true);
  return view.getUint8(at + 59) === 0 && wrongField(record) === null;
}

/** The first field whose value the format does not allow; `null` when all are well. */
function wrongField(record: IndexRecord): keyof IndexRecord | null {
  const { kind, flags, startUs, durationUs } = record;
  if (!Number.isInteger(kind) || kind < RECORD_KIND.chunk || kind > RECORD_KIND.segmentStart) return "kind";
  if (!isCount(flags, U16) || (flags & ~KIND_FLAGS[kind]!) !== 0) return "flags";
  if (!isCount(record.ordinal, Number.MAX_SAFE_INTEGER)) return "ordinal";
  if (!isCount(startUs, Number.MAX_SAFE_INTEGER - durationUs)) return "startUs";
  if (!isCount(record.utcUs, Number.MAX_SAFE_INTEGER)) return "utcUs";
  return kind === RECORD_KIND.chunk ? wrongChunkField(record) : wrongMarkField(record);
}

function wrongChunkField(record: IndexRecord): keyof IndexRecord | null {
  const { flags, trackNumber, offset, size, headerBytes } = record;
  if ((flags & segmentStart) === 0 && (flags & SEGMENT_FLAGS) !== 0) return "flags";
  // Numbers of video, audio and text; see `trackNumber`.
  if (!isCount(trackNumber, U8) || trackNumber % 100 === 0) return "trackNumber";
  // The init segment is in front of every chunk.
  if (!isCount(offset, Number.MAX_SAFE_INTEGER - size) || offset === 0) return "offset";
  if (headerBytes < MIN_HEADER_BYTES || headerBytes > MAX_HEADER_BYTES) return "headerBytes";
  if (size < headerBytes) return "size";
  return record.samples === 0 ? "samples" : null;
}

/** Of a record that stands for no bytes. */
function wrongMarkField(record: IndexRecord): keyof IndexRecord | null {
  if (record.trackNumber !== 0) return "trackNumber";
  if (record.offset !== 0) return "offset";
  if (record.size !== 0) return "size";
  if (record.headerBytes !== 0) return "headerBytes";
  if (record.samples !== 0) return "samples";
  if (record.kind === RECORD_KIND.segmentEnd) return null;
  if (record.durationUs !== 0) return "durationUs";
  return record.kind === RECORD_KIND.fact && (record.flags & clockStep) === 0 ? "flags" : null;
}

function isCount(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

/** Above the safe integers low bits are lost, but never so many that the number seems to be safe. */
function readU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
