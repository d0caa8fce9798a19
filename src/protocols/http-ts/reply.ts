import type { HttpReply } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import { liveBodyReply } from "../../packaging/live-body.ts";
import type { LiveBodyParts } from "../../packaging/live-body.ts";
import { readTrackFilter } from "../../packaging/track-filter.ts";

const formats = late("MPEG-TS over HTTP", () => import("./from-stream.ts"));

/** The word of the `protocols` directive. */
export const TS_PROTOCOL = "tshttp";

/** What a reply is made of. */
export type TsReplyParts = Pick<LiveBodyParts, "directory" | "sendWindow"> & {
  /** Of the request: `filter.tracks` chooses. */
  readonly query?: URLSearchParams;
};

/**
 * Answers a request for a live stream as MPEG-TS. Throws or rejects with TRACKS_BAD_FILTER, and as `liveBodyReply` throws,
 * here and when the body is started.
 */
export function tsReply(name: string, parts: TsReplyParts): Promise<HttpReply> | HttpReply {
  const filter = parts.query === undefined ? null : readTrackFilter(parts.query);
  return formats(({ tsFormatOf }) =>
    liveBodyReply(name, "video/mp2t", { ...parts, protocol: TS_PROTOCOL, format: tsFormatOf(filter) }),
  );
}
