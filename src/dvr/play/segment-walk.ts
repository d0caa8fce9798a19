import type { Clock } from "../../base/clock.ts";
import { HOUR_US, hourOf } from "../format/hour.ts";
import type { ArchivedSegment } from "../reader/archived-segment.ts";
import type { StreamArchive } from "../reader/stream-archive.ts";
import { isGapBetween, timesOf } from "./segment-facts.ts";

/** So much is looked at before a time for a segment that has it: no segment is longer. */
const BACK_US = 64_000_000;
/** Pictures may be decoded so long before they are shown. */
const AHEAD_US = 10_000_000;
/** So much is listed at a time ... */
const STEP_US = 30_000_000;
/** ... and no more segments than these. */
const MAX_STEP = 64;
/** The media clock may be so far ahead of the wall clock, as when that was set back. */
const CLOCK_US = 24 * HOUR_US;

/** Goes through an archive segment by segment, over gaps too, without a list of all that there is. */
export class SegmentWalk {
  readonly #archive: Pick<StreamArchive, "segments" | "hours" | "nearest">;
  readonly #clock: Clock;

  constructor(archive: Pick<StreamArchive, "segments" | "hours" | "nearest">, clock: Clock) {
    this.#archive = archive;
    this.#clock = clock;
  }

  /**
   * Where playing a time begins: the last segment that a decoder can start with, decoded at the time or before; the next
   * one that is recorded where the time is not; the last one where there is none. `null`: nothing is recorded.
   * Units: microseconds, media clock. Rejects with DVR_*, MP4_*, CODEC_*.
   */
  async startAt(us: number): Promise<ArchivedSegment | null> {
    const near = await this.#archive.segments(Math.max(0, us - BACK_US), us + AHEAD_US);
    const behind = near.findIndex((segment) => timesOf(segment).pointUs > us);
    const before = behind < 0 ? near : near.slice(0, behind);
    if (isRecorded(us, before.at(-1), near[behind])) {
      const start = startOf(before);
      if (start !== undefined) return start;
    }
    const later = behind < 0 ? await this.#from(us) : near.slice(behind);
    return later.find(({ isIndependent }) => isIndependent) ?? later[0] ?? (await this.#lastBefore(us));
  }

  /** Some of the segments that start later than one does, oldest first; none where there are none yet. Rejects as `startAt`. */
  async after({ startUs }: ArchivedSegment): Promise<ArchivedSegment[]> {
    return await this.#from(startUs + 1);
  }

  async #from(us: number): Promise<ArchivedSegment[]> {
    const found = await this.#archive.segments(us, us + STEP_US);
    if (found.length > 0) return found.slice(0, MAX_STEP);
    const newest = hourOf(this.#clock.wallUs() + CLOCK_US);
    for await (const hour of this.#archive.hours(hourOf(us), newest)) {
      const ofHour = await this.#archive.segments(Math.max(us, hour * HOUR_US), (hour + 1) * HOUR_US);
      if (ofHour.length > 0) return ofHour.slice(0, MAX_STEP);
    }
    return [];
  }

  async #lastBefore(us: number): Promise<ArchivedSegment | null> {
    const { beforeUs } = await this.#archive.nearest(us);
    if (beforeUs === null) return null;
    const last = await this.#archive.segments(Math.max(0, beforeUs - BACK_US), beforeUs);
    return startOf(last) ?? last.at(-1) ?? null;
  }
}

/** Whether a time is in a segment or between two without a gap. */
function isRecorded(
  us: number,
  before: ArchivedSegment | undefined,
  next: ArchivedSegment | undefined,
): boolean {
  if (before === undefined) return false;
  return us < timesOf(before).endUs || (next !== undefined && !isGapBetween(before, next));
}

/** The last segment that a decoder can start with, in the stretch that ends with the last one. */
function startOf(segments: readonly ArchivedSegment[]): ArchivedSegment | undefined {
  for (let at = segments.length - 1; at >= 0; at--) {
    if (segments[at]!.isIndependent) return segments[at];
    if (at > 0 && isGapBetween(segments[at - 1]!, segments[at]!)) return undefined;
  }
  return undefined;
}
