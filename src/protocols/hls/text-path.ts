import type { TrackId } from "../../media/ids.ts";
import type { SegmentContainer } from "../../packaging/bandwidth.ts";
import { parseTracksPath } from "../../packaging/media-path.ts";

/** What a URL of subtitles asks for; `container`: of the media that they go with, whose clock they are on. */
export type TextResource =
  | { readonly kind: "text-media"; readonly id: TrackId; readonly container: SegmentContainer }
  | {
      readonly kind: "text-segment";
      readonly id: TrackId;
      readonly container: SegmentContainer;
      readonly name: string;
    };

const FILE = /^(?:mono(\.ts|\.ll)?\.m3u8|seg-([0-9]{1,16})(\.ts)?\.vtt)$/;

/**
 * Splits a decoded path into the name and what is asked of subtitles.
 *
 * Forms: `/NAME/tracks-t1/mono.m3u8`, `/NAME/tracks-t1/seg-MILLISECONDS.vtt`; with `.ts` before the last dot beside
 * transport streams, with `.ll` where low latency is asked for, which subtitles do not know. Returns `null` for any other path.
 */
export function parseTextResource(path: string): { name: string; resource: TextResource } | null {
  if (!path.includes("/tracks-t")) return null;
  const found = parseTracksPath(path);
  if (found === null || found.selection.length !== 1 || !found.selection[0]!.startsWith("t")) return null;
  const file = FILE.exec(found.file);
  if (file === null) return null;
  const [, media, name, segment] = file;
  const container = media === ".ts" || segment === ".ts" ? "ts" : "cmaf";
  const base = { id: found.selection[0]!, container } as const;
  const resource: TextResource =
    name === undefined ? { kind: "text-media", ...base } : { kind: "text-segment", ...base, name };
  return { name: found.name, resource };
}
