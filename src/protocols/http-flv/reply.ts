import type { HttpReply } from "../../base/http-message.ts";
import { liveBodyReply, liveSocketReply } from "../../packaging/live-body.ts";
import type { LiveBodyParts } from "../../packaging/live-body.ts";
import { readTrackFilter } from "../../packaging/track-filter.ts";
import type { WireFormatFactory } from "../../stream/wire-format.ts";
import { flvFormatOf } from "./from-stream.ts";
import { flvMessages } from "./messages.ts";

/** The word of the `protocols` directive. */
export const FLV_PROTOCOL = "flv";

/** The media type of FLV. */
export const FLV_CONTENT_TYPE = "video/x-flv";

/** What a reply is made of. */
export type FlvReplyParts = Pick<LiveBodyParts, "directory" | "sendWindow"> & {
  /** Of the request: `filter.tracks` chooses. */
  readonly query?: URLSearchParams;
};

/**
 * Answers a request for a live stream as FLV. Throws TRACKS_BAD_FILTER, and as `liveBodyReply` does, here and when the body
 * is started.
 */
export function flvReply(name: string, parts: FlvReplyParts): HttpReply {
  return liveBodyReply(name, FLV_CONTENT_TYPE, {
    ...parts,
    protocol: FLV_PROTOCOL,
    format: formatOf(parts),
  });
}

/**
 * The same over a WebSocket: each binary message is the file's header, a configuration or one tag. Throws as `flvReply`
 * does.
 */
export function flvSocketReply(name: string, parts: FlvReplyParts): HttpReply {
  return liveSocketReply(name, { ...parts, protocol: FLV_PROTOCOL, format: socketFormatOf(parts) });
}

/** What a body is written in. Throws TRACKS_BAD_FILTER. */
export function formatOf({ query }: Pick<FlvReplyParts, "query">): WireFormatFactory {
  return flvFormatOf(query === undefined ? null : readTrackFilter(query));
}

/** What a WebSocket's messages are written in. Throws TRACKS_BAD_FILTER. */
export function socketFormatOf(parts: Pick<FlvReplyParts, "query">): WireFormatFactory {
  return flvMessages(formatOf(parts));
}
