import type { HttpRequest } from "../../base/http-message.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { SegmentEntry, TextTrack, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { filterTexts, filterTracks } from "../../packaging/track-filter.ts";

/** What the query of an MPD asks for. */
export type MpdChoice = {
  /** The ids of the tracks that are wanted, of all stretches of the timeline; `null` for all there are. */
  readonly selection: TrackSelection | null;
  readonly texts: readonly TextTrack[];
  /** The same for the same choice; the empty text for all. */
  readonly key: string;
};

/** What can be chosen of. */
export type MpdContent = {
  readonly timeline: Timeline;
  /** What the MPD lists of it, what grows too; only asked where somebody chooses. */
  segments(): readonly SegmentEntry[];
  readonly texts?: readonly TextTrack[] | undefined;
};

/**
 * Reads the choice among tracks and subtitles as HLS does; without a request, all. What a Period has once been listed
 * with stays: of earlier ones those tracks are chosen too that are no more.
 * Throws: TRACKS_BAD_FILTER; TRACKS_NOT_THERE when none of them is there now.
 */
export function readMpdChoice(content: MpdContent, request: HttpRequest | null): MpdChoice {
  const { timeline, texts: all = [] } = content;
  const now = timeline.tracks.tracks;
  if (request === null || filterTracks(now, request.query) === now)
    return { selection: null, texts: all, key: "" };
  const texts = filterTexts(all, request.query);
  const selection = filterTracks(tracksOf(content.segments()), request.query).map(({ id }) => id);
  return { selection, texts, key: formatTrackSelection([...selection, ...texts.map(({ id }) => id)]) };
}

/** One track for each id that is in any of the segments, in the order of their ids. */
function tracksOf(segments: readonly SegmentEntry[]): readonly Track[] {
  const tracks = new Map<TrackId, Track>();
  let last: TrackSet | null = null;
  for (const segment of segments) {
    if (segment.tracks === last) continue;
    last = segment.tracks;
    for (const track of last.tracks) tracks.set(track.id, track);
  }
  return [...tracks.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
