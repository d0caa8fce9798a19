import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { GivenReplies } from "../../packaging/given-replies.ts";
import { bodyReply, mayHaveParts, mediaFileReply, onceFollowed } from "../../packaging/media-reply.ts";
import { PlaylistReplies, liveVersion, playlistCaching } from "../../packaging/playlist-replies.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { LiveEdge, Presentation, Timeline } from "../../packaging/presentation.ts";
import type { HlsResource } from "./path.ts";
import { heldPart, lowLatencyReply } from "./ll-reply.ts";
import { whenListed } from "./when-listed.ts";
import { PLAYLIST_TYPE, renderMediaPlaylist } from "./media-playlist.ts";
import { readChoice } from "./choice.ts";
import { renderMultivariantPlaylist } from "./playlist.ts";

/** Playlists rendered of a timeline. */
const rendered = new PlaylistReplies<Timeline>(PLAYLIST_TYPE);

/** Media playlists without a query, and parts, by the resource that a path stands for. */
const givenPlaylists = new GivenReplies<Timeline>();
const givenParts = new GivenReplies<LiveEdge>();

/**
 * Answers one HLS request from a presentation, at once where the presentation has the bytes at once. `query`: what the
 * URLs inside a playlist carry on, such as a token. `request`: whose directives say what is waited for; without one,
 * nothing is. `addsAudioOnly`: whether there is a variant without video. The same object is given again for the same
 * bytes in memory.
 *
 * Playlists of what still changes are fresh for a second; init segments and segments never change under their name,
 * except those of a file, whose entity tag is the file's version.
 * Throws or rejects with HLS_* and the storage's `MediaError`.
 */
export function hlsReply(
  resource: HlsResource,
  presentation: Presentation,
  query = "",
  request: HttpRequest | null = null,
  addsAudioOnly: () => boolean = () => false,
): Promise<HttpReply> | HttpReply {
  switch (resource.kind) {
    case "media":
      if (request === null) return playlistReply(resource, presentation, query);
      if (!resource.isLowLatency) return plainReply(resource, presentation, { query, request });
      return onceFollowed(
        presentation,
        () =>
          lowLatencyReply(resource.selection, presentation, {
            query,
            request,
            addsAudioOnly: addsAudioOnly(),
          }) ?? playlistReply(resource, presentation, query),
      );
    case "multivariant":
      return multivariantReply(resource, presentation, { query, request, addsAudioOnly: addsAudioOnly() });
    case "part":
      return partReply(resource, presentation, request);
    case "init":
    case "segment":
      return mediaFileReply(resource, presentation, request);
  }
}

/** A part that is there is there as long as the edge is the same. */
function partReply(
  resource: HlsResource & { kind: "part" },
  presentation: Presentation,
  request: HttpRequest | null,
): Promise<HttpReply> | HttpReply {
  const edge = presentation.edge?.now() ?? null;
  const given = edge === null ? undefined : givenParts.find(edge, resource);
  if (given !== undefined) return given;
  if (!mayHaveParts(resource.name, presentation)) return bodyReply(resource, null, presentation);
  return onceFollowed(presentation, () => {
    const body = heldPart(resource, presentation, request);
    if (body instanceof Promise) return body.then((made) => bodyReply(resource, made, presentation));
    const reply = bodyReply(resource, body, presentation);
    return edge === null || body === null ? reply : givenParts.keep(edge, resource, reply);
  });
}

/**
 * A playlist without parts, when it has the segment that the request waits for; as it is, when that takes too long: who
 * plays it knows how to ask again after a while, and the stream may come back.
 * Throws HLS_BAD_DIRECTIVE, HLS_TOO_FAR.
 */
function plainReply(
  resource: HlsResource & { kind: "media" },
  presentation: Presentation,
  { query, request }: { readonly query: string; readonly request: HttpRequest },
): Promise<HttpReply> | HttpReply {
  const coming = whenListed(presentation, request);
  if (coming === null) return playlistReply(resource, presentation, query);
  return coming.then(() => playlistReply(resource, presentation, query));
}

function playlistReply(
  resource: HlsResource & { kind: "media" },
  presentation: Presentation,
  query: string,
): HttpReply {
  const timeline = presentation.timeline();
  const given = query === "" ? givenPlaylists.find(timeline, resource) : undefined;
  if (given !== undefined) return given;
  const { selection, isLowLatency } = resource;
  const reply = rendered.reply(timeline, `${formatTrackSelection(selection)} ${isLowLatency}`, {
    version: presentation.version ?? liveVersion(timeline),
    cache: playlistCaching(timeline),
    query,
    render: (carried) => renderMediaPlaylist({ presentation, timeline, selection, query: carried }),
  });
  return query === "" ? givenPlaylists.keep(timeline, resource, reply) : reply;
}

/** Throws TRACKS_*. */
function multivariantReply(
  { isLowLatency }: HlsResource & { kind: "multivariant" },
  presentation: Presentation,
  asked: { readonly query: string; readonly request: HttpRequest | null; readonly addsAudioOnly: boolean },
): HttpReply {
  const timeline = presentation.timeline();
  const { query, request, addsAudioOnly } = asked;
  const { key, ...choice } = readChoice(timeline.tracks.tracks, request, presentation.texts);
  const link = isLowLatency ? "mono.ll.m3u8" : "mono.m3u8";
  const form = { ...choice, timeline, link, addsAudioOnly, container: "cmaf" } as const;
  return rendered.reply(timeline, `multi ${key} ${isLowLatency} ${addsAudioOnly}`, {
    version: presentation.version ?? liveVersion(timeline),
    cache: playlistCaching(timeline),
    query,
    render: (carried) => renderMultivariantPlaylist({ ...form, query: carried }),
  });
}
