import { parseStem } from "../../packaging/time-span.ts";
import type { Spanned } from "../../packaging/time-span.ts";

/** What a JSON URL asks for below the name of the stream or file. */
export type JsonResource = "media-info" | "manifest";

const INFO_FILES: readonly string[] = ["media_info.json", "info.json"];
const MANIFEST = /^([a-z0-9_-]+)\.json$/;

/**
 * Splits a decoded path into the name and what is asked of it: `/NAME/media_info.json` and its older form
 * `/NAME/info.json`, `/NAME/index.json`, which may have a span of time in place of `index`: see `parseStem`. NAME may hold
 * slashes. Returns `null` for any other path.
 */
export function parseJsonPath(path: string): ({ name: string; resource: JsonResource } & Spanned) | null {
  const lastSlash = path.lastIndexOf("/");
  if (lastSlash < 2 || !path.startsWith("/")) return null;
  const [name, file] = [path.slice(1, lastSlash), path.slice(lastSlash + 1)];
  if (INFO_FILES.includes(file)) return { name, resource: "media-info" };
  const stem = MANIFEST.exec(file)?.[1];
  const time = stem === undefined ? null : parseStem(stem, "index");
  return time === null ? null : { name, resource: "manifest", ...time };
}
