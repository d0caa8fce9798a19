import { parseMediaFile, parseTracksPath } from "../../packaging/media-path.ts";
import type { MediaFile, PartFile } from "../../packaging/media-path.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";
import { parseStem } from "../../packaging/time-span.ts";
import type { Spanned } from "../../packaging/time-span.ts";

/** What an HLS URL asks for below the name of the stream or file. */
export type HlsResource =
  | ({ readonly kind: "multivariant"; readonly isLowLatency: boolean } & Spanned)
  | ({
      readonly kind: "media";
      readonly isLowLatency: boolean;
      readonly selection: TrackSelection;
    } & Spanned)
  | MediaFile
  | PartFile;

/** What a path was found to say. */
type Parsed = { name: string; resource: HlsResource };

const PLAYLIST = /^([a-z0-9_-]+)(\.fmp4|\.ll)?\.m3u8$/;
const PART = /^part-([0-9]{1,16})-(0|[1-9][0-9]{0,4})\.m4s$/;

/**
 * Splits a decoded path into the name and the HLS resource.
 *
 * Forms: `/NAME/index.m3u8` or `/NAME/index.fmp4.m3u8`, `/NAME/tracks-v1a1/mono.m3u8`, `/NAME/tracks-v1a1/init-HASH.mp4`,
 * `/NAME/tracks-v1a1/seg-MILLISECONDS.m4s`. Of low-latency HLS: `/NAME/index.ll.m3u8`,
 * `/NAME/tracks-v1a1/mono.ll.m3u8`, `/NAME/tracks-v1a1/part-MILLISECONDS-INDEX.m4s`. In place of `index` and `mono` there
 * may be a span of time, such as `archive-FROM-DURATION`: see `parseStem`. NAME may hold slashes. Returns `null` for any
 * other path.
 */
export function parseHlsPath(path: string): Parsed | null {
  const slash = path.lastIndexOf("/");
  const playlist = PLAYLIST.exec(path.slice(slash + 1));
  if (playlist !== null) {
    const [, stem = "", form] = playlist;
    const isOfTracks = stem !== "index" && form !== ".fmp4";
    const isLowLatency = form === ".ll";
    const media = isOfTracks ? parseMedia(path, stem, isLowLatency) : null;
    return (
      media ?? (slash > 1 && path.startsWith("/") ? parseMultivariant(path, stem, isLowLatency) : null)
    );
  }
  const found = parseTracksPath(path);
  if (found === null) return null;
  const { name, selection, file } = found;
  const resource = parseMediaFile(file, selection) ?? parsePart(file, selection);
  return resource === null ? null : { name, resource };
}

function parseMultivariant(path: string, stem: string, isLowLatency: boolean): Parsed | null {
  const time = parseStem(stem, "index");
  if (time === null) return null;
  const name = path.slice(1, path.lastIndexOf("/"));
  return { name, resource: { kind: "multivariant", isLowLatency, ...time } };
}

function parseMedia(path: string, stem: string, isLowLatency: boolean): Parsed | null {
  const found = parseTracksPath(path);
  const time = parseStem(stem, "mono") ?? parseStem(stem, "index");
  if (found === null || time === null) return null;
  const { name, selection } = found;
  return { name, resource: { kind: "media", isLowLatency, selection, ...time } };
}

function parsePart(file: string, selection: TrackSelection): PartFile | null {
  const part = PART.exec(file);
  return part === null ? null : { kind: "part", selection, name: part[1]!, index: Number(part[2]) };
}
