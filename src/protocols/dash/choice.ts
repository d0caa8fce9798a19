import type { HttpRequest } from "../../base/http-message.ts";
import { offeredTracks, tracksOf } from "../../packaging/offered-tracks.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { SegmentEntry, TextTrack, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { filterTexts, filterTracks } from "../../packaging/track-filter.ts";

/** What the query of an MPD asks for. */
export type MpdChoice = {
  /** The ids of the tracks that are wanted, of all stretches of the timeline; `null` for all there are. */
  readonly selection: TrackSelection | null;
  readonly texts: readonly TextTrack[];
  /** `period=mono`: what has the same tracks is one Period, whatever breaks there are in it. */
  readonly isMerged: boolean;
  /** The same for the same choice; the empty text for all as usual. */
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
  const now = offeredTracks(timeline);
  const isMerged = request?.query.get("period") === "mono";
  const way = isMerged ? "mono" : "";
  if (request === null || filterTracks(now, request.query) === now)
    return { selection: null, texts: all, isMerged, key: way };
  const texts = filterTexts(all, request.query);
  const selection = filterTracks(tracksOf(content.segments()), request.query).map(({ id }) => id);
  const ids = formatTrackSelection([...selection, ...texts.map(({ id }) => id)]);
  return { selection, texts, isMerged, key: `${ids}${way}` };
}
