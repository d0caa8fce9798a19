import { hourOf, HOUR_US } from "../format/hour.ts";
import { hourPath } from "../format/hour.ts";
import { buildDeletedSpan, deletedFile, readDeletedSpans } from "../format/deleted-spans.ts";
import { MAX_DELETED_BYTES } from "../format/deleted-spans.ts";
import type { DeletedSpan } from "../format/deleted-spans.ts";
import type { HourIndex } from "../format/hour-index.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { isCopied, deleteHour, hourName } from "./delete-hour.ts";
import { keepErrors } from "./errors.ts";
import type { KeepFiles } from "./keep-files.ts";

/** What deleting of a stream's archive needs. */
export type RangeDeletionParts = {
  /** The stream's folder, absolute. */
  readonly folder: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  /** Hours that have an index, the newest first. */
  hours(): AsyncIterable<number>;
  /** An hour's index as it is now; `null` when it is gone. */
  index(hour: number): Promise<HourIndex | null>;
};

/** What is to be deleted of one hour. */
type HourPart = { readonly hour: number; readonly span: DeletedSpan; readonly isWhole: boolean };

/** What a deletion comes to. */
export type RangeDeletion = {
  /** From the start of the first segment that has a part of the range; `null`: there is nothing to delete. */
  readonly span: DeletedSpan | null;
  readonly segments: number;
  readonly parts: readonly HourPart[];
  /** Hours that come behind a part which reaches to the end of what its hour has. */
  readonly behind: readonly number[];
};

/** An hour that was deleted with all its files. */
export type WholeHour = { readonly hour: number; readonly bytes: number; readonly wasCopied: boolean };

/** How long an hour may still be written after its end, whoever writes it. Units: microseconds. */
const OPEN_AFTER_END_US = 600_000_000;

/** Entries of a day's folder that are looked at. */
const MAX_ENTRIES = 100_000;

/**
 * What there is to delete of a range: all segments that have any part of it. Nothing is changed yet.
 * Units: microseconds of the media clock. Rejects with DVR_DISK_FAILED, DVR_BAD_INDEX.
 */
export async function planDeletion(
  { fromUs, toUs }: DeletedSpan,
  parts: RangeDeletionParts,
): Promise<RangeDeletion> {
  const found: HourPart[] = [];
  const behind: number[] = [];
  let segments = 0;
  let newer: { readonly hour: number; readonly isCut: boolean } | null = null;
  for await (const hour of parts.hours()) {
    // A segment that goes on into the range began in the hour before it at the earliest.
    if (hour < hourOf(fromUs) - 1) break;
    const index: HourIndex | null = hour > hourOf(toUs) ? null : await parts.index(hour);
    const cut = index === null ? null : cutOf(index, { fromUs, toUs });
    if (index === null || cut === null) {
      newer = { hour, isCut: false };
      continue;
    }
    const { first, end } = cut;
    segments += end - first;
    if (end === index.segmentCount && newer?.isCut === false) behind.push(newer.hour);
    const isWhole = first === 0 && end === index.segmentCount && !mayGrow(hour, parts.clock);
    const span = { fromUs: index.segment(first).startUs, toUs: Math.min(toUs, (hour + 1) * HOUR_US) };
    found.unshift({ hour, span, isWhole });
    newer = { hour, isCut: first === 0 };
  }
  const [first] = found;
  const span = first === undefined ? null : { fromUs: Math.min(fromUs, first.span.fromUs), toUs };
  return { span, segments, parts: found, behind };
}

/** The places of the segments that have a part of a range; `null` where none has. */
function cutOf(
  index: HourIndex,
  { fromUs, toUs }: DeletedSpan,
): { readonly first: number; readonly end: number } | null {
  let first = index.placeFrom(fromUs);
  const end = index.placeFrom(toUs);
  if (first > 0) {
    const { startUs, durationUs } = index.segment(first - 1);
    if (startUs + durationUs > fromUs) first--;
  }
  return first < end ? { first, end } : null;
}

function mayGrow(hour: number, clock: Clock): boolean {
  return (hour + 1) * HOUR_US + OPEN_AFTER_END_US > clock.wallUs();
}

/**
 * Deletes what was planned. What goes in part is hidden first, then whole hours go; what an error leaves is deleted by the
 * next try. Returns: the hours that are gone. Rejects with DVR_DELETE_FAILED, DVR_DELETE_LIMIT.
 */
export async function deleteRange(
  { parts: hourParts, behind }: RangeDeletion,
  parts: RangeDeletionParts,
): Promise<WholeHour[]> {
  const gone: WholeHour[] = [];
  for (const { hour, span, isWhole } of hourParts)
    if (!isWhole) await attempt(hour, parts, () => hide(hour, span, parts));
  // An empty span: the hour begins behind a break.
  for (const hour of behind) {
    const startUs = hour * HOUR_US;
    await attempt(hour, parts, () => hide(hour, { fromUs: startUs, toUs: startUs }, parts));
  }
  for (const { hour, isWhole } of hourParts)
    if (isWhole) gone.push(await attempt(hour, parts, () => removeHour(hour, parts)));
  return gone;
}

async function hide(
  hour: number,
  span: DeletedSpan,
  { folder, files, clock }: RangeDeletionParts,
): Promise<void> {
  const path = `${folder}/${deletedFile(hour)}`;
  const before = await files.read(path, MAX_DELETED_BYTES);
  const { wholeBytes, spans } = readDeletedSpans(before ?? new Uint8Array(0));
  if (spans.some(({ fromUs, toUs }) => fromUs === span.fromUs && toUs === span.toUs)) return;
  const record = buildDeletedSpan(span, clock.wallUs());
  if (wholeBytes + record.byteLength > MAX_DELETED_BYTES)
    throw keepErrors.error("DVR_DELETE_LIMIT", { path, limit: MAX_DELETED_BYTES / record.byteLength });
  await files.append(path, wholeBytes, record);
  if (before === null) await files.syncFolder(path.slice(0, path.lastIndexOf("/")));
}

async function removeHour(hour: number, { folder, files }: RangeDeletionParts): Promise<WholeHour> {
  const path = `${folder}/${hourPath(hour)}`;
  const day = path.slice(0, path.lastIndexOf("/"));
  const hourOfDay = hour % 24;
  const entries = (await files.list(day, MAX_ENTRIES)) ?? [];
  const names = entries
    .filter(({ name, isFolder }) => !isFolder && name.startsWith(`${hourName(hourOfDay)}.`))
    .map(({ name }) => name);
  let bytes = 0;
  for (const name of names) bytes += (await files.facts(`${day}/${name}`))?.bytes ?? 0;
  await deleteHour({ folder: day, hourOfDay, names }, files);
  return { hour, bytes, wasCopied: isCopied(names) };
}

async function attempt<T>(
  hour: number,
  { folder: path }: RangeDeletionParts,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (caught) {
    if (caught instanceof Error && "code" in caught && caught.code === "DVR_DELETE_LIMIT") throw caught;
    const context = {
      hour: hourPath(hour),
      stream: path.split("/").at(-1),
      path,
      reason: messageOf(caught),
    };
    throw keepErrors.error("DVR_DELETE_FAILED", context, caught);
  }
}
