import type { HttpReply } from "../../base/http-message.ts";
import type { OutputRequest } from "../../packaging/http-output.ts";
import { PlaylistReplies, playlistCaching, playlistVersion } from "../../packaging/playlist-replies.ts";
import type { Presentation, Timeline } from "../../packaging/presentation.ts";
import { abstractManifest } from "./manifest.ts";
import { mediaInfo } from "./media-info.ts";
import type { JsonResource } from "./path.ts";

/** Where the query goes behind each address; no address has it. */
const QUERY_PLACE = "\0";

/** Written once for each change of a timeline, as playlists are. */
const rendered = new PlaylistReplies<Timeline>("application/json");

/** Answers one request for what a presentation is made of. */
export function jsonReply(
  resource: JsonResource,
  presentation: Presentation,
  { carriedQuery }: OutputRequest,
): HttpReply {
  const timeline = presentation.timeline();
  const query = resource === "manifest" ? carriedQuery : "";
  const render = (carried: string): string => {
    if (resource === "media-info") return `${JSON.stringify(mediaInfo(timeline))}\n`;
    // What is carried goes in behind JSON has escaped the rest: it may be a mark for many queries.
    const text = JSON.stringify(abstractManifest(presentation, QUERY_PLACE));
    return `${text.replaceAll(JSON.stringify(QUERY_PLACE).slice(1, -1), carried)}\n`;
  };
  return rendered.reply(timeline, resource, {
    render,
    version: playlistVersion(presentation, timeline),
    cache: playlistCaching(presentation, timeline),
    query,
  });
}
