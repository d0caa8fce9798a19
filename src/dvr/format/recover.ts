/** What a start does to an hour that may have been recorded when the process ended, or the power did. */
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { asMediaError } from "../../base/errors.ts";
import { dvrErrors } from "../errors.ts";
import { indexFile, hourPath } from "./hour.ts";
import { MAX_HOUR_RECORDS } from "./hour-index.ts";
import { HourMedia } from "./hour-media.ts";
import type { MediaEnds } from "./hour-media.ts";
import { INDEX_HEADER_BYTES, readIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";
import { IndexTail } from "./index-tail.ts";
import { findLastSegment } from "./last-segment.ts";

/** An hour that can be recorded on. */
export type RecoveredHour = {
  readonly hour: number;
  /** What the index has; 0: it begins with a header that is still to be written, or is not there. */
  readonly indexBytes: number;
  /** What each media file that is there has, by its number; 0: it begins with an init segment that is still to be written. */
  readonly mediaBytes: ReadonlyMap<number, number>;
  /** The end record of the last segment: as it stands in the index, or as it has to be appended. `null`: no segment. */
  readonly lastEnd: IndexRecord | null;
  /** The last segment has no end record: `lastEnd` has to be appended, as a group of its own. */
  readonly isEndMissing: boolean;
  /** What was cut off the index. */
  readonly cutIndexBytes: number;
  /** What was cut off the media files. */
  readonly cutMediaBytes: number;
};

/** What is kept of an hour. */
type Kept = Pick<RecoveredHour, "indexBytes" | "lastEnd" | "isEndMissing"> & { readonly ends: MediaEnds };

/**
 * Of what was recorded so long before the end every chunk is looked at, for what a disk had not taken when the power failed
 * is missing anywhere in it: longer than what was written waits to be forced to the disk. Units: microseconds, of media.
 */
const UNSURE_US = 5_000_000;

const NOTHING: Kept = { indexBytes: 0, lastEnd: null, isEndMissing: false, ends: new Map() };

/**
 * Cuts an hour's index and media files to the longest beginning of whole groups whose media is all there. Nothing is
 * written, and nothing in front of the cuts is changed; a second time nothing is cut.
 *
 * The index is read from its end, 64 KiB where the hour has one media file and was not torn. Of the media the sizes count,
 * and the headers of each file's last chunk and of all chunks of the last five seconds.
 *
 * `folder`: of the stream, in the same words as `files` takes. The hour may have no files at all.
 * Throws: DVR_BAD_INDEX, DVR_INDEX_VERSION when the index is not one, with nothing changed; DVR_DISK_FAILED.
 * Spec: docs/archive-format.md, "Recovery".
 */
export async function recoverHour(
  files: ArchiveFiles,
  folder: string,
  hour: number,
): Promise<RecoveredHour> {
  return await withHour(files, folder, hour, async ({ media, index, sizeBytes, kept }) => {
    // First what promises, then what was promised: whoever reads meanwhile finds no record without its media.
    const cutIndexBytes = sizeBytes - kept.indexBytes;
    if (cutIndexBytes > 0) await index?.truncate(kept.indexBytes);
    const { left, cutBytes } = await media.cut(kept.ends);
    const { indexBytes, lastEnd, isEndMissing } = kept;
    const cut = { cutIndexBytes, cutMediaBytes: cutBytes };
    return { hour, indexBytes, mediaBytes: left, lastEnd, isEndMissing, ...cut };
  });
}

/** Whether `recoverHour` would change an hour, or the end of its last segment is missing. Changes nothing. Throws as that does. */
export async function needsRecovery(files: ArchiveFiles, folder: string, hour: number): Promise<boolean> {
  return await withHour(
    files,
    folder,
    hour,
    async ({ media, sizeBytes, kept }) =>
      await Promise.resolve(kept.isEndMissing || kept.indexBytes !== sizeBytes || !media.endsAt(kept.ends)),
  );
}

/** An hour that is open. */
type OpenHour = {
  readonly media: HourMedia;
  /** `null`: it is not there. */
  readonly index: ArchiveFile | null;
  /** Of the index. */
  readonly sizeBytes: number;
  readonly kept: Kept;
};

async function withHour<T>(
  files: ArchiveFiles,
  folder: string,
  hour: number,
  work: (open: OpenHour) => Promise<T>,
): Promise<T> {
  const media = await HourMedia.find(files, folder, hour);
  let index: ArchiveFile | null = null;
  try {
    index = await files.open(`${folder}/${indexFile(hour)}`);
    const sizeBytes = (await index?.sizeBytes()) ?? 0;
    const kept = index === null ? NOTHING : await findKept(index, sizeBytes, hour, media);
    return await work({ media, index, sizeBytes, kept });
  } finally {
    await Promise.all([index?.close(), media.close()]);
  }
}

async function findKept(
  index: ArchiveFile,
  sizeBytes: number,
  hour: number,
  media: HourMedia,
): Promise<Kept> {
  const tail = new IndexTail(index, sizeBytes);
  if (tail.count > MAX_HOUR_RECORDS) throw badIndex(index, `it has more than ${MAX_HOUR_RECORDS} records`);
  const head = new Uint8Array(Math.min(INDEX_HEADER_BYTES, sizeBytes));
  await index.read(0, head);
  let records = await tail.endOfGood();
  // A header that was never flushed: of the hour nothing was either.
  if (records === 0 && head.every((byte) => byte === 0)) return NOTHING;
  const header = readHeader(head, index.path, tail.count);
  if (header === null) return NOTHING;
  if (header.hour !== hour) throw badIndex(index, `it is the index of ${hourPath(header.hour)}`);
  const ends: MediaEnds = new Map();
  let unsureUs: number | null = null;
  for (let at = records; at > 0;) {
    const group = await tail.groupBefore(at);
    at = group.first;
    const newestUs = group.records?.at(-1)?.startUs ?? 0;
    unsureUs ??= newestUs - UNSURE_US;
    const isUnsure = newestUs >= unsureUs;
    if (!isUnsure && hasAllFiles(ends)) break;
    if (group.records !== null && (await media.holds(group.records, ends, isUnsure))) continue;
    records = group.first;
    ends.clear();
  }
  const indexBytes = INDEX_HEADER_BYTES + records * INDEX_RECORD_BYTES;
  const { end, isEndMissing } = await findLastSegment(tail, records, hour);
  return { indexBytes, lastEnd: end, isEndMissing, ends };
}

/** `null`: it is still to be written. An index without a record promises nothing, and may have arrived in part. */
function readHeader(head: Uint8Array, path: string, records: number): { readonly hour: number } | null {
  try {
    return readIndexHeader(head, path);
  } catch (caught) {
    if (records === 0 && asMediaError(caught)?.code === "DVR_BAD_INDEX") return null;
    throw caught;
  }
}

/** Whether the last chunk of every media file up to the newest is known: in front of it, offsets only grow. */
function hasAllFiles(ends: MediaEnds): boolean {
  return ends.size > 0 && ends.size === Math.max(...ends.keys()) + 1;
}

function badIndex({ path }: ArchiveFile, reason: string): Error {
  return dvrErrors.error("DVR_BAD_INDEX", { path, reason });
}
