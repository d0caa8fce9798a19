import { parseMediaFile, parseTracksPath } from "../../packaging/media-path.ts";
import type { MediaFile } from "../../packaging/media-path.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";

/** What an HLS URL asks for below the name of the stream or file. */
export type HlsResource =
  | { readonly kind: "multivariant" }
  | { readonly kind: "media"; readonly selection: TrackSelection }
  | MediaFile;

const MULTIVARIANT = "/index.m3u8";

/**
 * Splits a decoded path into the name and the HLS resource.
 *
 * Forms: `/NAME/index.m3u8`, `/NAME/tracks-v1a1/mono.m3u8`, `/NAME/tracks-v1a1/init-HASH.mp4`,
 * `/NAME/tracks-v1a1/seg-MILLISECONDS.m4s`. NAME may hold slashes. Returns `null` for any other path.
 */
export function parseHlsPath(path: string): { name: string; resource: HlsResource } | null {
  if (path.endsWith(MULTIVARIANT)) {
    const name = path.slice(1, -MULTIVARIANT.length);
    return name === "" || !path.startsWith("/") ? null : { name, resource: { kind: "multivariant" } };
  }
  const found = parseTracksPath(path);
  if (found === null) return null;
  const { name, selection, file } = found;
  if (file === "mono.m3u8") return { name, resource: { kind: "media", selection } };
  const resource = parseMediaFile(file, selection);
  return resource === null ? null : { name, resource };
}
