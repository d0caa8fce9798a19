import type { HttpReply } from "../../base/http-message.ts";
import type { Cue } from "../../containers/webvtt/cue.ts";
import { cuesBetween } from "../../containers/webvtt/writer.ts";
import type { OutputRequest } from "../../packaging/http-output.ts";
import {
  PlaylistReplies,
  notFound,
  playlistCaching,
  playlistVersion,
} from "../../packaging/playlist-replies.ts";
import type { Presentation, TextTrack, Timeline } from "../../packaging/presentation.ts";
import { webVttReply } from "../../packaging/text-replies.ts";
import { TS_ORIGIN_TICKS, findSegment } from "../../packaging/ts-segments.ts";
import { asAsked } from "./as-asked.ts";
import { PLAYLIST_TYPE, TS_VERSION, numberLines, seconds, typeLines } from "./media-playlist.ts";
import type { TextResource } from "./text-path.ts";

/** Playlists rendered of a timeline. */
const rendered = new PlaylistReplies<Timeline>(PLAYLIST_TYPE);

/**
 * Answers a request for subtitles: a media playlist with the boundaries of the media, or the cues that are shown in one
 * of its segments, with their whole times.
 *
 * Throws or rejects with the storage's `MediaError`. Spec: RFC 8216 section 3.5.
 */
export function textReply(
  resource: TextResource,
  presentation: Presentation,
  asked: Pick<OutputRequest, "carriedQuery" | "request">,
): Promise<HttpReply> | HttpReply {
  const text = presentation.texts?.find(({ id }) => id === resource.id);
  if (text === undefined) return notFound("subtitles");
  const timeline = presentation.timeline();
  if (resource.kind === "text-segment") return segmentReply(resource, presentation, text);
  const suffix = resource.container === "ts" ? ".ts.vtt" : ".vtt";
  const shown = asAsked(timeline, asked.request.query);
  return rendered.reply(timeline, `${suffix} ${shown.mutability}`, {
    render: (carried) => renderTextPlaylist(shown, `${suffix}${carried}`),
    version: playlistVersion(presentation, shown),
    cache: playlistCaching(presentation, timeline),
    query: asked.carriedQuery,
  });
}

function segmentReply(
  { name, container }: TextResource & { kind: "text-segment" },
  presentation: Presentation,
  text: TextTrack,
): Promise<HttpReply> | HttpReply {
  const segment = findSegment(presentation.timeline().segments, name);
  if (segment === null) return notFound("segment");
  const { startUs, durationUs } = segment;
  const reply = (cues: readonly Cue[]): HttpReply => {
    const shown = cuesBetween(cues, startUs, startUs + durationUs);
    const ticks = container === "ts" ? TS_ORIGIN_TICKS : 0;
    return webVttReply(shown, { version: presentation.version, name, mpegTsTicks: ticks });
  };
  const cues = text.cues();
  return cues instanceof Promise ? cues.then(reply) : reply(cues);
}

function renderTextPlaylist(timeline: Timeline, ending: string): string {
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${TS_VERSION}`,
    ...numberLines(timeline),
    ...typeLines(timeline),
  ];
  for (const { name, durationUs, discontinuity } of timeline.segments) {
    if (discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    lines.push(`#EXTINF:${seconds(durationUs)},`, `seg-${name}${ending}`);
  }
  if (timeline.mutability === "static") lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}
