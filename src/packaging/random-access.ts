import type { TrackId } from "../media/ids.ts";
import type { Track } from "../media/track.ts";
import type { RandomAccess, SegmentEntry, Timeline, TrackSelection } from "./presentation.ts";

/** As long as nothing failed. */
export const ALWAYS_RANDOM_ACCESS: RandomAccess = { dependent: [], unaligned: [] };

/** What a segment tells of where its tracks begin. */
type Beginning = Pick<SegmentEntry, "tracks" | "isIndependent" | "dependent">;

/** The video tracks whose first sample no decoder can start at. `firstIsSync`: `undefined` for a track without samples. */
export function dependentTracks(
  tracks: readonly Track[],
  firstIsSync: (id: TrackId) => boolean | undefined,
): TrackId[] {
  return tracks.flatMap(({ id, kind }) => (kind === "video" && firstIsSync(id) === false ? [id] : []));
}

/** What is known with one more segment; the same object where that changes nothing. */
export function withSegment(
  known: RandomAccess,
  segment: Pick<SegmentEntry, "tracks" | "dependent" | "trackSamples">,
): RandomAccess {
  const { dependent = [] } = segment;
  const fresh = dependent.filter((id) => !known.dependent.includes(id));
  const unlike = unlikeReference(segment, dependent).filter((id) => !known.unaligned.includes(id));
  if (fresh.length === 0 && unlike.length === 0) return known;
  // Bounded by the ids that tracks may have.
  return { dependent: [...known.dependent, ...fresh], unaligned: [...known.unaligned, ...unlike] };
}

/** The video tracks that begin otherwise than the reference track does. */
function unlikeReference(
  segment: Pick<SegmentEntry, "tracks" | "trackSamples">,
  dependent: readonly TrackId[],
): TrackId[] {
  const { reference, tracks } = segment.tracks;
  if (segment.trackSamples(reference.id) === 0) return [];
  const isCut = dependent.includes(reference.id);
  return tracks.flatMap(({ id, kind }) =>
    kind === "video" && segment.trackSamples(id) > 0 && dependent.includes(id) !== isCut ? [id] : [],
  );
}

/**
 * Whether every segment of a selection of tracks may be decoded without another one, of those that are listed and of those
 * that were. `segments`: those of the timeline, and what grows behind them. `selection`: `null` for whatever tracks there are.
 * Spec: RFC 8216 section 4.3.5.1; ISO/IEC 23009-1 section 5.3.7.2, @startWithSAP.
 */
export function isRandomAccess(
  { randomAccess }: Pick<Timeline, "randomAccess">,
  segments: readonly Beginning[],
  selection: TrackSelection | null,
): boolean {
  const isChosen = (id: TrackId): boolean => selection?.includes(id) ?? true;
  if (randomAccess?.dependent.some(isChosen) === true) return false;
  return segments.every(({ tracks, isIndependent, dependent }) => {
    if (dependent !== undefined) return !dependent.some(isChosen);
    return isIndependent || !tracks.tracks.some(({ id, kind }) => kind === "video" && isChosen(id));
  });
}
