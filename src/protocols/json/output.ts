import type { HttpReply } from "../../base/http-message.ts";
import type { HttpOutput, OutputRequest } from "../../packaging/http-output.ts";
import { PlaylistReplies, liveVersion, playlistCaching } from "../../packaging/playlist-replies.ts";
import type { Presentation, Timeline } from "../../packaging/presentation.ts";
import { abstractManifest } from "./manifest.ts";
import { mediaInfo } from "./media-info.ts";
import { parseJsonPath } from "./path.ts";
import type { JsonResource } from "./path.ts";

/** Written once for each change of a timeline, as playlists are. */
const rendered = new PlaylistReplies<Timeline>("application/json");

/** What streams and files are made of, as JSON. */
export const jsonOutput: HttpOutput = {
  protocol: "api",
  parse(path) {
    const parsed = parseJsonPath(path);
    if (parsed === null) return null;
    const { name, resource } = parsed;
    return { name, reply: (presentation, asked) => jsonOf(resource, presentation, asked) };
  },
};

function jsonOf(
  resource: JsonResource,
  presentation: Presentation,
  { carriedQuery }: OutputRequest,
): HttpReply {
  const timeline = presentation.timeline();
  const query = resource === "manifest" ? carriedQuery : "";
  const content = (): object =>
    resource === "manifest" ? abstractManifest(presentation, query) : mediaInfo(timeline);
  return rendered.reply(timeline, `${resource} ${query}`, {
    render: () => `${JSON.stringify(content())}\n`,
    version: presentation.version ?? liveVersion(timeline),
    cache: playlistCaching(timeline),
    hasQuery: query !== "",
  });
}
