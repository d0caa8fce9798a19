/**
 * A playlist that slides or grows has segments of consecutive numbers, each with the number that it always had, and as many
 * breaks between two of them as their numbers say (RFC 8216 section 6.2.2). Where numbers are missing in between, since
 * what had them was deleted, entries without media stand for them: EXT-X-GAP.
 */
import type { TrackId } from "../../media/ids.ts";
import type { TrackSet } from "../../media/track.ts";
import { segmentName } from "../../packaging/live-segment.ts";
import type { SegmentEntry } from "../../packaging/presentation.ts";
import type { ArchivedSegment } from "./archived-segment.ts";

/** Numbers that are missing are told one by one up to so many in a playlist: some two days. */
const MAX_GAP_ENTRIES = 100_000;
/** Names are milliseconds. Units: microseconds. */
const MIN_ENTRY_US = 1000;

/** What stands between two segments. */
type Between = { readonly before: ArchivedSegment; readonly gaps: readonly GapEntry[] };

/** A number without media. */
export class GapEntry implements SegmentEntry {
  readonly sequence: number;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tracks: TrackSet;
  readonly discontinuity: boolean;
  readonly stretchStartUs: number;
  readonly isIndependent = true;
  readonly isGap = true;
  /** See `ArchivedSegment`. */
  readonly discontinuities: number;
  readonly isBehindDeleted = false;

  /** `before`: the segment of which it is in the stretch, so that what makes Periods of those passes over it. */
  constructor(
    before: ArchivedSegment,
    place: Pick<GapEntry, "sequence" | "startUs" | "durationUs" | "discontinuity" | "discontinuities">,
  ) {
    this.sequence = place.sequence;
    this.name = segmentName(place.startUs);
    this.startUs = place.startUs;
    this.durationUs = place.durationUs;
    this.tracks = before.tracks;
    this.discontinuity = place.discontinuity;
    this.discontinuities = place.discontinuities;
    this.stretchStartUs = before.stretchStartUs;
  }

  get utcUs(): number {
    return this.startUs;
  }

  trackBytes(_track: TrackId): number {
    return 0;
  }

  trackSamples(_track: TrackId): number {
    return 0;
  }

  trackUs(_track: TrackId): number {
    return 0;
  }
}

/** What a playlist lists: a segment, or a number without one. */
export type ListedEntry = ArchivedSegment | GapEntry;

/** Completes the numbers of playlists of one stream's archive. What it makes stays the same object as what it is made of. */
export class NumberedSegments {
  readonly #between = new WeakMap<ArchivedSegment, Between>();
  readonly #recorded = new WeakMap<ArchivedSegment, ArchivedSegment>();
  readonly #behindMissing = new WeakMap<ArchivedSegment, ArchivedSegment>();

  /**
   * Puts breaks where numbers are missing: whole hours go without a note when they are over their depth and those around
   * them are kept, and when somebody takes their files away. `segments`: in order; changed in place.
   */
  breakWhereMissing(segments: ArchivedSegment[]): void {
    for (let place = 1; place < segments.length; place++) {
      const segment = segments[place]!;
      if (segment.discontinuity || segment.sequence <= segments[place - 1]!.sequence + 1) continue;
      const behind = this.#behindMissing.get(segment) ?? segment.behindMissing();
      this.#behindMissing.set(segment, behind);
      segments[place] = behind;
    }
  }

  /**
   * Segments with entries for numbers that are missing between them. Where `MAX_GAP_ENTRIES` are not enough for all, it begins
   * behind those that have no room. `segments`: in order.
   */
  of(segments: readonly ArchivedSegment[]): ListedEntry[] {
    let numbered: ListedEntry[] = [];
    let before: ArchivedSegment | null = null;
    let gaps = 0;
    for (const segment of segments) {
      const missing = before === null ? 0 : segment.sequence - before.sequence - 1;
      gaps += Math.max(0, missing);
      if (gaps > MAX_GAP_ENTRIES) [numbered, gaps] = [[], 0];
      else if (before !== null && missing > 0)
        for (const gap of this.#gapsOf(before, segment, missing)) numbered.push(gap);
      numbered.push(this.#asRecorded(segment));
      before = segment;
    }
    return numbered;
  }

  #gapsOf(before: ArchivedSegment, segment: ArchivedSegment, missing: number): readonly GapEntry[] {
    const known = this.#between.get(segment);
    if (known?.before === before && known.gaps.length === missing) return known.gaps;
    const gaps = entriesBetween(before, segment, missing);
    this.#between.set(segment, { before, gaps });
    return gaps;
  }

  /** A break that is there only for what is deleted has no number. */
  #asRecorded(segment: ArchivedSegment): ArchivedSegment {
    if (!segment.isBehindDeleted) return segment;
    const known = this.#recorded.get(segment) ?? segment.asRecorded();
    this.#recorded.set(segment, known);
    return known;
  }
}

/**
 * Entries over the time between two segments. When something broke in between, they are no longer than the two: nobody knows
 * for how much of that time there was something. The time that is left is then in front of the last of the breaks, which
 * is that of the second segment where it has one, and otherwise stands before the last entry.
 */
function entriesBetween(before: ArchivedSegment, segment: ArchivedSegment, missing: number): GapEntry[] {
  const fromUs = before.startUs + before.durationUs;
  const hasOwnBreak = segment.discontinuity && !segment.isBehindDeleted;
  const breaks = segment.discontinuities - before.discontinuities - (hasOwnBreak ? 1 : 0);
  const evenUs = (segment.startUs - fromUs) / missing;
  const most = breaks > 0 || hasOwnBreak ? Math.max(before.durationUs, segment.durationUs) : Infinity;
  const lengthUs = Math.max(MIN_ENTRY_US, Math.min(evenUs, most));
  const leftUs = segment.startUs - fromUs - missing * lengthUs;
  return Array.from({ length: missing }, (_, i): GapEntry => {
    const isLast = i === missing - 1;
    const shiftUs = isLast && breaks > 0 ? Math.max(0, leftUs) : 0;
    const startUs = fromUs + Math.round(i * lengthUs + shiftUs);
    return new GapEntry(before, {
      sequence: before.sequence + 1 + i,
      startUs,
      durationUs: fromUs + Math.round((i + 1) * lengthUs + shiftUs) - startUs,
      discontinuity: i < breaks - 1 || (isLast && breaks > 0),
      discontinuities: before.discontinuities + Math.max(0, isLast ? breaks : Math.min(i + 1, breaks - 1)),
    });
  });
}
