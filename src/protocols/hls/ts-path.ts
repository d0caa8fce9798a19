import { parseTracksPath } from "../../packaging/media-path.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";

/** What a URL of HLS in transport streams asks for below the name of the stream or file. */
export type TsResource =
  | { readonly kind: "ts-multivariant" }
  /** One media playlist with everything in it, for devices that know no more. */
  | { readonly kind: "ts-single" }
  | { readonly kind: "ts-media"; readonly selection: TrackSelection }
  | { readonly kind: "ts-segment"; readonly selection: TrackSelection; readonly name: string };

const SEGMENT = /^seg-([0-9]{1,16})\.ts$/;

/**
 * Splits a decoded path into the name and what is asked of HLS in transport streams.
 *
 * Forms: `/NAME/index.ts.m3u8`, `/NAME/video.m3u8`, `/NAME/tracks-v1a1/mono.ts.m3u8`,
 * `/NAME/tracks-v1a1/seg-MILLISECONDS.ts`. Returns `null` for any other path.
 */
export function parseTsResource(path: string): { name: string; resource: TsResource } | null {
  const slash = path.lastIndexOf("/");
  const last = path.slice(slash + 1);
  if (last === "index.ts.m3u8" || last === "video.m3u8") {
    const resource = { kind: last === "video.m3u8" ? "ts-single" : "ts-multivariant" } as const;
    return slash > 1 && path.startsWith("/") ? { name: path.slice(1, slash), resource } : null;
  }
  const isMedia = last === "mono.ts.m3u8";
  if (!isMedia && !last.endsWith(".ts")) return null;
  const found = parseTracksPath(path);
  if (found === null) return null;
  const { name, selection } = found;
  if (isMedia) return { name, resource: { kind: "ts-media", selection } };
  const segment = SEGMENT.exec(last);
  return segment === null ? null : { name, resource: { kind: "ts-segment", selection, name: segment[1]! } };
}
