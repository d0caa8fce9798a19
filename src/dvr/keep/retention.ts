/** What of an archive is to be deleted: decided here, from numbers alone; `retention-round.ts` gathers them and acts. */

/** One recorded hour of a stream, as it lies on the volume. */
export type StoredHour = {
  /** Hours since 1970, UTC. */
  readonly hour: number;
  /** All its files. */
  readonly bytes: number;
  /** Its media files alone: 0 when they have left the volume. */
  readonly mediaBytes: number;
  /** It may still be written. */
  readonly isOpen: boolean;
  /** An episode or lock wants it kept. */
  readonly isProtected: boolean;
  /** It stands whole and verified in object storage. */
  readonly isCopied: boolean;
};

/** What a stream's configuration says. What is absent does not apply. */
export type RetentionRules = {
  /** How far the archive reaches back. Units: milliseconds. */
  readonly depthMs?: number | undefined;
  /** Most bytes of the stream on the volume. */
  readonly sizeBytes?: number | undefined;
  /** Up to where the whole volume may be used before the stream's hours go. Units: percent. */
  readonly diskPercent?: number | undefined;
  /** How long the media of a copied hour stays on the volume. Units: milliseconds. */
  readonly localMs?: number | undefined;
  /** A server that knows of hours that are to be kept. */
  readonly episodesUrl?: string | undefined;
  /** How long an episode that does not say when it expires keeps its hours once it is closed. Units: milliseconds. */
  readonly episodesExpirationMs?: number | undefined;
};

/** A stream's hours and rules. */
export type StreamHours = {
  readonly stream: string;
  readonly rules: RetentionRules;
  /** In any order, each once. */
  readonly hours: readonly StoredHour[];
};

/** How full the volume is. */
export type DiskUse = { readonly usedPercent: number; readonly totalBytes: number };

/** Why an hour is deleted. */
export type DeletionReason = "depth" | "local" | "size" | "disk";

/** An hour that is to be deleted. */
export type Deletion = {
  readonly stream: string;
  readonly hour: number;
  readonly reason: DeletionReason;
  /** What it frees. */
  readonly bytes: number;
  /** The hour stays in the archive: its media leaves the volume, and is read from where it was copied to. */
  readonly keepsIndex: boolean;
};

/** What a round decides from. */
export type RetentionInput = {
  readonly streams: readonly StreamHours[];
  /** `null` when that is not known: then no hour goes for the sake of the disk. */
  readonly disk: DiskUse | null;
  /** Wall clock. Units: milliseconds since 1970. */
  readonly nowMs: number;
  /** Most hours of one round. What is left is chosen again in the next. */
  readonly limit: number;
};

const HOUR_MS = 3_600_000;

/** More than there are hours until the year 9999: what is not copied goes behind all that is. */
const NOT_COPIED = 1e9;

/**
 * Chooses the hours that are to be deleted now, oldest first, whole hours only; never one that is open or protected.
 *
 * - depth: an hour goes when its end is as old as the depth. It is the one rule that ends an hour's life in the archive,
 *   wherever its bytes are; the others only make room on the volume, and of an hour that is copied only media leaves.
 * - local: a copied hour's media leaves when its end is as old as that.
 * - size: the stream's oldest hours go until the rest is within the size.
 * - disk: while the volume is used beyond the lowest percentage of all streams, the hours of the streams that have it go,
 *   until it is not, or none is left; then those of the next percentage. Among them copied hours go first, since nothing
 *   is lost with them, and then the oldest. What the other rules free is counted before.
 *
 * No rule takes more than it needs, and all together not more than `limit`.
 */
export function hoursToDelete(input: RetentionInput): Deletion[] {
  const { streams, disk, nowMs, limit } = input;
  const byAge = streams.flatMap((stream) => ofStream(stream, nowMs)).sort(oldestFirst);
  const chosen = byAge.slice(0, Math.max(0, limit));
  if (disk === null || disk.totalBytes <= 0) return chosen;
  const forDisk = ofDisk(streams, disk, { chosen, limit: limit - chosen.length });
  return [...chosen, ...forDisk].sort(oldestFirst);
}

/** What the rules of one stream choose, the volume aside. */
function ofStream({ stream, rules, hours }: StreamHours, nowMs: number): Deletion[] {
  const { depthMs, localMs, sizeBytes } = rules;
  const chosen: Deletion[] = [];
  const left: StoredHour[] = [];
  for (const hour of hours) {
    if (isKept(hour)) continue;
    if (isAsOldAs(hour, depthMs, nowMs)) chosen.push(deletionOf(stream, hour, "depth"));
    else if (isCopiedMedia(hour) && isAsOldAs(hour, localMs, nowMs))
      chosen.push(deletionOf(stream, hour, "local"));
    else left.push(hour);
  }
  if (sizeBytes === undefined) return chosen;
  let total = sumOfBytes(hours) - sumOfBytes(chosen);
  for (const hour of left.sort((a, b) => a.hour - b.hour)) {
    if (total <= sizeBytes) break;
    if (!hasToGive(hour)) continue;
    const deletion = deletionOf(stream, hour, "size");
    chosen.push(deletion);
    total -= deletion.bytes;
  }
  return chosen;
}

/** What the volume needs beyond what is chosen already. */
function ofDisk(
  streams: readonly StreamHours[],
  disk: DiskUse,
  before: { readonly chosen: readonly Deletion[]; readonly limit: number },
): Deletion[] {
  const { totalBytes, usedPercent } = disk;
  let usedBytes = (usedPercent / 100) * totalBytes - sumOfBytes(before.chosen);
  const taken = new Map([...Map.groupBy(before.chosen, ({ stream }) => stream)].map(hoursByStream));
  const chosen: Deletion[] = [];
  for (const percent of percentages(streams)) {
    const mostBytes = (percent / 100) * totalBytes;
    const limit = before.limit - chosen.length;
    // The next percentages leave even more room.
    if (usedBytes <= mostBytes || limit <= 0) break;
    const group = streams.filter(({ rules }) => rules.diskPercent === percent);
    for (const { stream, hour } of candidates(group, taken, limit)) {
      if (usedBytes <= mostBytes) break;
      const deletion = deletionOf(stream, hour, "disk");
      chosen.push(deletion);
      usedBytes -= deletion.bytes;
    }
  }
  return chosen;
}

function hoursByStream([stream, chosen]: readonly [string, readonly Deletion[]]): [string, Set<number>] {
  return [stream, new Set(chosen.map(({ hour }) => hour))];
}

function percentages(streams: readonly StreamHours[]): number[] {
  const said = streams.map(({ rules }) => rules.diskPercent).filter((percent) => percent !== undefined);
  return [...new Set(said)].sort((a, b) => a - b);
}

type Candidate = { readonly stream: string; readonly hour: StoredHour };

/**
 * The first `limit` hours that may go for the disk: copied ones first, then the oldest. An archive has some hundred
 * thousand hours: only the few that are wanted are put in order, the others are told from them by a number.
 */
function candidates(
  group: readonly StreamHours[],
  taken: ReadonlyMap<string, ReadonlySet<number>>,
  limit: number,
): Candidate[] {
  const found = group.flatMap(({ stream, hours }) => {
    const takenHours = taken.get(stream);
    return hours
      .filter((hour) => !isKept(hour) && hasToGive(hour) && takenHours?.has(hour.hour) !== true)
      .map((hour) => ({ stream, hour }));
  });
  const ranks = Float64Array.from(found, rankOf).sort();
  const last = ranks[Math.min(limit, ranks.length) - 1] ?? -Infinity;
  return found
    .filter((one) => rankOf(one) <= last)
    .sort((a, b) => rankOf(a) - rankOf(b) || oldestFirst(keyOf(a), keyOf(b)))
    .slice(0, limit);
}

/** The order in which hours go for the disk, smaller first. */
function rankOf({ hour }: Candidate): number {
  return hour.hour + (hour.isCopied ? 0 : NOT_COPIED);
}

function deletionOf(stream: string, stored: StoredHour, reason: DeletionReason): Deletion {
  const { hour, bytes, mediaBytes } = stored;
  const keepsIndex = stored.isCopied && reason !== "depth";
  return { stream, hour, reason, bytes: keepsIndex ? mediaBytes : bytes, keepsIndex };
}

function isKept({ isOpen, isProtected }: StoredHour): boolean {
  return isOpen || isProtected;
}

/** Whether an hour has anything left that makes room. */
function hasToGive(hour: StoredHour): boolean {
  return !hour.isCopied || isCopiedMedia(hour);
}

function isCopiedMedia({ isCopied, mediaBytes }: StoredHour): boolean {
  return isCopied && mediaBytes > 0;
}

/** Whether the end of the hour is as long ago; of an hour in the future it is not. */
function isAsOldAs({ hour }: StoredHour, ageMs: number | undefined, nowMs: number): boolean {
  return ageMs !== undefined && (hour + 1) * HOUR_MS + ageMs <= nowMs;
}

function sumOfBytes(items: readonly { readonly bytes: number }[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0);
}

type HourKey = { readonly stream: string; readonly hour: number };

function keyOf({ stream, hour }: Candidate): HourKey {
  return { stream, hour: hour.hour };
}

function oldestFirst(a: HourKey, b: HourKey): number {
  return a.hour - b.hour || (a.stream < b.stream ? -1 : Number(a.stream > b.stream));
}
