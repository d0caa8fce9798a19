import type { TrackId } from "../../media/ids.ts";
import { parseMediaFile, parseTracksPath } from "../../packaging/media-path.ts";
import type { MediaFile } from "../../packaging/media-path.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";
import { parseStem } from "../../packaging/time-span.ts";
import type { Spanned } from "../../packaging/time-span.ts";

/** What a DASH URL asks for below the name of the stream or file. */
export type DashResource =
  | ({ readonly kind: "mpd"; readonly isLowLatency: boolean } & Spanned)
  | { readonly kind: "utc" }
  | { readonly kind: "subtitles"; readonly id: TrackId }
  | MediaFile;

/** The file that tells players the time; named in the MPD. */
export const UTC_FILE = "utc";

/** All cues of subtitles; named in the MPD. */
export const SUBTITLES_FILE = "subtitles.vtt";

const MPD = /^([a-z0-9_-]+)(\.ll)?\.mpd$/;

/**
 * Splits a decoded path into the name and the DASH resource.
 *
 * Forms: `/NAME/index.mpd`, `/NAME/Manifest.mpd`, `/NAME/index.ll.mpd`, `/NAME/utc`, and of each Representation `/NAME/tracks-v1/init-HASH.mp4`
 * and `/NAME/tracks-v1/seg-MILLISECONDS.m4s`, as HLS has them; of subtitles `/NAME/tracks-t1/subtitles.vtt`. In place of
 * `index` there may be a span of time: see `parseStem`. NAME may hold slashes. Returns `null` for any other path.
 */
export function parseDashPath(path: string): { name: string; resource: DashResource } | null {
  const slash = path.lastIndexOf("/");
  const known = parseFile(path.slice(slash + 1));
  if (known !== null)
    return slash > 1 && path.startsWith("/") ? { name: path.slice(1, slash), resource: known } : null;
  const found = parseTracksPath(path);
  if (found === null) return null;
  const resource = parseSubtitles(found) ?? parseMediaFile(found.file, found.selection);
  return resource === null ? null : { name: found.name, resource };
}

/** What has no tracks in its path. */
function parseFile(file: string): DashResource | null {
  if (file === UTC_FILE) return { kind: "utc" };
  if (file === "Manifest.mpd") return { kind: "mpd", isLowLatency: false };
  const [, stem, form] = MPD.exec(file) ?? [];
  const time = stem === undefined ? null : parseStem(stem, "index");
  return time === null ? null : { kind: "mpd", isLowLatency: form === ".ll", ...time };
}

function parseSubtitles({
  file,
  selection,
}: {
  readonly file: string;
  readonly selection: TrackSelection;
}): DashResource | null {
  const [id] = selection;
  const isOneText = selection.length === 1 && id?.startsWith("t") === true;
  return file === SUBTITLES_FILE && isOneText ? { kind: "subtitles", id } : null;
}
