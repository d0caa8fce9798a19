import { late } from "../../base/late/late.ts";
import { mediaOf, spanOf } from "../../packaging/http-output.ts";
import type { HttpOutput } from "../../packaging/http-output.ts";
import { noticePlayback } from "../../packaging/playback-notices.ts";
import { parseHlsPath } from "./path.ts";
import { hlsReply } from "./reply.ts";
import { parseTextResource } from "./text-path.ts";
import { parseTsResource } from "./ts-path.ts";

/** What few ask for: subtitles, and transport streams for old devices. */
const textReplies = late("HLS subtitles", () => import("./text-reply.ts"));
const tsReplies = late("HLS as MPEG-TS", () => import("./ts-reply.ts"));

/** HLS for live streams, what was recorded of them, and files. */
export const hlsOutput: HttpOutput = {
  protocol: "hls",
  parse(path) {
    const text = parseTextResource(path);
    if (text !== null) {
      const { name, resource } = text;
      return {
        name,
        ...spanOf(resource),
        reply: (presentation, asked) =>
          textReplies(({ textReply }) => textReply(resource, presentation, asked)),
      };
    }
    const transport = parseTsResource(path);
    if (transport !== null) {
      const { name, resource } = transport;
      return {
        name,
        ...spanOf(resource),
        ...(resource.kind === "ts-segment" ? mediaOf({ ...resource, kind: "segment" }) : {}),
        reply: (presentation, asked) => tsReplies(({ tsReply }) => tsReply(resource, presentation, asked)),
      };
    }
    const parsed = parseHlsPath(path);
    if (parsed === null) return null;
    const { name, resource } = parsed;
    return {
      name,
      ...spanOf(resource),
      ...mediaOf(resource),
      reply: (presentation, asked) => {
        const { carriedQuery, request, addsAudioOnly } = asked;
        if (resource.kind === "multivariant") noticePlayback(presentation.timeline(), asked);
        return hlsReply(resource, presentation, carriedQuery, request, addsAudioOnly);
      },
    };
  },
};
