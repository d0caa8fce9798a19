import type { HttpReply } from "../../base/http-message.ts";
import { RenderedPlaylists, mediaFileReply, notThere } from "../../packaging/media-reply.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { Presentation } from "../../packaging/presentation.ts";
import type { HlsResource } from "./path.ts";
import { renderMediaPlaylist, renderMultivariantPlaylist } from "./playlist.ts";

const playlists = new RenderedPlaylists("application/vnd.apple.mpegurl");

/**
 * Answers one HLS request from a presentation, at once where the presentation has the bytes at once. `query`: what the
 * URLs inside a playlist carry on, such as a token. The same object is given again for the same bytes in memory.
 * Throws or rejects with the storage's `MediaError`.
 */
export function hlsReply(
  resource: HlsResource,
  presentation: Presentation,
  query = "",
): Promise<HttpReply> | HttpReply {
  switch (resource.kind) {
    case "multivariant":
      return playlists.reply(presentation, { kind: "", query }, (timeline) =>
        renderMultivariantPlaylist(timeline, query),
      )!;
    case "media": {
      const { selection } = resource;
      const asked = { kind: formatTrackSelection(selection), query };
      const reply = playlists.reply(presentation, asked, (timeline) =>
        renderMediaPlaylist(presentation, timeline, selection, query),
      );
      return reply ?? notThere("playlist of these tracks");
    }
    case "init":
    case "segment":
      return mediaFileReply(resource, presentation);
  }
}
