import { parseMediaFile, parseTracksPath } from "../../packaging/media-path.ts";
import type { MediaFile, PartFile } from "../../packaging/media-path.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";

/** What an HLS URL asks for below the name of the stream or file. */
export type HlsResource =
  | { readonly kind: "multivariant"; readonly isLowLatency: boolean }
  | { readonly kind: "media"; readonly isLowLatency: boolean; readonly selection: TrackSelection }
  | MediaFile
  | PartFile;

const PART = /^part-([0-9]{1,16})-(0|[1-9][0-9]{0,4})\.m4s$/;

/**
 * Splits a decoded path into the name and the HLS resource.
 *
 * Forms: `/NAME/index.m3u8` or `/NAME/index.fmp4.m3u8`, `/NAME/tracks-v1a1/mono.m3u8`, `/NAME/tracks-v1a1/init-HASH.mp4`,
 * `/NAME/tracks-v1a1/seg-MILLISECONDS.m4s`. Of low-latency HLS: `/NAME/index.ll.m3u8`,
 * `/NAME/tracks-v1a1/mono.ll.m3u8`, `/NAME/tracks-v1a1/part-MILLISECONDS-INDEX.m4s`. NAME may hold slashes. Returns
 * `null` for any other path.
 */
export function parseHlsPath(path: string): { name: string; resource: HlsResource } | null {
  const slash = path.lastIndexOf("/");
  const last = path.slice(slash + 1);
  if (last === "index.m3u8" || last === "index.fmp4.m3u8" || last === "index.ll.m3u8") {
    const resource = { kind: "multivariant", isLowLatency: last === "index.ll.m3u8" } as const;
    return slash > 1 && path.startsWith("/") ? { name: path.slice(1, slash), resource } : null;
  }
  const found = parseTracksPath(path);
  if (found === null) return null;
  const { name, selection, file } = found;
  if (file === "mono.m3u8" || file === "mono.ll.m3u8")
    return { name, resource: { kind: "media", isLowLatency: file === "mono.ll.m3u8", selection } };
  const resource = parseMediaFile(file, selection) ?? parsePart(file, selection);
  return resource === null ? null : { name, resource };
}

function parsePart(file: string, selection: TrackSelection): PartFile | null {
  const part = PART.exec(file);
  return part === null ? null : { kind: "part", selection, name: part[1]!, index: Number(part[2]) };
}
