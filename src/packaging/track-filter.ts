import type { Track } from "../media/track.ts";
import { packagingErrors } from "./errors.ts";
import { formatTrackSelection, parseTrackSelection } from "./presentation.ts";
import type { TextTrack, TrackSelection } from "./presentation.ts";

/**
 * Those of the tracks that the address of a playlist or MPD asks for with `filter.tracks=v1a1`, in their own order; all
 * when it asks for none. Some that are named may not be there: a stream's sound may come and go.
 *
 * Throws: TRACKS_BAD_FILTER; TRACKS_NOT_THERE when none of them is there.
 */
export function filterTracks(tracks: readonly Track[], query: URLSearchParams): readonly Track[] {
  const selection = readTrackFilter(query);
  if (selection === null) return tracks;
  const found = tracks.filter(({ id }) => selection.includes(id));
  if (found.length > 0) return found;
  throw packagingErrors.error("TRACKS_NOT_THERE", {
    asked: formatTrackSelection(selection),
    tracks: formatTrackSelection(tracks.map(({ id }) => id)),
  });
}

/** Those of the subtitles that `filter.tracks` names; all when it names none at all. Throws: TRACKS_BAD_FILTER. */
export function filterTexts(texts: readonly TextTrack[], query: URLSearchParams): readonly TextTrack[] {
  const selection = readTrackFilter(query);
  return selection === null ? texts : texts.filter(({ id }) => selection.includes(id));
}

/** The tracks that `filter.tracks` names; `null` when it names none at all. Throws: TRACKS_BAD_FILTER. */
export function readTrackFilter(query: URLSearchParams): TrackSelection | null {
  const text = query.size === 0 ? null : query.get("filter.tracks");
  if (text === null) return null;
  const selection = parseTrackSelection(text);
  if (selection === null) throw packagingErrors.error("TRACKS_BAD_FILTER");
  return selection;
}
