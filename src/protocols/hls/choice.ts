import type { HttpRequest } from "../../base/http-message.ts";
import type { Track } from "../../media/track.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import { filterTracks } from "../../packaging/track-filter.ts";

/** What the query of a multivariant playlist asks for. */
export type Choice = {
  readonly tracks: readonly Track[];
  /** `separate_audio=true`: sound is a rendition of its own also where there is one track of it. */
  readonly separatesAudio: boolean;
  /** The same for the same choice. */
  readonly key: string;
};

/** Reads the choice among the tracks; without a request, all as usual. Throws: TRACKS_BAD_FILTER, TRACKS_NOT_THERE. */
export function readChoice(all: readonly Track[], request: HttpRequest | null): Choice {
  const tracks = request === null ? all : filterTracks(all, request.query);
  const separatesAudio = request?.query.get("separate_audio") === "true";
  return {
    tracks,
    separatesAudio,
    key: `${formatTrackSelection(tracks.map(({ id }) => id))} ${separatesAudio}`,
  };
}
