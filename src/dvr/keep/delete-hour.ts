import { isMediaFile } from "./archive-walk.ts";
import type { KeepFiles } from "./keep-files.ts";

/** One hour in its day's folder. */
export type HourPlace = {
  /** The day's folder, absolute. */
  readonly folder: string;
  /** 0 to 23. */
  readonly hourOfDay: number;
  /** The hour's files, in no order. */
  readonly names: readonly string[];
};

/** A media file of an hour as it lies on the volume. */
export type MediaFile = { readonly name: string; readonly bytes: number };

/** A note beside an index that is longer is cut off, and proves nothing. */
const MAX_NOTE_BYTES = 65_536;

/** What is left of an hour's index while the hour is deleted. */
const TOMBSTONE = "deleted";

/** Written beside the index when the hour stands whole and verified in object storage. */
const COPIED = "copied";

/** What the note becomes when the hour is deleted: what stands in object storage is to go too, and is named in it. */
const DROPPED = "dropped";

/** What somebody has deleted of the hour: it stays when the hour goes, so that nobody copies it back from elsewhere. */
const DELETED = "del";

/** Whether nothing is left of an hour but notes: nothing of it is in the archive, and nothing of it takes room. */
export function hasOnlyNotes(names: readonly string[]): boolean {
  return names.every((name) => name.endsWith(`.${DROPPED}`) || isDeletedNote(name));
}

/** Whether a file says what somebody has deleted of its hour. */
export function isDeletedNote(name: string): boolean {
  return name.endsWith(`.${DELETED}`);
}

/** Whether nothing is left of an hour but the note that it is to leave object storage as well. */
export function isDropped(names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => name.endsWith(`.${DROPPED}`));
}

/** Whether an hour stands in object storage, as the presence of a note beside its index says. */
export function isCopied(names: readonly string[]): boolean {
  return names.some((name) => name.endsWith(`.${COPIED}`));
}

/** Whether the deletion of an hour was begun and not ended: what is left of it belongs to nobody. */
export function isHalfDeleted(names: readonly string[]): boolean {
  return (
    names.some((name) => name.endsWith(`.${TOMBSTONE}`)) && !names.some((name) => name.endsWith(".idx"))
  );
}

/**
 * Deletes an hour with all its files.
 *
 * The index goes first, but by another name: `HH.idx` becomes `HH.deleted` in one step, or where nothing was recorded
 * here the index of fills, which otherwise goes next. From then on nobody finds an index that promises media, and whoever comes by finds that the hour is to be deleted: a process that dies at any point
 * leaves either the hour as it was, or a tombstone by which the next round ends what was begun, without asking any rule.
 * The tombstone goes last. Players that read meanwhile keep what they have open. The note of a copied hour, `HH.copied`,
 * stays as `HH.dropped`: whoever copies deletes by it what stands in object storage, and then the note.
 *
 * What is gone already is passed over. Throws: the system's error, with what is left still under its tombstone.
 */
export async function deleteHour(place: HourPlace, files: KeepFiles): Promise<void> {
  const { folder, names } = place;
  const stem = `${folder}/${hourName(place.hourOfDay)}`;
  const index = INDEXES.find((kind) => names.includes(`${hourName(place.hourOfDay)}.${kind}`));
  if (index !== undefined) await files.rename(`${stem}.${index}`, `${stem}.${TOMBSTONE}`);
  if (isCopied(names)) await files.rename(`${stem}.${COPIED}`, `${stem}.${DROPPED}`);
  const others = names.filter((name) => !KEPT_TO_THE_END.some((kind) => name.endsWith(`.${kind}`)));
  for (const name of others.sort((a, b) => turnOf(a) - turnOf(b))) await files.remove(`${folder}/${name}`);
  await files.remove(`${stem}.${TOMBSTONE}`);
}

/**
 * Deletes the media files of an hour that stands in object storage; its index and its note stay.
 *
 * `isProof`: whether the text of the note proves that the files are there, as they are here.
 * Returns: `false`, and nothing is deleted, when it does not. Throws: the system's error.
 */
export async function deleteMedia(
  place: HourPlace,
  files: KeepFiles,
  isProof: (note: string, media: readonly MediaFile[]) => boolean,
): Promise<boolean> {
  const { folder, names } = place;
  const note = await files.read(`${folder}/${hourName(place.hourOfDay)}.${COPIED}`, MAX_NOTE_BYTES);
  if (note === null) return false;
  const media: MediaFile[] = [];
  for (const name of names.filter(isMediaFile)) {
    const facts = await files.facts(`${folder}/${name}`);
    if (facts !== null) media.push({ name, bytes: facts.bytes });
  }
  if (!isProof(new TextDecoder().decode(note), media)) return false;
  for (const { name } of media) await files.remove(`${folder}/${name}`);
  return true;
}

/** Of what was recorded, and of what was copied from a peer. */
const INDEXES = ["idx", "fill"];

/** What of an hour is not simply removed when it is deleted. */
const KEPT_TO_THE_END = ["idx", TOMBSTONE, COPIED, DROPPED];

/** The name of an hour's files up to the dot. */
export function hourName(hourOfDay: number): string {
  return String(hourOfDay).padStart(2, "0");
}

/** In what order files go: an index of fills that is there still, media, all else. */
function turnOf(name: string): number {
  if (name.endsWith(".fill")) return 0;
  return isMediaFile(name) ? 1 : 2;
}
