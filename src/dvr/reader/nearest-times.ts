import { hourOf } from "../format/hour.ts";
import type { HourIndex } from "../format/hour-index.ts";

/** The times next to one at which something is recorded; `null` where nothing is. Units: microseconds. */
export type NearestTimes = { readonly beforeUs: number | null; readonly afterUs: number | null };

/** What this needs of an archive. */
export type NearestSource = {
  /** Hours that have an index, from one up to another one, oldest first. */
  hours(from: number, to: number): AsyncIterable<number>;
  /** `null` when it is gone. */
  index(hour: number): Promise<Pick<HourIndex, "segmentCount" | "placeAt" | "segment"> | null>;
};

/** How far it is looked at first, and then: at last everywhere. Units: hours. */
const REACHES = [1, 24, 31 * 24, Infinity];
/** Hours without a segment that are passed over, to each side. */
const MAX_EMPTY = 24;

/**
 * Where something is recorded before a time and after it, however far away. Which hours there are is listed; read are those
 * next to the time alone.
 */
export async function nearestTimes(us: number, source: NearestSource): Promise<NearestTimes> {
  const here = hourOf(Math.max(0, us));
  let found: NearestTimes = { beforeUs: null, afterUs: null };
  for (const reach of REACHES) {
    const [before, after]: [number[], number[]] = [[], []];
    for await (const hour of source.hours(Math.max(0, here - reach), here + reach)) {
      if (hour <= here) before.push(hour);
      if (hour >= here) after.push(hour);
    }
    const beforeUs =
      found.beforeUs ?? (await firstOf(before.toReversed(), source, (index) => endBefore(index, us)));
    const afterUs = found.afterUs ?? (await firstOf(after, source, (index) => startBehind(index, us)));
    found = { beforeUs, afterUs };
    if (beforeUs !== null && afterUs !== null) break;
  }
  return found;
}

type Index = NonNullable<Awaited<ReturnType<NearestSource["index"]>>>;

async function firstOf(
  hours: readonly number[],
  source: NearestSource,
  of: (index: Index) => number | null,
): Promise<number | null> {
  for (const hour of hours.slice(0, MAX_EMPTY)) {
    const index = await source.index(hour);
    const us = index === null ? null : of(index);
    if (us !== null) return us;
  }
  return null;
}

/** The end of the last segment that starts at a time or before it. */
function endBefore(index: Index, us: number): number | null {
  const place = index.placeAt(us);
  if (place < 0) return null;
  const { startUs, durationUs } = index.segment(place);
  return startUs + durationUs;
}

/** The start of the first segment behind a time. */
function startBehind(index: Index, us: number): number | null {
  const place = index.placeAt(us) + 1;
  return place < index.segmentCount ? index.segment(place).startUs : null;
}
