/** What a server gives of its archives to others of its cluster. */
import type { ArchiveFiles } from "../archive-files.ts";
import { fillIndexFile } from "../format/fill.ts";
import { indexFile } from "../format/hour.ts";
import { hoursWithFills } from "../format/hours-of-stream.ts";
import { replicateErrors } from "./errors.ts";
import { MAX_RANGE_BYTES } from "./peer.ts";
import { MAX_LISTED_HOURS } from "./peer-listing.ts";
import type { OfferedHour } from "./peer-listing.ts";

/** A part of a file. */
export type OfferedRange = {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly totalBytes: number;
};

/** The hours of a stream's archive from one up to another one, in order; of too many the newest. Rejects with DVR_DISK_FAILED. */
export async function offeredHours(
  files: ArchiveFiles,
  folder: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<OfferedHour[]> {
  const hours: OfferedHour[] = [];
  for await (const hour of hoursWithFills(files, folder)) {
    if (hour < from || hours.length === MAX_LISTED_HOURS) break;
    if (hour > to) continue;
    const indexBytes = (await files.stat(`${folder}/${indexFile(hour)}`)) ?? 0;
    hours.push({
      hour,
      indexBytes,
      fillBytes: (await files.stat(`${folder}/${fillIndexFile(hour)}`)) ?? 0,
    });
  }
  return hours.toReversed();
}

/**
 * Bytes of an archive's file, from a place on, up to `maxBytes` and never more than `MAX_RANGE_BYTES`. `file`: checked, its
 * path below the stream's folder. Rejects with DVR_PEER_NO_FILE, DVR_PEER_BAD_RANGE, DVR_DISK_FAILED.
 */
export async function offeredRange(
  files: ArchiveFiles,
  { folder, name, file }: { readonly folder: string; readonly name: string; readonly file: string },
  { offset, maxBytes }: { readonly offset: number; readonly maxBytes: number },
): Promise<OfferedRange> {
  const opened = await files.open(`${folder}/${file}`);
  if (opened === null) throw replicateErrors.error("DVR_PEER_NO_FILE", { name, path: file });
  try {
    const totalBytes = await opened.sizeBytes();
    const most = Math.min(maxBytes, MAX_RANGE_BYTES, totalBytes - offset);
    if (most <= 0) throw replicateErrors.error("DVR_PEER_BAD_RANGE", { path: file, bytes: totalBytes });
    const bytes = new Uint8Array(most);
    const got = await opened.read(offset, bytes);
    // Cut off between the two looks.
    if (got < most) throw replicateErrors.error("DVR_PEER_BAD_RANGE", { path: file, bytes: offset + got });
    return { bytes, offset, totalBytes };
  } finally {
    await opened.close();
  }
}
