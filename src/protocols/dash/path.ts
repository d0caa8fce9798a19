import { parseMediaFile, parseTracksPath } from "../../packaging/media-path.ts";
import type { MediaFile } from "../../packaging/media-path.ts";

/** What a DASH URL asks for below the name of the stream or file. */
export type DashResource =
  | { readonly kind: "mpd"; readonly isLowLatency: boolean }
  | { readonly kind: "utc" }
  | MediaFile;

/** The file that tells players the time; named in the MPD. */
export const UTC_FILE = "utc";

const FILES: ReadonlyMap<string, DashResource> = new Map([
  ["index.mpd", { kind: "mpd", isLowLatency: false }],
  ["Manifest.mpd", { kind: "mpd", isLowLatency: false }],
  ["index.ll.mpd", { kind: "mpd", isLowLatency: true }],
  [UTC_FILE, { kind: "utc" }],
]);

/**
 * Splits a decoded path into the name and the DASH resource.
 *
 * Forms: `/NAME/index.mpd`, `/NAME/Manifest.mpd`, `/NAME/index.ll.mpd`, `/NAME/utc`, and of each Representation `/NAME/tracks-v1/init-HASH.mp4`
 * and `/NAME/tracks-v1/seg-MILLISECONDS.m4s`, as HLS has them. NAME may hold slashes. Returns `null` for any other path.
 */
export function parseDashPath(path: string): { name: string; resource: DashResource } | null {
  const slash = path.lastIndexOf("/");
  const known = FILES.get(path.slice(slash + 1));
  if (known !== undefined)
    return slash > 1 && path.startsWith("/") ? { name: path.slice(1, slash), resource: known } : null;
  const found = parseTracksPath(path);
  if (found === null) return null;
  const resource = parseMediaFile(found.file, found.selection);
  return resource === null ? null : { name: found.name, resource };
}
