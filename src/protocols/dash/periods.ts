import type { Track, TrackKind, TrackSet } from "../../media/track.ts";
import type { Presentation, SegmentEntry, Timeline } from "../../packaging/presentation.ts";

/** A Period of the MPD: a stretch of the timeline in which neither the tracks change nor the time breaks, or several. */
export type DashPeriod = {
  /** The same in every MPD of the presentation. */
  readonly id: string;
  /** Of its begin on the media timeline, in milliseconds: what `$Time$` of its first segment was, or before it. */
  readonly beginMs: number;
  readonly tracks: TrackSet;
  /** Those that are listed; never empty. */
  readonly segments: readonly SegmentEntry[];
};

/**
 * Where the presentation begins on the media timeline, in milliseconds. What slides has the clock's own zero, so that its
 * Periods stay where they are; all else begins with its first segment, while it grows and when it is complete.
 */
export function zeroOf({ mutability, segments }: Timeline): number {
  return mutability === "live" ? 0 : Math.floor(segments[0]!.startUs / 1000);
}

/**
 * Divides the timeline into Periods, none of which begins before `zeroMs`. Id and begin of one that has lost its first
 * segments are what they were before.
 * Spec: ISO/IEC 23009-1 section 5.3.2.
 */
export function periodsOf(segments: readonly SegmentEntry[], zeroMs = 0): DashPeriod[] {
  const periods: DashPeriod[] = [];
  for (let from = 0; from < segments.length;) {
    const { stretchStartUs, tracks } = segments[from]!;
    let end = from + 1;
    while (end < segments.length && segments[end]!.stretchStartUs === stretchStartUs) end++;
    const startMs = Math.floor(stretchStartUs / 1000);
    const beginMs = Math.max(zeroMs, startMs);
    periods.push({ id: String(startMs), beginMs, tracks, segments: segments.slice(from, end) });
    from = end;
  }
  return periods;
}

/**
 * Makes one Period of those that follow each other with the same tracks: what was between them is a hole in its timelines.
 * Where the timeline slides, the first one begins at the clock's zero under the name of its tracks: neither may change when
 * its first stretch is gone.
 */
export function mergePeriods(
  periods: readonly DashPeriod[],
  presentation: Pick<Presentation, "initName">,
  mutability: Timeline["mutability"],
): DashPeriod[] {
  const contents = periods.map((period) => contentOf(period, presentation));
  const merged: DashPeriod[] = [];
  for (let from = 0; from < periods.length;) {
    let end = from + 1;
    while (end < periods.length && contents[end] === contents[from]) end++;
    const isAnchored = from === 0 && mutability === "live";
    const place = isAnchored ? { id: `tracks-${contents[from]!}`, beginMs: 0 } : {};
    const segments = periods.slice(from, end).flatMap((period) => period.segments);
    merged.push({ ...periods[from]!, ...place, segments });
    from = end;
  }
  return merged;
}

/** The same for the same tracks, of which the same have media: sound neither comes nor goes within a Period. */
function contentOf({ tracks, segments }: DashPeriod, presentation: Pick<Presentation, "initName">): string {
  const sounding = tracks.tracks.filter(
    ({ id, kind }) => kind !== "audio" || segments[0]!.trackSamples(id) > 0,
  );
  const ids = tracks.tracks.map(({ id }) => id);
  return `${presentation.initName(tracks, ids)}-${sounding.map(({ id }) => id).join("")}`;
}

/** An `S` element: a run of `count` segments of one duration, one behind the other. Milliseconds. */
export type TimelineRun = { readonly timeMs: number; readonly durationMs: number; count: number };

/**
 * The segments that have media of a track, as runs. The time of each is its name, so that `$Time$` names it; it lasts
 * until the next one begins, where they follow each other.
 * Spec: ISO/IEC 23009-1 section 5.3.9.6.
 */
export function timelineRuns(segments: readonly SegmentEntry[], track: Track): TimelineRun[] {
  const runs: TimelineRun[] = [];
  for (const segment of segments) {
    if (segment.trackSamples(track.id) === 0) continue;
    const timeMs = Number(segment.name);
    const durationMs = trackDurationMs(segment, track, timeMs);
    const run = runs.at(-1);
    if (
      run !== undefined &&
      run.durationMs === durationMs &&
      run.timeMs + run.count * durationMs === timeMs
    )
      run.count++;
    else runs.push({ timeMs, durationMs, count: 1 });
  }
  return runs;
}

/**
 * A track whose media ends so many of its frames before its segment does is said to end there. Of pictures that were
 * decoded out of their order when the source broke off, the last ones may be shown later than their number tells.
 */
const HOLE_FRAMES: Readonly<Record<TrackKind, number>> = { audio: 1.5, video: 6, text: 1.5 };

/** Up to the next segment's begin, so that times add up, or as long as the track's media where it ends well before. */
function trackDurationMs(segment: SegmentEntry, track: Track, timeMs: number): number {
  const { startUs, durationUs } = segment;
  const trackUs = segment.trackUs(track.id);
  const holeUs = (trackUs / segment.trackSamples(track.id)) * HOLE_FRAMES[track.kind];
  const isShort = durationUs - trackUs > holeUs;
  return Math.max(1, Math.floor((startUs + (isShort ? trackUs : durationUs)) / 1000) - timeMs);
}
