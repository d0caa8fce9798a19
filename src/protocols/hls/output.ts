import type { HttpOutput } from "../../packaging/http-output.ts";
import { noticePlayback } from "../../packaging/playback-notices.ts";
import { parseHlsPath } from "./path.ts";
import { hlsReply } from "./reply.ts";
import { parseTextResource } from "./text-path.ts";
import { textReply } from "./text-reply.ts";
import { parseTsResource } from "./ts-path.ts";
import { tsReply } from "./ts-reply.ts";

/** HLS for live streams and files. */
export const hlsOutput: HttpOutput = {
  protocol: "hls",
  parse(path) {
    const text = parseTextResource(path);
    if (text !== null) {
      const { name, resource } = text;
      return {
        name,
        reply: (presentation, asked) => textReply(resource, presentation, asked.carriedQuery),
      };
    }
    const transport = parseTsResource(path);
    if (transport !== null) {
      const { name, resource } = transport;
      return { name, reply: (presentation, asked) => tsReply(resource, presentation, asked) };
    }
    const parsed = parseHlsPath(path);
    if (parsed === null) return null;
    const { name, resource } = parsed;
    return {
      name,
      reply: (presentation, asked) => {
        const { carriedQuery, request, addsAudioOnly } = asked;
        if (resource.kind === "multivariant") noticePlayback(presentation.timeline(), asked);
        return hlsReply(resource, presentation, carriedQuery, request, addsAudioOnly);
      },
    };
  },
};
