import type { ArchiveFiles } from "../archive-files.ts";
import { parseFillIndexFile } from "./fill.ts";
import { parseHourFile } from "./hour.ts";

/** What is looked for in a stream's folder, and in each below it: years, months, days, indexes. */
const LEVELS: readonly RegExp[] = [/^[0-9]{4}$/, /^[0-9]{2}$/, /^[0-9]{2}$/, /^[0-9]{2}\.(?:idx|fill)$/];

/**
 * The hours of a stream's archive that were recorded here, the newest first: what a start recovers are the first one or two.
 * A folder is listed when its turn comes, so that the newest hour of a year costs four listings.
 *
 * `folder`: of the stream. Names that are none of ours are passed over. Throws: DVR_DISK_FAILED.
 */
export async function* hoursOfStream(files: ArchiveFiles, folder: string): AsyncGenerator<number> {
  for await (const path of newestFirst(files, folder, [])) {
    const found = parseHourFile(path);
    if (found !== null) yield found.hour;
  }
}

/** The same with those hours of which something was copied from a peer. */
export async function* hoursWithFills(files: ArchiveFiles, folder: string): AsyncGenerator<number> {
  let last = -1;
  for await (const path of newestFirst(files, folder, [])) {
    const hour = parseFillIndexFile(path) ?? parseHourFile(path)?.hour ?? null;
    if (hour === null || hour === last) continue;
    last = hour;
    yield hour;
  }
}

async function* newestFirst(
  files: ArchiveFiles,
  folder: string,
  path: readonly string[],
): AsyncGenerator<string> {
  const form = LEVELS[path.length]!;
  const names = await files.list([folder, ...path].join("/"));
  for (const name of names
    .filter((each) => form.test(each))
    .toSorted()
    .toReversed()) {
    const below = [...path, name];
    if (below.length === LEVELS.length) yield below.join("/");
    else yield* newestFirst(files, folder, below);
  }
}
