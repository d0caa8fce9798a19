import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { GivenReplies } from "../../packaging/given-replies.ts";
import { bodyReply, mayHaveParts, mediaFileReply, onceFollowed } from "../../packaging/media-reply.ts";
import { offeredTracks } from "../../packaging/offered-tracks.ts";
import { PlaylistReplies, playlistCaching, playlistVersion } from "../../packaging/playlist-replies.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { LiveEdge, Presentation, Timeline } from "../../packaging/presentation.ts";
import { formatStem } from "../../packaging/time-span.ts";
import { asAsked, carriedOn, hasOwnStart } from "./as-asked.ts";
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
      if (request === null) return playlistReply(resource, presentation, { query, request });
      if (!resource.isLowLatency) return plainReply(resource, presentation, { query, request });
      return onceFollowed(
        presentation,
        () =>
          lowLatencyReply(resource.selection, presentation, {
            query,
            request,
            addsAudioOnly: addsAudioOnly(),
          }) ?? playlistReply(resource, presentation, { query, request }),
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
  asked: { readonly query: string; readonly request: HttpRequest },
): Promise<HttpReply> | HttpReply {
  const coming = whenListed(presentation, asked.request);
  if (coming === null) return playlistReply(resource, presentation, asked);
  return coming.then(() => playlistReply(resource, presentation, asked));
}

function playlistReply(
  resource: HlsResource & { kind: "media" },
  presentation: Presentation,
  { query, request }: { readonly query: string; readonly request: HttpRequest | null },
): HttpReply {
  const timeline = presentation.timeline();
  const shown = asAsked(timeline, request?.query);
  const isPlain = query === "" && shown === timeline;
  const given = isPlain ? givenPlaylists.find(timeline, resource) : undefined;
  if (given !== undefined) return given;
  const { selection, isLowLatency } = resource;
  const beginsAtStart = hasOwnStart(resource);
  const key = `${formatTrackSelection(selection)} ${isLowLatency} ${shown.mutability} ${beginsAtStart}`;
  const form = { presentation, timeline: shown, selection, beginsAtStart };
  const reply = rendered.reply(timeline, key, {
    version: playlistVersion(presentation, shown),
    cache: playlistCaching(presentation, timeline),
    query,
    render: (carried) => renderMediaPlaylist({ ...form, query: carried }),
  });
  return isPlain ? givenPlaylists.keep(timeline, resource, reply) : reply;
}

/** Throws TRACKS_*. */
function multivariantReply(
  resource: HlsResource & { kind: "multivariant" },
  presentation: Presentation,
  asked: { readonly query: string; readonly request: HttpRequest | null; readonly addsAudioOnly: boolean },
): HttpReply {
  const timeline = presentation.timeline();
  const { request, addsAudioOnly } = asked;
  const shown = asAsked(timeline, request?.query);
  const { key, ...choice } = readChoice(offeredTracks(timeline), request, presentation.texts);
  const link = `${formatStem(resource, "mono")}${resource.isLowLatency ? ".ll" : ""}.m3u8`;
  const form = { ...choice, timeline: shown, link, addsAudioOnly, container: "cmaf" } as const;
  return rendered.reply(timeline, `multi ${key} ${link} ${addsAudioOnly} ${shown.mutability}`, {
    version: playlistVersion(presentation, shown),
    cache: playlistCaching(presentation, timeline),
    query: carriedOn(asked.query, timeline, request?.query),
    render: (carried) => renderMultivariantPlaylist({ ...form, query: carried }),
  });
}
