import { jsonReply } from "../../base/http-message.ts";
import type { HttpHeaders } from "../../base/http-message.ts";
import type { HttpOutput } from "../../packaging/http-output.ts";
import { abstractManifest } from "./manifest.ts";
import { mediaInfo } from "./media-info.ts";
import { parseJsonPath } from "./path.ts";

const CORS: HttpHeaders = [["access-control-allow-origin", "*"]];

/** What streams and files are made of, as JSON. */
export const jsonOutput: HttpOutput = {
  protocol: "api",
  parse(path) {
    const parsed = parseJsonPath(path);
    if (parsed === null) return null;
    const { name, resource } = parsed;
    return {
      name,
      reply: (presentation, { carriedQuery }) =>
        resource === "manifest"
          ? jsonReply(200, abstractManifest(presentation, carriedQuery), CORS)
          : jsonReply(200, mediaInfo(presentation.timeline()), CORS),
    };
  },
};
