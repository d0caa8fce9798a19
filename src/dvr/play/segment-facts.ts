import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { ArchivedSegment } from "../reader/archived-segment.ts";

/** Longer than this between two segments nothing was recorded. */
const MAX_HOLE_US = 1_000_000;
/** Times of an index are rounded down, as are the ticks of a track of a thousand a second. */
const MARGIN_US = 1002;

/** Where a segment stands on the media clock, as decoders see it. Units: microseconds. */
export type SegmentTimes = {
  /** No sample of it is decoded earlier. */
  readonly earliestUs: number;
  /** Its first picture is decoded then, or its first sound where it has no picture; not later. */
  readonly pointUs: number;
  /** All its tracks have samples up to then, and none of a later segment is decoded earlier. */
  readonly wholeUs: number;
  /** All its samples are decoded and shown by then. */
  readonly endUs: number;
};

/** What a segment's chunks say of its times. */
export function timesOf(segment: ArchivedSegment): SegmentTimes {
  const reference = trackNumber(segment.tracks.reference.id);
  const ends = new Map<number, number>();
  let earliestUs = Infinity;
  let pointUs = Infinity;
  for (const { trackNumber: track, startUs, durationUs } of segment.chunks()) {
    ends.set(track, Math.max(ends.get(track) ?? 0, startUs + durationUs));
    earliestUs = Math.min(earliestUs, startUs);
    if (track === reference) pointUs = Math.min(pointUs, startUs);
  }
  if (pointUs === Infinity) pointUs = earliestUs;
  const endUs = Math.max(segment.startUs + segment.durationUs, ...ends.values());
  return {
    earliestUs: earliestUs - MARGIN_US,
    pointUs: pointUs - MARGIN_US,
    wholeUs: Math.min(...ends.values()) - 2 * MARGIN_US,
    endUs: endUs + MARGIN_US,
  };
}

/** Whether nothing was recorded between a segment and the one that comes next. */
export function isGapBetween(before: ArchivedSegment, next: ArchivedSegment): boolean {
  return next.startUs - (before.startUs + before.durationUs) > MAX_HOLE_US;
}

/** Whether players have to be told something between two segments: a gap, a break, or other tracks. */
export function isBreakBetween(before: ArchivedSegment, next: ArchivedSegment): boolean {
  return next.discontinuity || next.tracks !== before.tracks || isGapBetween(before, next);
}

/**
 * What is to be added to the times of a segment behind a break, for media that goes on as if there was none: the same as
 * for the one before it, and so much that no sample is decoded before the last one in front of the break, nor shown before
 * that ends. `keepsGaps`: no less than for the one before.
 *
 * `shiftUs`: that of the segment before. Units: microseconds.
 */
export function shiftAcross(
  before: ArchivedSegment,
  next: ArchivedSegment,
  { shiftUs, keepsGaps }: { readonly shiftUs: number; readonly keepsGaps: boolean },
): number {
  const endUs = timesOf(before).endUs + shiftUs;
  const least = Math.max(endUs - timesOf(next).earliestUs, endUs - next.startUs);
  return keepsGaps ? Math.max(least, shiftUs) : least;
}
