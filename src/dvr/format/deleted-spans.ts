/**
 * The file of an hour's deleted spans, HH.del: records of 32 bytes, each with a checksum, which are only added.
 *
 *      0  u32  CRC-32 of bytes 4 to 31
 *      4  u32  1: segments that start in the span are deleted
 *      8  i64  from, microseconds of the media clock
 *     16  i64  to, which does not belong to it
 *     24  i64  when it was deleted, by the wall clock, microseconds since 1970
 *
 * Spec: docs/archive-format.md, "Deleted spans".
 */
import { crc32 } from "./crc32.ts";
import { hourPath, parseHourPath } from "./hour.ts";

/** A stretch of time of which nothing is listed any more. Units: microseconds of the media clock. */
export type DeletedSpan = { readonly fromUs: number; readonly toUs: number };

/** What is deleted of an hour. */
export type DeletedSpans = {
  /** In order of their starts. */
  readonly spans: readonly DeletedSpan[];
  /** Up to where the file has whole records: more is to be added there. */
  readonly wholeBytes: number;
};

/** Of an hour without such a file. */
export const NOTHING_DELETED: DeletedSpans = { spans: [], wholeBytes: 0 };

/** Bytes of a record. */
export const DELETED_SPAN_BYTES = 32;

/** A file is no longer: 4096 spans. A reader may stop there. */
export const MAX_DELETED_BYTES = 4096 * DELETED_SPAN_BYTES;

const KIND = 1;

const DELETED_FILE = /^(.+)\.del$/;

/** The path of the file below its stream's folder: `2026/11/23/08.del`. Throws: DVR_BAD_TIME. */
export function deletedFile(hour: number): string {
  return `${hourPath(hour)}.del`;
}

/** The hour of a path that `deletedFile` makes; `null` for any other text. */
export function parseDeletedFile(path: string): number | null {
  const stem = DELETED_FILE.exec(path)?.[1];
  return stem === undefined ? null : parseHourPath(stem);
}

/** Whether a segment that starts then is deleted. */
export function isDeletedAt({ spans }: DeletedSpans, startUs: number): boolean {
  return spans.some(({ fromUs, toUs }) => fromUs <= startUs && startUs < toUs);
}

/**
 * Whether the timeline breaks before a segment, since something is deleted in front of it. `beforeUs`: where the segment
 * before it starts that is listed; -Infinity where none of its hour is.
 */
export function isBehindDeleted({ spans }: DeletedSpans, beforeUs: number, startUs: number): boolean {
  return spans.some(({ fromUs, toUs }) => beforeUs < fromUs && toUs <= startUs);
}

/** Builds one record. `deletedAtUs`: wall clock. */
export function buildDeletedSpan({ fromUs, toUs }: DeletedSpan, deletedAtUs: number): Uint8Array {
  const bytes = new Uint8Array(DELETED_SPAN_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, KIND, true);
  view.setBigInt64(8, BigInt(fromUs), true);
  view.setBigInt64(16, BigInt(toUs), true);
  view.setBigInt64(24, BigInt(deletedAtUs), true);
  view.setUint32(0, crc32(view, 4, DELETED_SPAN_BYTES), true);
  return bytes;
}

/**
 * Reads the file. A record that is none is passed over, for what is behind it was deleted all the same; a torn one at the
 * end counts for nothing. Never throws.
 */
export function readDeletedSpans(bytes: Uint8Array): DeletedSpans {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const spans: DeletedSpan[] = [];
  let at = 0;
  for (; at + DELETED_SPAN_BYTES <= bytes.byteLength; at += DELETED_SPAN_BYTES) {
    if (view.getUint32(at, true) !== crc32(view, at + 4, at + DELETED_SPAN_BYTES)) continue;
    const fromUs = Number(view.getBigInt64(at + 8, true));
    const toUs = Number(view.getBigInt64(at + 16, true));
    const isTime = Number.isSafeInteger(fromUs) && Number.isSafeInteger(toUs);
    if (view.getUint32(at + 4, true) === KIND && isTime && fromUs >= 0 && toUs >= fromUs)
      spans.push({ fromUs, toUs });
  }
  return { spans: spans.toSorted((a, b) => a.fromUs - b.fromUs || a.toUs - b.toUs), wholeBytes: at };
}
