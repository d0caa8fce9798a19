import { parseTrackSelection } from "../../packaging/presentation.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";

/** What an HLS URL asks for below the name of the stream or file. */
export type HlsResource =
  | { readonly kind: "multivariant"; readonly isLowLatency: boolean }
  | { readonly kind: "media"; readonly isLowLatency: boolean; readonly selection: TrackSelection }
  | { readonly kind: "init"; readonly selection: TrackSelection; readonly name: string }
  | { readonly kind: "segment"; readonly selection: TrackSelection; readonly name: string }
  | {
      readonly kind: "part";
      readonly selection: TrackSelection;
      readonly name: string;
      readonly index: number;
    };

const TRACKS_PREFIX = "tracks-";
const INIT = /^init-([0-9a-f]{12})\.mp4$/;
const PART = /^part-([0-9]{1,16})-(0|[1-9][0-9]{0,4})\.m4s$/;
const SEGMENT = /^seg-([0-9]{1,16})\.m4s$/;

/**
 * Splits a decoded path into the name and the HLS resource.
 *
 * Forms: `/NAME/index.m3u8`, `/NAME/tracks-v1a1/mono.m3u8`, `/NAME/tracks-v1a1/init-HASH.mp4`,
 * `/NAME/tracks-v1a1/seg-MILLISECONDS.m4s`. Of low-latency HLS: `/NAME/index.ll.m3u8`,
 * `/NAME/tracks-v1a1/mono.ll.m3u8`, `/NAME/tracks-v1a1/part-MILLISECONDS-INDEX.m4s`. NAME may hold slashes. Returns `null` for any other path.
 */
export function parseHlsPath(path: string): { name: string; resource: HlsResource } | null {
  if (!path.startsWith("/")) return null;
  const lastSlash = path.lastIndexOf("/");
  const file = path.slice(lastSlash + 1);
  if (file === "index.m3u8" || file === "index.ll.m3u8")
    return named(path, lastSlash, { kind: "multivariant", isLowLatency: file === "index.ll.m3u8" });
  const tracksSlash = path.lastIndexOf("/", lastSlash - 1);
  const folder = path.slice(tracksSlash + 1, lastSlash);
  if (!folder.startsWith(TRACKS_PREFIX)) return null;
  const selection = parseTrackSelection(folder.slice(TRACKS_PREFIX.length));
  if (selection === null) return null;
  if (file === "mono.m3u8" || file === "mono.ll.m3u8")
    return named(path, tracksSlash, { kind: "media", isLowLatency: file === "mono.ll.m3u8", selection });
  const init = INIT.exec(file);
  if (init !== null) return named(path, tracksSlash, { kind: "init", selection, name: init[1]! });
  const segment = SEGMENT.exec(file);
  if (segment !== null) return named(path, tracksSlash, { kind: "segment", selection, name: segment[1]! });
  const part = PART.exec(file);
  if (part === null) return null;
  const index = Number(part[2]);
  return named(path, tracksSlash, { kind: "part", selection, name: part[1]!, index });
}

function named(
  path: string,
  end: number,
  resource: HlsResource,
): { name: string; resource: HlsResource } | null {
  return end > 1 ? { name: path.slice(1, end), resource } : null;
}
