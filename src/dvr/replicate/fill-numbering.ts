import { NOTHING_DELETED } from "../format/deleted-spans.ts";
import { FILL_NUMBERS_FILE, FillNumbers, MAX_FILL_NUMBERS_BYTES } from "../format/fill-numbers.ts";
import type { HourFills } from "../format/fill-numbers.ts";
import { indexFile } from "../format/hour.ts";
import type { HourIndex } from "../format/hour-index.ts";
import { hoursOfStream } from "../format/hours-of-stream.ts";
import { MergedHour } from "../reader/merged-hour.ts";
import type { FillHourPlace } from "./fill-hour.ts";
import { readIndexFile } from "./fill-hour.ts";

/**
 * Counts an hour's fills, as they are about to be shown, in the file by which the numbers of playlists follow. When the
 * process dies before they are shown, numbers have a jump there, until the hour is filled again.
 *
 * Rejects with DVR_DISK_FAILED, and with what the system says.
 */
export async function countFills(place: FillHourPlace, fills: HourIndex): Promise<void> {
  const { files, keepFiles, folder, hour } = place;
  const path = `${folder}/${FILL_NUMBERS_FILE}`;
  const bytes = await keepFiles.read(path, MAX_FILL_NUMBERS_BYTES);
  const numbers = bytes === null ? FillNumbers.NONE : FillNumbers.parse(bytes);
  const own = await readIndexFile(files, `${folder}/${indexFile(hour)}`);
  const before = numbers.of(hour) ?? (await numbersBefore(place));
  const counts = new MergedHour(own, fills, { before, deleted: NOTHING_DELETED }).fillCounts();
  const { ordinal, discontinuities } = before;
  await keepFiles.write(`${path}.new`, numbers.with({ hour, ...counts, ordinal, discontinuities }).build());
  await keepFiles.rename(`${path}.new`, path);
}

/** Those of the last segment that was recorded here before an hour. */
async function numbersBefore({
  files,
  folder,
  hour,
}: FillHourPlace): Promise<Pick<HourFills, "ordinal" | "discontinuities">> {
  for await (const earlier of hoursOfStream(files, folder)) {
    if (earlier >= hour) continue;
    const index = await readIndexFile(files, `${folder}/${indexFile(earlier)}`);
    const count = index?.segmentCount ?? 0;
    if (index !== null && count > 0) return index.segment(count - 1);
  }
  return { ordinal: 0, discontinuities: 0 };
}
