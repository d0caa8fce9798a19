/** Hours that were deleted here and stand in object storage still: their notes are called `HH.dropped`. */
import type { DayFolder } from "../keep/archive-walk.ts";
import type { KeepFiles } from "../keep/keep-files.ts";
import { hourPath } from "../format/hour.ts";
import { compareHourFiles, parseHourFileName } from "../format/hour-file-names.ts";
import type { HourFileName } from "../format/hour-file-names.ts";
import { isCopiedTo, MAX_MARKER_BYTES, parseCopiedMarker } from "./copied-marker.ts";
import { keyOf } from "./hour-copy.ts";
import type { HourRef } from "./hours-storage.ts";
import type { ObjectStore } from "./object-store.ts";

/** A note of an hour that is to leave object storage. */
export type DroppedHour = {
  readonly hour: HourRef;
  /** The day's folder. */
  readonly folder: string;
  readonly note: string;
};

/** Those of a stream. */
export function* droppedHours(stream: string, days: readonly DayFolder[]): Generator<DroppedHour> {
  for (const { day, path: folder, hours } of days)
    for (const { hourOfDay, names } of hours)
      for (const name of names.filter((each) => each.endsWith(".dropped"))) {
        const path = hourPath(day * 24 + hourOfDay);
        yield { hour: { stream, path }, folder, note: `${folder}/${name}` };
      }
}

/**
 * Deletes an hour from object storage, its indexes before their media, and then the note. One that is damaged is removed: it names nothing.
 *
 * Returns: `false`, and nothing is deleted, when the note is about another place. Throws: the store's error, the system's.
 */
export async function dropHour(
  { hour, note }: DroppedHour,
  to: { readonly files: KeepFiles; readonly store: ObjectStore; readonly signal: AbortSignal },
): Promise<boolean> {
  const { files, store, signal } = to;
  const bytes = await files.read(note, MAX_MARKER_BYTES);
  if (bytes === null) return true;
  const marker = parseCopiedMarker(new TextDecoder().decode(bytes));
  if (marker !== null && !isCopiedTo(marker, store.location)) return false;
  // Nothing but files of the hour is deleted, whatever a note says.
  const own = (marker?.files ?? []).flatMap(({ name }) => {
    const parsed = parseHourFileName(name);
    return parsed?.hourOfDay === hour.path.slice(-2) ? [{ ...parsed, name }] : [];
  });
  for (const { name } of own.toSorted(backwards)) await store.delete(keyOf(hour, name), { signal });
  await files.remove(note);
  return true;
}

/** Indexes before the media that they promise, and last what is deleted: an hour that is half gone shows no more than before. */
function backwards(a: HourFileName, b: HourFileName): number {
  return compareHourFiles(b, a);
}
