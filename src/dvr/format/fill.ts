/**
 * Fills: what of an hour was copied from a peer. They lie beside what the recorder writes and are never mixed with it: an
 * index of the same form, and media files of their own. docs/archive-format.md is the specification.
 */
import { MAX_MEDIA_FILES, hourPath, mediaFile, parseHourPath } from "./hour.ts";
import type { HourChunk, HourIndex, HourSegment } from "./hour-index.ts";
import { INDEX_HEADER_BYTES, buildIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "./index-record.ts";
import { emptyRecord, writeIndexRecord } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";

/** Media files of fills have numbers from this one on, where they stand among those of the recorder. */
export const FIRST_FILL_FILE = MAX_MEDIA_FILES;

/** Two segments that are nearer to each other follow each other without a gap. Units: microseconds. */
export const SAME_US = 1000;

/** A segment with all of its chunks. */
export type StoredFill = HourSegment & { readonly chunks: readonly HourChunk[] };

const FILL_INDEX = /^(.+)\.fill$/;

/** The path of the index of an hour's fills below the stream's folder: `2026/11/23/08.fill`. Throws: DVR_BAD_TIME. */
export function fillIndexFile(hour: number): string {
  return `${hourPath(hour)}.fill`;
}

/** The hour of a path that `fillIndexFile` makes; `null` for any other text. */
export function parseFillIndexFile(path: string): number | null {
  const stem = FILL_INDEX.exec(path)?.[1];
  return stem === undefined ? null : parseHourPath(stem);
}

/**
 * The path of a media file by the number that it has among all of an hour: those of the recorder, and from
 * `FIRST_FILL_FILE` on those of fills, `2026/11/23/08.fill.mp4`, `2026/11/23/08.fill.1.mp4` and so on.
 *
 * Throws: DVR_BAD_TIME; RangeError when there is no such number.
 */
export function storedMediaFile(hour: number, file: number): string {
  if (file < FIRST_FILL_FILE) return mediaFile(hour, file);
  const number = file - FIRST_FILL_FILE;
  if (!Number.isInteger(number) || number >= MAX_MEDIA_FILES)
    throw new RangeError(`an hour has no media file ${file}`);
  return number === 0 ? `${hourPath(hour)}.fill.mp4` : `${hourPath(hour)}.fill.${number}.mp4`;
}

/** The segments of an index with their chunks. */
export function storedFills(index: HourIndex): StoredFill[] {
  return Array.from({ length: index.segmentCount }, (_, place) => ({
    ...index.segment(place),
    chunks: index.chunks(place),
  }));
}

/** What records segments need in an index: a chunk each, and an end. */
export function recordsOf(segments: readonly StoredFill[]): number {
  return segments.reduce((sum, { chunks }) => sum + chunks.length + 1, 0);
}

/**
 * Builds the index of an hour's fills, a group for each segment. Each stretch begins with a break, for another server has
 * made what is in front of it. Ordinals count the hour's fills from 1: those of playlists follow from `merged-hour.ts`.
 *
 * `segments`: in the order of their starts, apart from each other; `file` is the number of a media file of fills.
 * Spec: docs/archive-format.md, "Fills".
 */
export function buildFillIndex(hour: number, segments: readonly StoredFill[]): Uint8Array {
  const bytes = new Uint8Array(INDEX_HEADER_BYTES + recordsOf(segments) * INDEX_RECORD_BYTES);
  bytes.set(buildIndexHeader(hour));
  let at = INDEX_HEADER_BYTES;
  let discontinuities = 0;
  let endUs = -Infinity;
  for (const [place, segment] of segments.entries()) {
    const isBreak = segment.discontinuity || Math.abs(segment.startUs - endUs) > SAME_US;
    if (isBreak) discontinuities++;
    endUs = segment.startUs + segment.durationUs;
    const flags =
      (isBreak ? RECORD_FLAG.discontinuity : 0) | (segment.independent ? RECORD_FLAG.independent : 0);
    for (const record of recordsOfSegment(segment, { ordinal: place + 1, discontinuities, flags })) {
      writeIndexRecord(bytes, at, record);
      at += INDEX_RECORD_BYTES;
    }
  }
  return bytes;
}

function* recordsOfSegment(
  segment: StoredFill,
  { ordinal, discontinuities, flags }: Pick<IndexRecord, "ordinal" | "discontinuities" | "flags">,
): Generator<IndexRecord> {
  const { startUs, durationUs, file, sequence } = segment;
  // The media clock is UTC: when it arrived at the peer is not told.
  const base = { ...emptyRecord(), ordinal, discontinuities, startUs, utcUs: startUs, file, sequence };
  for (const [i, chunk] of segment.chunks.entries()) {
    const { isSync, ...fields } = chunk;
    const first = i === 0 ? flags | RECORD_FLAG.segmentStart : 0;
    yield { ...base, ...fields, kind: RECORD_KIND.chunk, flags: first | (isSync ? RECORD_FLAG.sync : 0) };
  }
  const end = { ...base, kind: RECORD_KIND.segmentEnd, flags: flags | RECORD_FLAG.groupEnd };
  yield { ...end, durationUs };
}
