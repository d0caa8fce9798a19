import { parseTracksPath } from "../../packaging/media-path.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";
import { parseStem } from "../../packaging/time-span.ts";
import type { Spanned } from "../../packaging/time-span.ts";

/** What a URL of HLS in transport streams asks for below the name of the stream or file. */
export type TsResource =
  | ({ readonly kind: "ts-multivariant" } & Spanned)
  /** One media playlist with everything in it, for devices that know no more. */
  | ({ readonly kind: "ts-single" } & Spanned)
  | ({ readonly kind: "ts-media"; readonly selection: TrackSelection } & Spanned)
  | { readonly kind: "ts-segment"; readonly selection: TrackSelection; readonly name: string };

/** What a path was found to say. */
type Parsed = { name: string; resource: TsResource };

const PLAYLIST = /^([a-z0-9_-]+)\.ts\.m3u8$/;
const SINGLE = /^(video(?:-[a-z0-9_-]+)?)\.m3u8$/;
const SEGMENT = /^seg-([0-9]{1,16}(?:-[a-z0-9-]{1,640})?)\.ts$/;

/**
 * Splits a decoded path into the name and what is asked of HLS in transport streams.
 *
 * Forms: `/NAME/index.ts.m3u8`, `/NAME/video.m3u8`, `/NAME/tracks-v1a1/mono.ts.m3u8`,
 * `/NAME/tracks-v1a1/seg-MILLISECONDS.ts`. In place of `index` and `mono`, and behind `video-`, there may be a span of
 * time: see `parseStem`. Returns `null` for any other path.
 */
export function parseTsResource(path: string): Parsed | null {
  const slash = path.lastIndexOf("/");
  const last = path.slice(slash + 1);
  const name = slash > 1 && path.startsWith("/") ? path.slice(1, slash) : null;
  const single = SINGLE.exec(last);
  if (single !== null) {
    const time = parseStem(single[1]!, "video");
    return name === null || time === null ? null : { name, resource: { kind: "ts-single", ...time } };
  }
  const stem = PLAYLIST.exec(last)?.[1];
  if (stem !== undefined) {
    const media = stem === "index" ? null : parseMedia(path, stem);
    if (media !== null || name === null) return media;
    const time = parseStem(stem, "index");
    return time === null ? null : { name, resource: { kind: "ts-multivariant", ...time } };
  }
  return last.endsWith(".ts") ? parseSegment(path) : null;
}

function parseMedia(path: string, stem: string): Parsed | null {
  const found = parseTracksPath(path);
  const time = parseStem(stem, "mono") ?? parseStem(stem, "index");
  if (found === null || time === null) return null;
  return { name: found.name, resource: { kind: "ts-media", selection: found.selection, ...time } };
}

function parseSegment(path: string): Parsed | null {
  const found = parseTracksPath(path);
  const segment = found === null ? null : SEGMENT.exec(found.file);
  if (found === null || segment === null) return null;
  const { name, selection } = found;
  return { name, resource: { kind: "ts-segment", selection, name: segment[1]! } };
}
