import type { TrackId } from "../../media/ids.ts";
import type { SegmentContainer } from "../../packaging/bandwidth.ts";
import { parseTracksPath } from "../../packaging/media-path.ts";
import { parseStem } from "../../packaging/time-span.ts";
import type { Spanned } from "../../packaging/time-span.ts";

/** What a URL of subtitles asks for; `container`: of the media that they go with, whose clock they are on. */
export type TextResource =
  | ({ readonly kind: "text-media"; readonly id: TrackId; readonly container: SegmentContainer } & Spanned)
  | {
      readonly kind: "text-segment";
      readonly id: TrackId;
      readonly container: SegmentContainer;
      readonly name: string;
    };

const PLAYLIST = /^([a-z0-9_-]+)(\.ts|\.ll)?\.m3u8$/;
const SEGMENT = /^seg-([0-9]{1,16})(\.ts)?\.vtt$/;

/**
 * Splits a decoded path into the name and what is asked of subtitles.
 *
 * Forms: `/NAME/tracks-t1/mono.m3u8`, `/NAME/tracks-t1/seg-MILLISECONDS.vtt`; with `.ts` before the last dot beside
 * transport streams, with `.ll` where low latency is asked for, which subtitles do not know; with a span of time in place
 * of `mono`, see `parseStem`. Returns `null` for any other path.
 */
export function parseTextResource(path: string): { name: string; resource: TextResource } | null {
  if (!path.includes("/tracks-t")) return null;
  const found = parseTracksPath(path);
  if (found === null || found.selection.length !== 1 || !found.selection[0]!.startsWith("t")) return null;
  const resource = parseFile(found.file, found.selection[0]!);
  return resource === null ? null : { name: found.name, resource };
}

function parseFile(file: string, id: TrackId): TextResource | null {
  const segment = SEGMENT.exec(file);
  if (segment !== null)
    return { kind: "text-segment", id, container: containerOf(segment[2]), name: segment[1]! };
  const playlist = PLAYLIST.exec(file);
  const time = playlist === null ? null : parseStem(playlist[1]!, "mono");
  return time === null ? null : { kind: "text-media", id, container: containerOf(playlist?.[2]), ...time };
}

function containerOf(form: string | undefined): SegmentContainer {
  return form === ".ts" ? "ts" : "cmaf";
}
