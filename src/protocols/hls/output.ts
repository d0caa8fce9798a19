import type { HttpOutput } from "../../packaging/http-output.ts";
import { parseHlsPath } from "./path.ts";
import { hlsReply } from "./reply.ts";

/** HLS for live streams and files. */
export const hlsOutput: HttpOutput = {
  protocol: "hls",
  parse(path) {
    const parsed = parseHlsPath(path);
    if (parsed === null) return null;
    const { name, resource } = parsed;
    return {
      name,
      reply: (presentation, { carriedQuery, request }) =>
        hlsReply(resource, presentation, carriedQuery, request),
    };
  },
};
