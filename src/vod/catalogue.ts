import type { ListLimits, Storage } from "./byte-source.ts";

/** Names of files that are listed; others are served all the same when they are MP4 files. */
export const LISTED_EXTENSIONS: readonly string[] = [
  ".mp4",
  ".m4v",
  ".m4a",
  ".mov",
  ".mp4a",
  ".3gp",
  ".3g2",
];

/** Files of a `vod` by the names under which they play. */
export type ListedVod = { readonly name: string; readonly storages: readonly Storage[] };

/**
 * Lists the files below all storages, e.g. `vod/films/one.mp4`: sorted, each name once, at most `limits.files`.
 * Hidden files, links and what is too deep are not listed; when time is up, the list is what was found by then.
 */
export async function listFiles(
  vods: readonly ListedVod[],
  limits: ListLimits,
): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const vod of vods) {
    for (const storage of vod.storages) {
      const paths = await storage.list(LISTED_EXTENSIONS, limits);
      for (const path of paths) {
        if (names.size >= limits.files) return [...names].sort();
        names.add(vod.name === "" ? path : `${vod.name}/${path}`);
      }
    }
  }
  return [...names].sort();
}
