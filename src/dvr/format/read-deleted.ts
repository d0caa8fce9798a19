import type { ArchiveFiles } from "../archive-files.ts";
import { MAX_DELETED_BYTES, NOTHING_DELETED } from "./deleted-spans.ts";
import { deletedFile, readDeletedSpans } from "./deleted-spans.ts";
import type { DeletedSpans } from "./deleted-spans.ts";

/** What is deleted of an hour of a stream's archive. `folder`: of the stream. Rejects with DVR_DISK_FAILED. */
export async function readDeletedFile(
  files: ArchiveFiles,
  folder: string,
  hour: number,
): Promise<DeletedSpans> {
  const file = await files.open(`${folder}/${deletedFile(hour)}`);
  if (file === null) return NOTHING_DELETED;
  try {
    const bytes = new Uint8Array(Math.min(await file.sizeBytes(), MAX_DELETED_BYTES));
    return readDeletedSpans(bytes.subarray(0, await file.read(0, bytes)));
  } finally {
    await file.close();
  }
}
