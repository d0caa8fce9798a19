/** Presentations in memory, for tests of what renders them. */
import { InitSegments } from "../../src/packaging/init-segments.ts";
import type {
  EdgeSource,
  Presentation,
  SegmentEntry,
  TextTrack,
  Timeline,
} from "../../src/packaging/presentation.ts";
import { trackSet } from "./media.ts";

/** Where the media clock of `segmentEntry` begins: the first of January 2026. Microseconds. */
export const CLOCK_START_US = 1_767_225_600_000_000;

const SET = trackSet();

/** The segment of four seconds that many segments after the clock's start, of one video and one audio track, or as told. */
export function segmentEntry(index: number, changes: Partial<SegmentEntry> = {}): SegmentEntry {
  const startUs = changes.startUs ?? CLOCK_START_US + index * 4_000_000;
  return {
    sequence: 100 + index,
    name: String(Math.floor(startUs / 1000)),
    startUs,
    durationUs: 4_000_000,
    tracks: SET,
    discontinuity: false,
    stretchStartUs: CLOCK_START_US,
    isIndependent: true,
    utcUs: startUs,
    trackBytes: (id) => (id.startsWith("v") ? 1_000_000 : 64_000),
    trackSamples: (id) => (id.startsWith("v") ? 100 : 188),
    trackUs: () => changes.durationUs ?? 4_000_000,
    ...changes,
  };
}

/** A timeline of these segments, live unless told. */
export function timelineOf(
  timeline: Partial<Timeline> & { readonly segments: readonly SegmentEntry[] },
): Timeline {
  return {
    tracks: timeline.segments.at(-1)!.tracks,
    mutability: "live",
    discontinuitySequence: 0,
    targetDurationUs: 4_000_000,
    ...timeline,
  };
}

/** A presentation of that timeline; each segment has two bytes. */
export function presentationOf(
  timeline: Timeline,
  options: {
    readonly version?: string;
    readonly edge?: EdgeSource;
    readonly texts?: readonly TextTrack[];
  } = {},
): Presentation {
  const { version = null, edge, texts } = options;
  const inits = new InitSegments();
  return {
    version,
    isResident: true,
    timeline: () => timeline,
    initName: (tracks, selection) => inits.nameOf(tracks, selection),
    initSegment: (name, selection) => inits.find(name, selection),
    segment: (name) =>
      timeline.segments.some((segment) => segment.name === name) ? [Uint8Array.of(1, 2)] : null,
    ...(edge === undefined ? {} : { edge }),
    ...(texts === undefined ? {} : { texts }),
  };
}
