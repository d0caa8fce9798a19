import type { ArchiveFiles } from "../archive-files.ts";
import { parseHourFile } from "./hour.ts";

/**
 * The hours of a stream's archive that have an index, the newest first: what a start recovers are the first one or two.
 * A folder is listed when its turn comes, so that the newest hour of a year costs four listings.
 *
 * `folder`: of the stream. Names that are none of ours are passed over. Throws: DVR_DISK_FAILED.
 */
export async function* hoursOfStream(files: ArchiveFiles, folder: string): AsyncGenerator<number> {
  for (const year of await newestFirst(files, folder, /^[0-9]{4}$/)) {
    for (const month of await newestFirst(files, `${folder}/${year}`, /^[0-9]{2}$/)) {
      for (const day of await newestFirst(files, `${folder}/${year}/${month}`, /^[0-9]{2}$/)) {
        const path = `${year}/${month}/${day}`;
        for (const name of await newestFirst(files, `${folder}/${path}`, /^[0-9]{2}\.idx$/)) {
          const found = parseHourFile(`${path}/${name}`);
          if (found !== null) yield found.hour;
        }
      }
    }
  }
}

async function newestFirst(files: ArchiveFiles, folder: string, form: RegExp): Promise<string[]> {
  return (await files.list(folder))
    .filter((name) => form.test(name))
    .toSorted()
    .toReversed();
}
