/** Where a server gives its archives to others of its cluster; docs/archive-format.md, "Copying". */
import { parseDeletedFile } from "../format/deleted-spans.ts";
import { parseFillIndexFile } from "../format/fill.ts";
import { parseHourFile } from "../format/hour.ts";

/** The path of the list of streams. */
export const STREAMS_PATH = "/archive-streams.json";

const HOURS = /^\/(.+)\/archive-hours\.json$/;
const FILE = /^\/(.+)\/archive-files\/([0-9]{4}\/[0-9]{2}\/[0-9]{2}\/[0-9]{2}\.[a-z0-9.]{2,16})$/;
const FILL_MEDIA = /\.fill(?=(?:\.[0-9]+)?\.mp4$)/;

/** What one server asks another one for. `file`: its path below the stream's folder. */
export type PeerPath =
  | { readonly kind: "streams" }
  | { readonly kind: "hours"; readonly name: string }
  | { readonly kind: "file"; readonly name: string; readonly file: string };

/** What a decoded path asks for; `null` when it is none of these. NAME may hold slashes. */
export function parsePeerPath(path: string): PeerPath | null {
  if (path === STREAMS_PATH) return { kind: "streams" };
  const hours = HOURS.exec(path)?.[1];
  if (hours !== undefined) return { kind: "hours", name: hours };
  const [, name, file] = FILE.exec(path) ?? [];
  if (name === undefined || file === undefined || !isStoredFile(file)) return null;
  return { kind: "file", name, file };
}

/** The target of a list of hours, from one up to another. */
export function hoursTarget(stream: string, from: number, to: number): string {
  return `/${stream}/archive-hours.json?from=${from}&to=${to}`;
}

/** The target of a file. */
export function fileTarget(stream: string, file: string): string {
  return `/${stream}/archive-files/${file}`;
}

/** Whether a path below a stream's folder is that of an hour's file: of the recorder, of fills, or of what is deleted. */
function isStoredFile(file: string): boolean {
  const isIndex = parseFillIndexFile(file) !== null || parseDeletedFile(file) !== null;
  return isIndex || parseHourFile(file.replace(FILL_MEDIA, "")) !== null;
}
