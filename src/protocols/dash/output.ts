import { late } from "../../base/late/late.ts";
import { mediaOf, spanOf } from "../../packaging/http-output.ts";
import type { HttpOutput } from "../../packaging/http-output.ts";
import { noticePlayback } from "../../packaging/playback-notices.ts";
import { parseDashPath } from "./path.ts";

const replies = late("DASH", () => import("./reply.ts"));

/** DASH for live streams, what was recorded of them, and files. */
export const dashOutput: HttpOutput = {
  protocol: "dash",
  parse(path) {
    const parsed = parseDashPath(path);
    if (parsed === null) return null;
    const { name, resource } = parsed;
    return {
      name,
      ...spanOf(resource),
      ...mediaOf(resource),
      // The clock: players of HLS ask for it as well.
      isTold: resource.kind === "utc",
      reply: (presentation, asked) => {
        const { carriedQuery, request } = asked;
        if (resource.kind === "mpd") noticePlayback(presentation.timeline(), asked);
        return replies(({ dashReply }) =>
          dashReply(resource, presentation, { query: carriedQuery, request }),
        );
      },
    };
  },
};
