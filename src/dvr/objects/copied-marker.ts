/**
 * `HH.copied`: a note beside the index of an hour that its files are in object storage and were verified there. It says
 * nothing that the store could not be asked; it makes that cheap. One line of JSON:
 *
 *     {"version":1,"location":"https://host/bucket/prefix","files":[{"name":"08.mp4","bytes":967000000}, ...]}
 */

/** A file that was copied. */
export type CopiedFile = { readonly name: string; readonly bytes: number };

/** What a note says. */
export type CopiedMarker = { readonly location: string; readonly files: readonly CopiedFile[] };

/** A note that is longer is none: an hour of a thousand files has no more. */
export const MAX_MARKER_BYTES = 65_536;

/** The text of a note. */
export function copiedMarker(location: string, files: readonly CopiedFile[]): string {
  const listed = files.map(({ name, bytes }) => ({ name, bytes }));
  return `${JSON.stringify({ version: 1, location, files: listed })}\n`;
}

/** Reads a note. Returns: `null` for one that is torn, or of another version. */
export function parseCopiedMarker(text: string): CopiedMarker | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value["version"] !== 1) return null;
  const { location, files } = value;
  if (typeof location !== "string" || !Array.isArray(files)) return null;
  return files.every(isCopiedFile) ? { location, files } : null;
}

/** Whether a note is about this place: where an hour is to be copied may have changed since. */
export function isCopiedTo(marker: CopiedMarker, location: string): boolean {
  return marker.location === location && marker.files.length > 0;
}

/**
 * Whether the text of a note proves that these media files are at a place, all of them with the sizes that they have here,
 * and the indexes that promise them. `location`: of the place where they would be read.
 */
export function isCopiedProven(note: string, location: string, media: readonly CopiedFile[]): boolean {
  const marker = parseCopiedMarker(note);
  if (marker === null || !isCopiedTo(marker, location)) return false;
  const copied = new Map(marker.files.map(({ name, bytes }) => [name, bytes]));
  const hasNoted = (ending: string): boolean => marker.files.some(({ name }) => name.endsWith(ending));
  const isProven = ({ name, bytes }: CopiedFile): boolean =>
    copied.get(name) === bytes && hasNoted(/\.fill\./.test(name) ? ".fill" : ".idx");
  return media.length > 0 && media.every(isProven);
}

function isCopiedFile(value: unknown): value is CopiedFile {
  if (!isRecord(value)) return false;
  const { name, bytes } = value;
  return typeof name === "string" && typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
