import { hourOf, HOUR_US } from "../format/hour.ts";
import { hourPath } from "../format/hour.ts";
import { buildDeletedSpan, deletedFile, readDeletedSpans } from "../format/deleted-spans.ts";
import { MAX_DELETED_BYTES } from "../format/deleted-spans.ts";
import type { DeletedSpan } from "../format/deleted-spans.ts";
import type { HourView } from "../reader/merged-hour.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { deleteHour, hourName } from "./delete-hour.ts";
import { keepErrors } from "./errors.ts";
import type { KeepFiles } from "./keep-files.ts";

/** What deleting of a stream's archive needs. */
export type RangeDeletionParts = {
  /** The stream's folder, absolute. */
  readonly folder: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  /** Hours that have an index, also one of fills alone, the newest first. */
  hours(): AsyncIterable<number>;
  /** An hour's index as it is now; `null` when it is gone. */
  index(hour: number): Promise<HourView | null>;
};

/** What is to be deleted of one hour. */
type HourPart = {
  readonly hour: number;
  /** What is hidden of it. */
  readonly span: DeletedSpan;
  /** Its files go. */
  readonly isWhole: boolean;
  /** The first of its segments that are listed is among them, and the last one. */
  readonly isFromStart: boolean;
  readonly isToEnd: boolean;
  /** How many, and where the first one starts. */
  readonly segments: number;
  readonly firstUs: number;
};

/** What a deletion comes to. */
export type RangeDeletion = {
  /** From the start of the first segment that has a part of the range; `null`: no segment has. */
  readonly span: DeletedSpan | null;
  readonly segments: number;
  readonly parts: readonly HourPart[];
  /** Hours that come behind a part which reaches to the end of what its hour has. */
  readonly behind: readonly number[];
};

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
  let newer: { readonly hour: number; readonly isCut: boolean } | null = null;
  for await (const hour of parts.hours()) {
    // A segment that goes on into the range began in the hour before it at the earliest.
    if (hour < hourOf(fromUs) - 1) break;
    const index: HourView | null = hour > hourOf(toUs) ? null : await parts.index(hour);
    const part = index === null ? null : partOf(index, { fromUs, toUs }, mayGrow(hour, parts.clock));
    if (part !== null) found.unshift(part);
    if (part?.isToEnd === true && newer?.isCut === false) behind.push(newer.hour);
    newer = { hour, isCut: part?.isFromStart === true };
  }
  const firstUs = found.find(({ segments }) => segments > 0)?.firstUs;
  return {
    span: firstUs === undefined ? null : { fromUs: Math.min(fromUs, firstUs), toUs },
    segments: found.reduce((sum, { segments }) => sum + segments, 0),
    parts: found,
    behind,
  };
}

/** What of an hour has a part of a range; `null` where nothing has. */
function partOf(index: HourView, { fromUs, toUs }: DeletedSpan, isOpen: boolean): HourPart | null {
  const { hour, segmentCount } = index;
  const [startUs, endUs] = [hour * HOUR_US, (hour + 1) * HOUR_US];
  const whole = { fromUs: startUs, toUs: endUs };
  // What was begun to be deleted, or hidden piece by piece, is ended.
  const isRest = segmentCount === 0 && index.deletedBytes > 0 && fromUs < endUs && toUs > startUs;
  if (isRest && !isOpen)
    return {
      hour,
      span: whole,
      isWhole: true,
      isFromStart: true,
      isToEnd: true,
      segments: 0,
      firstUs: startUs,
    };
  let first = index.placeFrom(fromUs);
  const end = index.placeFrom(toUs);
  if (first > 0) {
    const before = index.segment(first - 1);
    if (before.startUs + before.durationUs > fromUs) first--;
  }
  if (first >= end) return isOpen ? toCome(index, { fromUs, toUs }) : null;
  const firstUs = index.segment(first).startUs;
  const [isFromStart, isToEnd] = [first === 0, end === segmentCount];
  // Also what is not recorded here in front of the first one: a peer may have it.
  const isWhole = isFromStart && isToEnd && !isOpen;
  const span = isWhole
    ? whole
    : { fromUs: Math.min(firstUs, Math.max(fromUs, startUs)), toUs: Math.min(toUs, endUs) };
  return { hour, span, isWhole, isFromStart, isToEnd, segments: end - first, firstUs };
}

/** What is being recorded: a segment that has begun is hidden when it is complete. */
function toCome(index: HourView, { fromUs, toUs }: DeletedSpan): HourPart | null {
  const [startUs, endUs] = [index.hour * HOUR_US, (index.hour + 1) * HOUR_US];
  const last = index.segmentCount === 0 ? null : index.segment(index.segmentCount - 1);
  const span = {
    fromUs: Math.max(fromUs, last === null ? startUs : last.startUs + last.durationUs),
    toUs: Math.min(toUs, endUs),
  };
  if (span.fromUs >= span.toUs) return null;
  const { hour } = index;
  const [isWhole, isFromStart, isToEnd] = [false, false, false];
  return { hour, span, isWhole, isFromStart, isToEnd, segments: 0, firstUs: span.fromUs };
}

function mayGrow(hour: number, clock: Clock): boolean {
  return (hour + 1) * HOUR_US + OPEN_AFTER_END_US > clock.wallUs();
}

/**
 * Deletes what was planned. All is hidden first, then the files of whole hours go; what an error leaves is deleted by the
 * next try. Of a whole hour the file of deleted spans stays, so that nothing that copies archives brings it back unseen.
 * Rejects with DVR_DELETE_FAILED, DVR_DELETE_LIMIT.
 */
export async function deleteRange(
  { parts: hourParts, behind }: RangeDeletion,
  parts: RangeDeletionParts,
): Promise<void> {
  for (const part of hourParts) await attempt(part.hour, parts, () => hide(part, parts));
  // An empty span: the hour begins behind a break.
  for (const hour of behind) {
    const startUs = hour * HOUR_US;
    const span = { fromUs: startUs, toUs: startUs };
    await attempt(hour, parts, () => hide({ hour, span, isWhole: false }, parts));
  }
  for (const { hour, isWhole } of hourParts)
    if (isWhole) await attempt(hour, parts, () => removeHour(hour, parts));
}

async function hide(
  { hour, span, isWhole }: Pick<HourPart, "hour" | "span" | "isWhole">,
  { folder, files, clock }: RangeDeletionParts,
): Promise<void> {
  const path = `${folder}/${deletedFile(hour)}`;
  const before = await files.read(path, MAX_DELETED_BYTES);
  const { wholeBytes, spans } = readDeletedSpans(before ?? new Uint8Array(0));
  if (spans.some(({ fromUs, toUs }) => fromUs === span.fromUs && toUs === span.toUs)) return;
  const record = buildDeletedSpan(span, clock.wallUs());
  const isFull = wholeBytes + record.byteLength > MAX_DELETED_BYTES;
  // Of one that is full all files go at once.
  if (isFull && isWhole) return;
  if (isFull)
    throw keepErrors.error("DVR_DELETE_LIMIT", { path, limit: MAX_DELETED_BYTES / record.byteLength });
  await files.append(path, wholeBytes, record);
  if (before === null) await files.syncFolder(path.slice(0, path.lastIndexOf("/")));
}

async function removeHour(hour: number, { folder, files }: RangeDeletionParts): Promise<void> {
  const path = `${folder}/${hourPath(hour)}`;
  const day = path.slice(0, path.lastIndexOf("/"));
  const hourOfDay = hour % 24;
  const deleted = deletedFile(hour).slice(-"HH.del".length);
  const entries = (await files.list(day, MAX_ENTRIES)) ?? [];
  const names = entries
    .filter(({ name, isFolder }) => !isFolder && name.startsWith(`${hourName(hourOfDay)}.`))
    .map(({ name }) => name)
    .filter((name) => name !== deleted);
  await deleteHour({ folder: day, hourOfDay, names }, files);
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
