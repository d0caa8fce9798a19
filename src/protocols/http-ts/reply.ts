import type { HttpReply } from "../../base/http-message.ts";
import { liveBodyReply } from "../../packaging/live-body.ts";
import type { LiveBodyParts } from "../../packaging/live-body.ts";
import { readTrackFilter } from "../../packaging/track-filter.ts";
import { tsFormatOf } from "./from-stream.ts";

/** The word of the `protocols` directive. */
export const TS_PROTOCOL = "tshttp";

/** What a reply is made of. */
export type TsReplyParts = Pick<LiveBodyParts, "directory" | "sendWindow"> & {
  /** Of the request: `filter.tracks` chooses. */
  readonly query?: URLSearchParams;
};

/**
 * Answers a request for a live stream as MPEG-TS. Throws TRACKS_BAD_FILTER, and as `liveBodyReply` does, here and when the
 * body is started.
 */
export function tsReply(name: string, parts: TsReplyParts): HttpReply {
  const { query } = parts;
  const format = tsFormatOf(query === undefined ? null : readTrackFilter(query));
  return liveBodyReply(name, "video/mp2t", { ...parts, protocol: TS_PROTOCOL, format });
}
