import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import type { OpenSegmentEntry, SegmentEntry, Timeline } from "./presentation.ts";

/** The timeline of a live window as data, for another thread: it is cloned on its way, track sets once each. */
export type WindowSnapshot = {
  /** Which of the windows that a stream had, one after the other: those that began later have higher ones. */
  readonly windowId: number;
  /** Rises with every change of the window; the next window begins anew. */
  readonly version: number;
  readonly timeline: Omit<Timeline, "segments" | "earlier"> & {
    readonly segments: readonly SegmentFacts[];
    /** Before those; may be empty. */
    readonly earlier: readonly SegmentFacts[];
  };
};

/** A segment without its media. */
export type SegmentFacts = Omit<SegmentEntry, "trackBytes" | "trackSamples" | "trackUs"> & {
  readonly figures: ReadonlyMap<TrackId, TrackFigures>;
};

/** What a playlist needs to know of one track in one segment; see `SegmentEntry`. */
export type TrackFigures = { readonly bytes: number; readonly samples: number; readonly us: number };

/** The edge of a live window as data, for another thread that has somebody who follows it. */
export type EdgeSnapshot = {
  /** As in `WindowSnapshot`. */
  readonly windowId: number;
  /** Rises with every move of the edge. */
  readonly version: number;
  readonly partTargetUs: number;
  readonly open: OpenSegmentEntry | null;
  /** The window with the parts of its segments; `null` when it is as it was in the snapshot before. */
  readonly window: WindowSnapshot | null;
};

/** Takes the facts out of a timeline; `withParts`: also which parts segments have. */
export function snapshotOf(
  timeline: Timeline,
  { windowId, version }: Pick<WindowSnapshot, "windowId" | "version">,
  withParts = false,
): WindowSnapshot {
  const segments = timeline.segments.map((segment) => factsOf(segment, withParts));
  const earlier = (timeline.earlier ?? []).map((segment) => factsOf(segment, false));
  return { windowId, version, timeline: { ...timeline, segments, earlier } };
}

function factsOf(segment: SegmentEntry, withParts: boolean): SegmentFacts {
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
  const facts = { ...place, tracks, discontinuity, isIndependent, utcUs, figures };
  return {
    ...facts,
    ...(segment.dependent === undefined ? {} : { dependent: segment.dependent }),
    ...(withParts && segment.parts !== undefined ? { parts: segment.parts } : {}),
  };
}

/** Track sets of one stream as this thread knows them, by epoch: clones of one set become one object. */
export class KnownTrackSets {
  #sets = new Map<number, TrackSet>();

  /** The set that is known for a clone of it. */
  known(set: TrackSet): TrackSet {
    const found = this.#sets.get(set.epoch);
    if (found === undefined) this.#sets.set(set.epoch, set);
    return found ?? set;
  }

  /** Replaces the clones in a snapshot by the sets that are known; forgets sets that it does not have. */
  unify(snapshot: WindowSnapshot): WindowSnapshot {
    const sets = new Map<number, TrackSet>();
    const known = (set: TrackSet): TrackSet => {
      const found = sets.get(set.epoch) ?? this.#sets.get(set.epoch) ?? set;
      sets.set(set.epoch, found);
      return found;
    };
    const { timeline, version, windowId } = snapshot;
    const unifyAll = (all: readonly SegmentFacts[]): SegmentFacts[] =>
      all.map((segment) => ({ ...segment, tracks: known(segment.tracks) }));
    const [earlier, segments] = [unifyAll(timeline.earlier), unifyAll(timeline.segments)];
    const unified = {
      ...{ windowId, version },
      timeline: { ...timeline, tracks: known(timeline.tracks), segments, earlier },
    };
    this.#sets = sets;
    return unified;
  }
}
