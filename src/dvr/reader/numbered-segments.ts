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

/** Numbers that are missing between two segments are told one by one up to so many: some two days. */
const MAX_GAP_ENTRIES = 100_000;
/** Names are milliseconds. Units: microseconds. */
const MIN_ENTRY_US = 1000;

/** What stood between two segments, and how the second one follows. */
type Between = {
  readonly before: ArchivedSegment;
  readonly gaps: readonly SegmentEntry[];
  readonly segment: ArchivedSegment;
};

/** A number without media. */
class GapEntry implements SegmentEntry {
  readonly sequence: number;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tracks: TrackSet;
  readonly discontinuity: boolean;
  readonly stretchStartUs: number;
  readonly isIndependent = true;

  /** `before`: the segment of which it is in the stretch, so that what makes Periods of those passes over it. */
  constructor(
    before: ArchivedSegment,
    place: Pick<SegmentEntry, "sequence" | "startUs" | "durationUs" | "discontinuity">,
  ) {
    this.sequence = place.sequence;
    this.name = segmentName(place.startUs);
    this.startUs = place.startUs;
    this.durationUs = place.durationUs;
    this.tracks = before.tracks;
    this.discontinuity = place.discontinuity;
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

/** Completes the numbers of playlists of one stream's archive. What it makes stays the same object as what it is made of. */
export class NumberedSegments {
  readonly #between = new WeakMap<ArchivedSegment, Between>();
  readonly #recorded = new WeakMap<ArchivedSegment, ArchivedSegment>();

  /**
   * Segments with entries for numbers that are missing between them. Where more are missing than `MAX_GAP_ENTRIES`, it begins
   * behind them. `segments`: in order.
   */
  of(segments: readonly ArchivedSegment[]): SegmentEntry[] {
    let numbered: SegmentEntry[] = [];
    let before: ArchivedSegment | null = null;
    for (const segment of segments) {
      const missing = before === null ? 0 : segment.sequence - before.sequence - 1;
      if (missing > MAX_GAP_ENTRIES) numbered = [];
      if (before === null || missing <= 0 || missing > MAX_GAP_ENTRIES)
        numbered.push(this.#asRecorded(segment));
      else {
        const between = this.#betweenOf(before, segment, missing);
        for (const gap of between.gaps) numbered.push(gap);
        numbered.push(between.segment);
      }
      before = segment;
    }
    return numbered;
  }

  #betweenOf(before: ArchivedSegment, segment: ArchivedSegment, missing: number): Between {
    const known = this.#between.get(segment);
    if (known?.before === before) return known;
    const between = { before, ...fillIn(before, segment, missing) };
    this.#between.set(segment, between);
    return between;
  }

  /** A break that is there only for what is deleted has no number. */
  #asRecorded(segment: ArchivedSegment): ArchivedSegment {
    if (!segment.isBehindDeleted) return segment;
    const known = this.#recorded.get(segment) ?? segment.withBreak(false);
    this.#recorded.set(segment, known);
    return known;
  }
}

/**
 * Entries over the time between two segments. When something broke in between, the last of the breaks is said to be in front
 * of the second one, and entries are no longer than the two: nobody knows for how much of that time there was something.
 */
function fillIn(
  before: ArchivedSegment,
  segment: ArchivedSegment,
  missing: number,
): Pick<Between, "gaps" | "segment"> {
  const fromUs = before.startUs + before.durationUs;
  const breaks = segment.discontinuities - before.discontinuities;
  const evenUs = (segment.startUs - fromUs) / missing;
  const most = breaks > 0 ? Math.max(before.durationUs, segment.durationUs) : Infinity;
  const lengthUs = Math.max(MIN_ENTRY_US, Math.min(evenUs, most));
  const gaps = Array.from({ length: missing }, (_, i): SegmentEntry => {
    const startUs = fromUs + Math.round(i * lengthUs);
    return new GapEntry(before, {
      sequence: before.sequence + 1 + i,
      startUs,
      durationUs: fromUs + Math.round((i + 1) * lengthUs) - startUs,
      discontinuity: i < breaks - 1,
    });
  });
  const isBreak = breaks > 0;
  const isSame = segment.discontinuity === isBreak && !segment.isBehindDeleted;
  return { gaps, segment: isSame ? segment : segment.withBreak(isBreak) };
}
