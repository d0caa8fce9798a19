import type { HttpReply } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import { liveBodyReply } from "../../packaging/live-body.ts";
import type { LiveBodyParts } from "../../packaging/live-body.ts";
import { readTrackFilter } from "../../packaging/track-filter.ts";
import type { WireFormatFactory } from "../../stream/wire-format.ts";

const formats = late("MPEG-TS over HTTP", () => import("./from-stream.ts"));

/** The word of the `protocols` directive. */
export const TS_PROTOCOL = "tshttp";

/** The media type of a transport stream. */
export const TS_CONTENT_TYPE = "video/mp2t";

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
  return withTsFormat(parts.query, (format) =>
    liveBodyReply(name, TS_CONTENT_TYPE, { ...parts, protocol: TS_PROTOCOL, format }),
  );
}

/**
 * Has something done with the format that a query chooses: `filter.tracks`. Throws or rejects with TRACKS_BAD_FILTER, and with
 * what `use` does.
 */
export function withTsFormat<Result>(
  query: URLSearchParams | undefined,
  use: (format: WireFormatFactory) => Promise<Result> | Result,
): Promise<Result> | Result {
  const filter = query === undefined ? null : readTrackFilter(query);
  return formats(({ tsFormatOf }) => use(tsFormatOf(filter)));
}
