import type { ArchiveFiles } from "../archive-files.ts";
import { hourPath } from "../format/hour.ts";
import { hoursWithFills } from "../format/hours-of-stream.ts";
import type { KeepFiles } from "../keep/keep-files.ts";

/** Bounds of a stream's recordings, as retention has them. */
export type RecordingBounds = {
  /** Of the stream; absent: any. */
  readonly sizeBytes?: number | undefined;
  /** Of the whole disk. */
  readonly diskPercent?: number | undefined;
};

/** Copies leave so much of a disk to those who record, whatever the bounds. */
const MAX_DISK_PERCENT = 98;
/** Retention deletes above its bound: what is copied must stay below it. */
const BELOW_BOUND_PERCENT = 1;

/**
 * Whether so many bytes more fit below the bounds of a recording: what would be deleted at once is not copied.
 * Rejects with DVR_DISK_FAILED, and with what the system says.
 */
export async function hasRoom(
  { files, keepFiles }: { readonly files: ArchiveFiles; readonly keepFiles: KeepFiles },
  { root, stream }: { readonly root: string; readonly stream: string },
  { sizeBytes, diskPercent = 100 }: RecordingBounds,
  bytes: number,
): Promise<boolean> {
  const { totalBytes, usedBytes } = await keepFiles.space(root);
  const most = Math.min(MAX_DISK_PERCENT, diskPercent - BELOW_BOUND_PERCENT);
  if (usedBytes + bytes > (totalBytes * most) / 100) return false;
  if (sizeBytes === undefined) return true;
  return (await archiveBytes(files, `${root}/${stream}`)) + bytes <= sizeBytes;
}

async function archiveBytes(files: ArchiveFiles, folder: string): Promise<number> {
  let bytes = 0;
  let last = "";
  for await (const hour of hoursWithFills(files, folder)) {
    const day = hourPath(hour).slice(0, -"/00".length);
    if (day === last) continue;
    last = day;
    for (const name of await files.list(`${folder}/${day}`))
      bytes += (await files.stat(`${folder}/${day}/${name}`)) ?? 0;
  }
  return bytes;
}
