/** Hours that were deleted here and stand in object storage still: their notes are called `HH.dropped`. */
import type { DayFolder } from "../keep/archive-walk.ts";
import type { KeepFiles } from "../keep/keep-files.ts";
import { hourPath } from "../format/hour.ts";
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

/** The files of an hour: nothing else is deleted, whatever a note says. */
const HOUR_FILE = /^\d{2}(\.\d{1,3})?\.(mp4|idx)$/;

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
 * Deletes an hour from object storage, its index first, and then the note. One that is damaged is removed: it names nothing.
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
  const names = (marker?.files ?? []).map(({ name }) => name);
  const own = names.filter((name) => HOUR_FILE.test(name) && name.startsWith(hour.path.slice(-2)));
  for (const name of own.toSorted(indexFirst)) await store.delete(keyOf(hour, name), { signal });
  await files.remove(note);
  return true;
}

function indexFirst(a: string, b: string): number {
  return Number(b.endsWith(".idx")) - Number(a.endsWith(".idx"));
}
