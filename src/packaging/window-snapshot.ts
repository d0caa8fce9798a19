import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import type { SegmentEntry, Timeline } from "./presentation.ts";

/** The timeline of a live window as data, for another thread: it is cloned on its way, track sets once each. */
export type WindowSnapshot = {
  /** Rises with every change of the window. */
  readonly version: number;
  readonly timeline: Omit<Timeline, "segments"> & { readonly segments: readonly SegmentFacts[] };
};

/** A segment without its media. */
export type SegmentFacts = Omit<SegmentEntry, "trackBytes" | "trackSamples" | "trackUs"> & {
  readonly figures: ReadonlyMap<TrackId, TrackFigures>;
};

/** What a playlist needs to know of one track in one segment; see `SegmentEntry`. */
export type TrackFigures = { readonly bytes: number; readonly samples: number; readonly us: number };

/** Takes the facts out of a timeline. */
export function snapshotOf(timeline: Timeline, version: number): WindowSnapshot {
  return { version, timeline: { ...timeline, segments: timeline.segments.map(factsOf) } };
}

function factsOf(segment: SegmentEntry): SegmentFacts {
  const { sequence, name, startUs, durationUs, tracks, utcUs } = segment;
  const { discontinuity, stretchStartUs, isIndependent } = segment;
  const figures = new Map<TrackId, TrackFigures>();
  for (const { id } of tracks.tracks) {
    figures.set(id, {
      bytes: segment.trackBytes(id),
      samples: segment.trackSamples(id),
      us: segment.trackUs(id),
    });
  }
  const place = { sequence, name, startUs, durationUs, stretchStartUs };
  return { ...place, tracks, discontinuity, isIndependent, utcUs, figures };
}

/** Track sets of one stream as this thread knows them, by epoch: clones of one set become one object. */
export class KnownTrackSets {
  #sets = new Map<number, TrackSet>();

  /** Replaces the clones in a snapshot by the sets that are known; forgets sets that it does not have. */
  unify(snapshot: WindowSnapshot): WindowSnapshot {
    const sets = new Map<number, TrackSet>();
    const known = (set: TrackSet): TrackSet => {
      const found = sets.get(set.epoch) ?? this.#sets.get(set.epoch) ?? set;
      sets.set(set.epoch, found);
      return found;
    };
    const { timeline, version } = snapshot;
    const segments = timeline.segments.map((segment) => ({ ...segment, tracks: known(segment.tracks) }));
    const unified = { version, timeline: { ...timeline, tracks: known(timeline.tracks), segments } };
    this.#sets = sets;
    return unified;
  }
}
