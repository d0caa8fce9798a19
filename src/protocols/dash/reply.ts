import { systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { mediaFileReply, onceFollowed } from "../../packaging/media-reply.ts";
import {
  CORS,
  PlaylistReplies,
  liveVersion,
  playlistCaching,
  playlistVersion,
} from "../../packaging/playlist-replies.ts";
import type { Presentation, Timeline } from "../../packaging/presentation.ts";
import { readMpdChoice } from "./choice.ts";
import type { MpdChoice } from "./choice.ts";
import { lowLatencyOf } from "./low-latency.ts";
import type { LowLatency } from "./low-latency.ts";
import { listedOf, renderMpd } from "./mpd.ts";
import type { DashResource } from "./path.ts";
import { subtitlesReply } from "./text-sets.ts";
import { escapeXml } from "./xml.ts";

/** MPDs rendered of a timeline. */
const mpds = new PlaylistReplies<Timeline>("application/dash+xml");

/** What a DASH request is answered with, beside the presentation. */
export type DashReplyOptions = {
  /** What the URLs inside an MPD carry on, such as a token, with its `?`; the empty text unless given. */
  readonly query?: string;
  readonly clock?: Clock;
  /** Who waits for what still grows, and whose query may choose tracks; without one, nothing is waited for. */
  readonly request?: HttpRequest | null;
};

type Asked = Required<Pick<DashReplyOptions, "query" | "request">>;

/**
 * Answers one DASH request from a presentation, at once where the presentation has the bytes at once; the same object
 * for the same MPD or bytes in memory.
 * Throws or rejects with TRACKS_*, and the storage's `MediaError`.
 */
export function dashReply(
  resource: DashResource,
  presentation: Presentation,
  { query = "", clock = systemClock, request = null }: DashReplyOptions = {},
): Promise<HttpReply> | HttpReply {
  switch (resource.kind) {
    case "mpd":
      if (!resource.isLowLatency) return mpdReply(resource, presentation, { query, request });
      return onceFollowed(
        presentation,
        () =>
          lowLatencyReply(presentation, { query, request }) ??
          mpdReply(resource, presentation, { query, request }),
      );
    case "utc":
      // As xs:dateTime. Spec: ISO/IEC 23009-1 section 5.8.5.7, http-xsdate.
      return textReply(200, new Date(clock.wallUs() / 1000).toISOString(), CORS);
    case "subtitles":
      return subtitlesReply(resource.id, presentation);
    case "init":
    case "segment":
      return mediaFileReply(resource, presentation, request);
  }
}

function mpdReply(
  { span }: DashResource & { kind: "mpd" },
  presentation: Presentation,
  { query, request }: Asked,
): HttpReply {
  const timeline = presentation.timeline();
  const delayS = span?.kind === "timeshift_rel" ? span.agoS : 0;
  const { key, ...choice } = choiceOf(presentation, { timeline, lowLatency: null }, request);
  const form = { presentation, timeline, ...choice, delayS, lowLatency: null };
  return mpds.reply(timeline, `${delayS} ${key}`, {
    render: (carried) => renderMpd({ ...form, query: carried }),
    version: playlistVersion(presentation, timeline),
    cache: playlistCaching(presentation, timeline),
    query: escapeXml(query),
  });
}

/** The MPD with what still grows; `null` where the presentation has no edge. */
function lowLatencyReply(presentation: Presentation, { query, request }: Asked): HttpReply | null {
  const edge = presentation.edge?.now() ?? null;
  if (edge === null) return null;
  const { timeline } = edge;
  const lowLatency = lowLatencyOf(edge);
  const { key, ...choice } = choiceOf(presentation, { timeline, lowLatency }, request);
  return mpds.reply(timeline, `low-latency ${lowLatency.version} ${key}`, {
    render: (carried) => renderMpd({ presentation, timeline, ...choice, query: carried, lowLatency }),
    version: `${liveVersion(timeline)}-ll-${lowLatency.version}`,
    // It is asked for twice a segment; a cache that kept it for a second would make players late.
    cache: "no-cache",
    query: escapeXml(query),
  });
}

function choiceOf(
  { texts }: Presentation,
  { timeline, lowLatency }: { readonly timeline: Timeline; readonly lowLatency: LowLatency | null },
  request: HttpRequest | null,
): MpdChoice {
  return readMpdChoice({ timeline, segments: () => listedOf(timeline, lowLatency), texts }, request);
}
