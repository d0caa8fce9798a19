import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { hasReached } from "../../packaging/edge-waiters.ts";
import { GivenReplies } from "../../packaging/given-replies.ts";
import { PlaylistReplies } from "../../packaging/playlist-replies.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { EdgePoint, EdgeSource, LiveEdge, MediaBody } from "../../packaging/presentation.ts";
import type { Presentation, TrackSelection } from "../../packaging/presentation.ts";
import { readDirectives } from "./directives.ts";
import type { DeliveryDirectives } from "./directives.ts";
import { hlsErrors } from "./errors.ts";
import { lastPoint, renderLowLatencyPlaylist } from "./ll-playlist.ts";
import { PLAYLIST_TYPE, targetSeconds } from "./media-playlist.ts";
import type { HlsResource } from "./path.ts";

/** Playlists rendered of an edge. */
const rendered = new PlaylistReplies<LiveEdge>(PLAYLIST_TYPE);

/** Those without a query, by the tracks of the path: whole or not, waited for or not, beside a variant without video or not. */
const givenTo = Array.from({ length: 8 }, () => new GivenReplies<LiveEdge>());

/** A reply that was waited for stays right for this many target durations (RFC 8216bis appendix B.1). */
const HELD_CACHE_TARGETS = 6;

/** The playlist may say so many segments further (RFC 8216bis section 6.2.5.2). */
const MAX_SEGMENTS_AHEAD = 2;
/** The Advance Part Limit: so many seconds of parts, or parts where they last a second or more. */
const ADVANCE_PARTS = 3;

/**
 * Answers a request for a low-latency media playlist, when it has come to what the request waits for. Returns: `null`
 * where the presentation has no edge yet.
 *
 * Throws or rejects with HLS_BAD_DIRECTIVE, HLS_TOO_FAR, HLS_HELD_TOO_LONG, HLS_TOO_MANY_HELD.
 * Spec: RFC 8216bis section 6.2.5.
 */
export function lowLatencyReply(
  selection: TrackSelection,
  presentation: Presentation,
  asked: { readonly query: string; readonly request: HttpRequest; readonly addsAudioOnly: boolean },
): Promise<HttpReply> | HttpReply | null {
  const source = presentation.edge;
  const edge = source?.now() ?? null;
  if (source === undefined || edge === null) return null;
  const directives = readDirectives(asked.request.query);
  const { point } = directives;
  const form = { selection, presentation, directives, ...asked };
  if (point === null || hasReached(edge, point)) return replyAt(edge, form);
  checkDistance(edge, point);
  return whenReached(source, point, asked.request).then(() => replyAt(source.now() ?? edge, form));
}

/** What a low-latency playlist is to be. `query`: what its addresses carry on. */
type Asked = {
  readonly selection: TrackSelection;
  readonly presentation: Presentation;
  readonly query: string;
  readonly addsAudioOnly: boolean;
  readonly directives: DeliveryDirectives;
};

/** The playlist of an edge, as it is sent now. */
function replyAt(edge: LiveEdge, asked: Asked): HttpReply {
  const { selection, presentation, query, addsAudioOnly } = asked;
  const { point, skips } = asked.directives;
  const given = givenTo[(point === null ? 0 : 1) + (skips ? 2 : 0) + (addsAudioOnly ? 4 : 0)]!;
  const known = query === "" ? given.find(edge, selection) : undefined;
  if (known !== undefined) return known;
  const targets = targetSeconds(edge.timeline.targetDurationUs);
  const maxAge = point === null ? Math.max(1, Math.floor(targets / 2)) : targets * HELD_CACHE_TARGETS;
  const form = { presentation, edge, selection, skips, addsAudioOnly };
  const reply = rendered.reply(edge, `${formatTrackSelection(selection)} ${skips} ${addsAudioOnly}`, {
    render: (carried) => renderLowLatencyPlaylist({ ...form, query: carried }),
    version: `${versionOf(edge)}${skips ? "-delta" : ""}`,
    cache: `public, max-age=${maxAge}`,
    query,
  });
  return query === "" ? given.keep(edge, selection, reply) : reply;
}

/** What changes with every change of an edge. */
function versionOf({ timeline, open }: LiveEdge): string {
  const { segments, discontinuitySequence } = timeline;
  const growing = open === null ? "" : `-${open.name}.${open.parts.length}`;
  return `${segments[0]!.sequence}-${segments.at(-1)!.name}${growing}-${discontinuitySequence}`;
}

/** Throws HLS_TOO_FAR. */
function checkDistance(edge: LiveEdge, { sequence, part }: EdgePoint): void {
  const lastMsn = edge.timeline.segments.at(-1)!.sequence;
  const targetS = edge.partTargetUs / 1_000_000;
  const limit = targetS < 1 ? Math.ceil(ADVANCE_PARTS / targetS) : ADVANCE_PARTS;
  const last = lastPoint(edge);
  const lastPart = last.sequence === sequence ? (last.part ?? -1) : -1;
  const isFar = sequence > lastMsn + MAX_SEGMENTS_AHEAD || (part ?? 0) > lastPart + limit;
  if (isFar)
    throw hlsErrors.error("HLS_TOO_FAR", {
      msn: sequence,
      part: part ?? "any",
      lastMsn: last.sequence,
      lastPart: last.part ?? "none",
    });
}

/** Resolves when the edge has come there. Rejects with HLS_HELD_TOO_LONG, HLS_TOO_MANY_HELD. */
function whenReached(source: EdgeSource, point: EdgePoint, request: HttpRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const held = source.hold({
      ...point,
      address: request.remoteAddress,
      end: (how) => {
        if (how === "reached") resolve();
        else reject(hlsErrors.error("HLS_HELD_TOO_LONG", { reason: REASONS[how] }));
      },
    });
    if (held === null) reject(hlsErrors.error("HLS_TOO_MANY_HELD"));
    else request.onLeave?.(() => held.cancel());
  });
}

const REASONS = {
  late: "it was held for three target durations",
  over: "the stream has ended",
} as const;

/**
 * The bytes of a part, when it is there: one that is to be the next of the open segment is waited for; `null` for any
 * other that is not there. Rejects with HLS_HELD_TOO_LONG, HLS_TOO_MANY_HELD.
 * Spec: RFC 8216bis section 6.2.6.
 */
export function heldPart(
  resource: HlsResource & { kind: "part" },
  presentation: Presentation,
  request: HttpRequest | null,
): Promise<MediaBody | null> | MediaBody | null {
  const source = presentation.edge;
  if (source === undefined) return null;
  const { name, index, selection } = resource;
  const point = request === null ? null : pointAhead(source, name, index);
  if (request === null || point === null) return source.part(name, index, selection);
  return whenReached(source, point, request).then(() => source.part(name, index, selection));
}

/** What a part that is not there yet is waited for by; `null` where it is not to be waited for. */
function pointAhead(source: EdgeSource, name: string, index: number): EdgePoint | null {
  const open = source.now()?.open ?? null;
  if (open === null) return null;
  // An edge that is told by another thread may be one move behind that of the thread that hinted at the part.
  const behind = source.follow === undefined ? 0 : 1;
  const { sequence, parts } = open;
  if (open.name === name)
    return index >= parts.length && index <= parts.length + behind ? { sequence, part: index } : null;
  const isNextSegment = behind > 0 && index === 0 && Number(name) > Number(open.name);
  return isNextSegment ? { sequence: sequence + 1, part: 0 } : null;
}
