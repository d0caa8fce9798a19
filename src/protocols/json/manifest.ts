import { selectTracks } from "../../packaging/init-segments.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type {
  Mutability,
  Presentation,
  SegmentEntry,
  Timeline,
  TrackSelection,
} from "../../packaging/presentation.ts";
import { TrackFigures } from "../../packaging/track-figures.ts";
import type { TrackSet } from "../../media/track.ts";
import { trackInfo } from "./media-info.ts";
import type { TrackInfo } from "./media-info.ts";

/** A presentation for programs that are no players: what there is, when, and where its bytes are. */
export type AbstractManifest = {
  readonly mutability: Mutability;
  /** No segment is longer. Units: milliseconds. */
  readonly target_duration: number;
  readonly periods: readonly ManifestPeriod[];
};

/** A stretch without a break and with the same tracks. Units: milliseconds; of streams since 1970 UTC. */
export type ManifestPeriod = {
  readonly start: number;
  readonly duration: number;
  readonly tracks: readonly TrackInfo[];
  /** Address of the init segment of all tracks, relative to the manifest. */
  readonly init: string;
  readonly segments: readonly ManifestSegment[];
};

/** One segment with all tracks of its period. Units: milliseconds. */
export type ManifestSegment = {
  readonly sequence: number;
  readonly start: number;
  readonly duration: number;
  /** Relative to the manifest. */
  readonly url: string;
};

/** Writes a presentation as data. `query` is what every address carries on, with its `?`, or the empty text. */
export function abstractManifest(presentation: Presentation, query: string): AbstractManifest {
  const timeline = presentation.timeline();
  const figures = new TrackFigures(timeline);
  return {
    mutability: timeline.mutability,
    target_duration: ms(timeline.targetDurationUs),
    periods: periodsOf(timeline).map((segments) => periodOf(presentation, figures, segments, query)),
  };
}

function periodsOf({ segments }: Timeline): SegmentEntry[][] {
  const periods: SegmentEntry[][] = [];
  let tracks: TrackSet | null = null;
  for (const segment of segments) {
    if (segment.isGap === true) {
      tracks = null;
      continue;
    }
    if (tracks !== segment.tracks || segment.discontinuity) periods.push([]);
    periods.at(-1)!.push(segment);
    tracks = segment.tracks;
  }
  return periods;
}

function periodOf(
  presentation: Presentation,
  figures: TrackFigures,
  segments: readonly SegmentEntry[],
  query: string,
): ManifestPeriod {
  const { tracks } = segments[0]!;
  const selection: TrackSelection = tracks.tracks.map(({ id }) => id);
  const folder = `tracks-${formatTrackSelection(selection)}`;
  const note = presentation.noteOf?.(tracks, selection) ?? "";
  const last = segments.at(-1)!;
  return {
    start: startMs(segments[0]!),
    duration: ms(last.startUs + last.durationUs - segments[0]!.startUs),
    tracks: selectTracks(tracks, selection).map((track) => trackInfo(figures, track)),
    init: `${folder}/init-${presentation.initName(tracks, selection)}.mp4${query}`,
    segments: segments.map((segment) => ({
      sequence: segment.sequence,
      start: startMs(segment),
      duration: ms(segment.durationUs),
      url: `${folder}/seg-${segment.name}${note}.m4s${query}`,
    })),
  };
}

function startMs({ utcUs, startUs }: SegmentEntry): number {
  return ms(utcUs ?? startUs);
}

function ms(us: number): number {
  return Math.floor(us / 1000);
}
