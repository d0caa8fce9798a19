import type { HttpRequest } from "../../base/http-message.ts";
import type { Track } from "../../media/track.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { TextTrack } from "../../packaging/presentation.ts";
import { filterTexts, filterTracks } from "../../packaging/track-filter.ts";

/** What the query of a multivariant playlist asks for. */
export type Choice = {
  readonly tracks: readonly Track[];
  readonly texts: readonly TextTrack[];
  /** `separate_audio=true`: sound is a rendition of its own also where there is one track of it. */
  readonly separatesAudio: boolean;
  /** The same for the same choice. */
  readonly key: string;
};

/**
 * Reads the choice among tracks and subtitles; without a request, all as usual.
 * Throws: TRACKS_BAD_FILTER, TRACKS_NOT_THERE.
 */
export function readChoice(
  all: readonly Track[],
  request: HttpRequest | null,
  allTexts: readonly TextTrack[] = [],
): Choice {
  const tracks = request === null ? all : filterTracks(all, request.query);
  const texts = request === null ? allTexts : filterTexts(allTexts, request.query);
  const separatesAudio = request?.query.get("separate_audio") === "true";
  const ids = [...tracks, ...texts].map(({ id }) => id);
  return { tracks, texts, separatesAudio, key: `${formatTrackSelection(ids)} ${separatesAudio}` };
}
