import type { ArchiveFiles } from "../archive-files.ts";
import type { DeletedSpan } from "../format/deleted-spans.ts";
import { HOUR_US, indexFile } from "../format/hour.ts";
import { readDeletedFile } from "../format/read-deleted.ts";
import { readFillIndex, readIndexFile } from "./fill-hour.ts";
import { RecordedTimeline } from "./missing.ts";
import type { RecordedSpan } from "./missing.ts";

/** What we have of an hour, and around it: segments reach from one hour into the next. */
export type LocalHour = {
  readonly timeline: RecordedTimeline;
  /** Where what was recorded here ends, in this hour or the next; -Infinity where nothing was. Units: microseconds. */
  readonly ownEndUs: number;
  /** What somebody has deleted of them: it is not missing. */
  readonly deleted: readonly DeletedSpan[];
};

/** Reads it. Rejects with DVR_DISK_FAILED, DVR_BAD_INDEX, DVR_INDEX_VERSION. */
export async function readLocalHour(files: ArchiveFiles, folder: string, hour: number): Promise<LocalHour> {
  const own: RecordedSpan[] = [];
  const fills: RecordedSpan[] = [];
  const deleted: DeletedSpan[] = [];
  let ownEndUs = -Infinity;
  for (const near of [hour - 1, hour, hour + 1]) {
    if (near < 0) continue;
    const index = await readIndexFile(files, `${folder}/${indexFile(near)}`);
    for (const { startUs, durationUs } of index?.segments() ?? []) {
      own.push({ startUs, durationUs });
      if (near >= hour) ownEndUs = Math.max(ownEndUs, startUs + durationUs);
    }
    deleted.push(...(await readDeletedFile(files, folder, near)).spans);
    for (const span of (await readFillIndex(files, folder, near))?.segments() ?? []) fills.push(span);
  }
  const timeline = new RecordedTimeline(own);
  for (const fill of fills) timeline.add(fill);
  return { timeline, ownEndUs, deleted };
}

/** From when to when an hour's segments start. Units: microseconds. */
export function hourSpan(hour: number): { readonly startUs: number; readonly endUs: number } {
  return { startUs: hour * HOUR_US, endUs: (hour + 1) * HOUR_US };
}
