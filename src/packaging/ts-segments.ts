import { totalBytes } from "../base/bytes.ts";
import type { HttpReply } from "../base/http-message.ts";
import { readSegmentSamples } from "../containers/mp4/segment-samples.ts";
import { canCarryInTs } from "../containers/mpegts/carriage.ts";
import { muxTsSegment } from "../containers/mpegts/segment.ts";
import type { Track, TrackSet } from "../media/track.ts";
import { makeTrackSet } from "../media/track.ts";
import { selectTracks } from "./init-segments.ts";
import { CORS, entityTag, notFound } from "./playlist-replies.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { LentBody, MediaBody, Presentation, SegmentEntry, TrackSelection } from "./presentation.ts";

/** A segment of a presentation as a transport stream. */
export type TsFile = { readonly name: string; readonly selection: TrackSelection };

/**
 * Where the time 0 of a presentation stands on the clock of its transport streams: files begin at 0, and the clock runs a
 * little before what it is for. Units: 90 kHz ticks.
 */
export const TS_ORIGIN_TICKS = 90_000;

/** Transport streams made of segments that lie in memory, for as long as those do; who has the segments counts them. */
const made = new WeakMap<MediaBody, HttpReply>();

/**
 * Whether devices that need transport streams play the track: what `canCarryInTs`, but for Opus, which came too late for
 * them.
 */
export function playsInTs(track: Track): boolean {
  return track.codec !== "opus" && canCarryInTs(track);
}

/**
 * Answers a request for a segment as a transport stream. It is made of the CMAF segment when somebody asks; where that
 * lies in memory, once for all who ask, as far as there is room for it.
 *
 * Throws or rejects with the storage's `MediaError`, MP4_*, CODEC_BAD_CONFIG.
 * Spec: RFC 8216 section 3.2.
 */
export function tsSegmentReply(file: TsFile, presentation: Presentation): Promise<HttpReply> | HttpReply {
  const tracks = tracksOfSegment(presentation, file.name);
  const chosen = tracks === null ? [] : selectTracks(tracks, file.selection).filter(playsInTs);
  if (tracks === null || chosen.length === 0) return notFound("segment");
  const carried = makeTrackSet(tracks.epoch, chosen);
  const ids = chosen.map(({ id }) => id);
  const lent = presentation.lendSegment?.(file.name, ids);
  if (lent !== undefined) return lent.then((found) => replyOfLent(file, presentation, carried, found));
  const body = presentation.segment(file.name, ids);
  return body instanceof Promise
    ? body.then((found) => replyOf(file, presentation, carried, found))
    : replyOf(file, presentation, carried, body);
}

/** What is made has bytes of its own, so the segment is given back at once. */
function replyOfLent(
  file: TsFile,
  presentation: Presentation,
  tracks: TrackSet,
  lent: LentBody | null,
): HttpReply {
  try {
    return replyOf(file, presentation, tracks, lent?.body ?? null);
  } finally {
    lent?.release();
  }
}

function replyOf(
  file: TsFile,
  presentation: Presentation,
  tracks: TrackSet,
  body: MediaBody | null,
): HttpReply {
  if (body === null) return notFound("segment");
  const known = presentation.keepDerived === undefined ? undefined : made.get(body);
  if (known !== undefined) return known;
  const bytes = muxTsSegment(readSegmentSamples(body, tracks.tracks), tracks, {
    originTicks: TS_ORIGIN_TICKS,
    isLast: isLastOfAll(presentation, file.name),
  });
  const isKept = presentation.keepDerived?.(file.name, bytes.byteLength) === true;
  const { version } = presentation;
  const caching = version === null ? "public, max-age=31536000, immutable" : "public, max-age=60";
  const reply: HttpReply = {
    status: 200,
    headers: [
      ["content-type", "video/mp2t"],
      ["cache-control", caching],
      ...entityTag(version ?? `${file.name}-${formatTrackSelection(file.selection)}-ts`),
      ...CORS,
    ],
    body: [bytes],
    ...(isKept ? {} : { ownBytes: totalBytes([bytes]) }),
  };
  if (isKept) made.set(body, reply);
  return reply;
}

function tracksOfSegment(presentation: Presentation, name: string): TrackSet | null {
  const listed = findSegment(presentation.timeline().segments, name);
  return listed?.tracks ?? presentation.unlistedTracks?.(name) ?? null;
}

/** Whether nothing follows a segment, now or later. */
function isLastOfAll(presentation: Presentation, name: string): boolean {
  const { mutability, segments } = presentation.timeline();
  return mutability === "static" && segments.at(-1)!.name === name;
}

/** The segment of a name, or `null`. Names are numbers that rise with the segments. */
export function findSegment(segments: readonly SegmentEntry[], name: string): SegmentEntry | null {
  const wanted = Number(name);
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number(segments[middle]!.name) < wanted) low = middle + 1;
    else high = middle;
  }
  return segments[low]?.name === name ? segments[low]! : null;
}
