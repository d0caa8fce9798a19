/** What a JSON URL asks for below the name of the stream or file. */
export type JsonResource = "media-info" | "manifest";

const FILES: ReadonlyMap<string, JsonResource> = new Map([
  ["media_info.json", "media-info"],
  ["info.json", "media-info"],
  ["index.json", "manifest"],
]);

/**
 * Splits a decoded path into the name and what is asked of it: `/NAME/media_info.json` and its older form
 * `/NAME/info.json`, `/NAME/index.json`. NAME may hold slashes. Returns `null` for any other path.
 */
export function parseJsonPath(path: string): { name: string; resource: JsonResource } | null {
  const lastSlash = path.lastIndexOf("/");
  const resource = FILES.get(path.slice(lastSlash + 1));
  if (resource === undefined || lastSlash < 2 || !path.startsWith("/")) return null;
  return { name: path.slice(1, lastSlash), resource };
}
