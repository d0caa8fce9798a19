import type { TrackId } from "../media/ids.ts";
import type { Track, TrackSet } from "../media/track.ts";
import type { SegmentEntry, Timeline } from "./presentation.ts";

/**
 * The tracks that a player may choose of: of a window that slides, those of now; of what stays, whatever was there at any
 * time, for sound that was lost in the last minute is wanted in the hours before it.
 */
export function offeredTracks({ mutability, tracks, segments }: Timeline): readonly Track[] {
  if (mutability === "live" || segments.every((segment) => segment.tracks === tracks)) return tracks.tracks;
  return tracksOf(segments);
}

/** One track for each id that is in any of the segments, the newest of them, in the order of their ids. */
export function tracksOf(segments: readonly SegmentEntry[]): readonly Track[] {
  const tracks = new Map<TrackId, Track>();
  let last: TrackSet | null = null;
  for (const segment of segments) {
    if (segment.tracks === last) continue;
    last = segment.tracks;
    for (const track of last.tracks) tracks.set(track.id, track);
  }
  return [...tracks.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
