import type { HttpReply } from "../../base/http-message.ts";
import type { Track } from "../../media/track.ts";
import type { OutputRequest } from "../../packaging/http-output.ts";
import { offeredTracks } from "../../packaging/offered-tracks.ts";
import {
  PlaylistReplies,
  notFound,
  playlistCaching,
  playlistVersion,
} from "../../packaging/playlist-replies.ts";
import type { Presentation, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { playsInTs, tsSegmentReply } from "../../packaging/ts-segments.ts";
import { formatStem } from "../../packaging/time-span.ts";
import { readTrackFilter } from "../../packaging/track-filter.ts";
import { asAsked, carriedOn, hasOwnStart } from "./as-asked.ts";
import { readChoice } from "./choice.ts";
import { PLAYLIST_TYPE, renderMediaPlaylist } from "./media-playlist.ts";
import { renderMultivariantPlaylist } from "./playlist.ts";
import type { TsResource } from "./ts-path.ts";

/** Playlists rendered of a timeline. */
const rendered = new PlaylistReplies<Timeline>(PLAYLIST_TYPE);

/**
 * Answers one request for HLS in transport streams: the same timeline and boundaries as everywhere, the segments made
 * when somebody asks. Tracks that devices which need transport streams cannot play are left out; the playlist says so in
 * a comment, and the log does.
 *
 * Throws or rejects with TRACKS_*, and what `tsSegmentReply` does.
 */
export function tsReply(
  resource: TsResource,
  presentation: Presentation,
  asked: OutputRequest,
): Promise<HttpReply> | HttpReply {
  if (resource.kind === "ts-segment") return tsSegmentReply(resource, presentation);
  const timeline = presentation.timeline();
  const shown = asAsked(timeline, asked.request.query);
  const wanted = wantedTracks(resource, timeline);
  if (wanted === null) return notFound("playlist of these tracks");
  const { tracks, texts, separatesAudio, key } = readChoice(
    wanted,
    resource.kind === "ts-media" ? null : asked.request,
    presentation.texts,
  );
  const played = tracks.filter(playsInTs);
  const filter = resource.kind === "ts-single" ? ownFilter(timeline, asked.request.query) : null;
  const comments = tracks.filter((track) => !playsInTs(track)).map(leftOut);
  for (const comment of comments) asked.notice?.(`HLS as MPEG-TS: ${comment}`);
  if (played.length === 0) return notFound("playlist of tracks that MPEG-TS carries");
  const selection = resource.kind === "ts-single" ? singleOf(played, null) : idsOf(played);
  const addsAudioOnly = resource.kind === "ts-multivariant" && asked.addsAudioOnly?.() === true;
  const beginsAtStart = hasOwnStart(resource);
  const link = `${formatStem(resource, "mono")}.ts.m3u8`;
  const render = (carried: string): string | null => {
    const base = { timeline: shown, query: carried, comments };
    const media = { ...base, presentation, selection, beginsAtStart };
    switch (resource.kind) {
      case "ts-multivariant": {
        const form = { link, separatesAudio, addsAudioOnly, container: "ts" } as const;
        return renderMultivariantPlaylist({ ...base, ...form, tracks: played, texts });
      }
      case "ts-single":
        return renderMediaPlaylist({ ...media, ts: (own) => singleOf(own.tracks, filter) });
      case "ts-media":
        return renderMediaPlaylist({ ...media, ts: "selection" });
    }
  };
  const form = `${resource.kind} ${link} ${shown.mutability} ${beginsAtStart}`;
  return rendered.reply(timeline, `${form} ${key} ${addsAudioOnly} ${filter?.join("") ?? ""}`, {
    render,
    version: playlistVersion(presentation, shown),
    cache: playlistCaching(presentation, timeline),
    query:
      resource.kind === "ts-multivariant"
        ? carriedOn(asked.carriedQuery, timeline, asked.request.query)
        : asked.carriedQuery,
  });
}

/** Those of the tracks in a path that some stretch of the timeline has; `null` when there are none. */
function wantedTracks(resource: TsResource, timeline: Timeline): readonly Track[] | null {
  if (resource.kind !== "ts-media") return offeredTracks(timeline);
  const found = resource.selection.flatMap((id) => findTrack(timeline, id) ?? []);
  return found.length > 0 ? found : null;
}

function findTrack(timeline: Timeline, id: Track["id"]): Track | null {
  const now = timeline.tracks.tracks.find((track) => track.id === id);
  if (now !== undefined) return now;
  for (const { tracks } of timeline.segments) {
    const found = tracks.tracks.find((track) => track.id === id);
    if (found !== undefined) return found;
  }
  return null;
}

/**
 * Whoever takes one playlist cannot choose between pictures, but between languages. Each segment has what it has of its own
 * tracks: what was listed stays as it was when the tracks change (RFC 8216 section 6.2.1).
 */
function singleOf(tracks: readonly Track[], filter: TrackSelection | null): TrackSelection {
  const played = tracks.filter((track) => playsInTs(track) && (filter?.includes(track.id) ?? true));
  const video = played.find((track) => track.kind === "video");
  return idsOf(played.filter((track) => track === video || track.kind === "audio"));
}

/** What is asked for of the tracks of any segment; `null` for all. */
function ownFilter({ segments }: Timeline, query: URLSearchParams): TrackSelection | null {
  const asked = readTrackFilter(query);
  if (asked === null) return null;
  const there = new Set<Track["id"]>();
  for (const { tracks } of new Set(segments.map((segment) => segment.tracks)))
    for (const { id } of tracks) if (asked.includes(id)) there.add(id);
  return [...there];
}

function idsOf(tracks: readonly Track[]): TrackSelection {
  return tracks.map(({ id }) => id);
}

function leftOut({ id, codec }: Track): string {
  return `track ${id} is left out: devices that need MPEG-TS do not play ${codec} in it`;
}
