import type { TrackSet } from "../../media/track.ts";
import { selectTracks } from "../../packaging/init-segments.ts";
import { isRandomAccess } from "../../packaging/random-access.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { Presentation, SegmentEntry, Timeline, TrackSelection } from "../../packaging/presentation.ts";

/** The media type of playlists. Spec: RFC 8216 section 10. */
export const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";

/** EXT-X-MAP outside of I-frame playlists needs 6, fractional EXTINF 3; 7 is what fMP4 packagers declare. */
export const HLS_VERSION = 7;

/** Fractional EXTINF; old devices refuse playlists of later versions. */
export const TS_VERSION = 3;

/** Which of a segment's own tracks its transport stream has: those stay when others come or go in later segments. */
export type TsSelection = (tracks: TrackSet) => TrackSelection;

/** What a media playlist is rendered of. `query`: what every URL carries on, with its `?`, or the empty text. */
export type MediaPlaylistRequest = {
  readonly presentation: Presentation;
  readonly timeline: Timeline;
  readonly selection: TrackSelection;
  readonly query: string;
  /** Given: segments are transport streams, of the selection or of what each says. */
  readonly ts?: "selection" | TsSelection;
  /** Lines for those who read the playlist themselves. */
  readonly comments?: readonly string[];
};

/**
 * Writes the media playlist of a selection of tracks.
 *
 * Returns: the text, or `null` when no segment of the timeline has any of the tracks.
 * Spec: RFC 8216 sections 4.3.2, 4.3.3 and 6.2.2.
 */
export function renderMediaPlaylist(request: MediaPlaylistRequest): string | null {
  const { timeline, selection } = request;
  const { segments, mutability } = timeline;
  if (!hasTracks(timeline, selection)) return null;
  const version = request.ts === undefined ? HLS_VERSION : TS_VERSION;
  const head = ["#EXTM3U", `#EXT-X-VERSION:${version}`, ...commentLines(request.comments)];
  const lines = [...head, ...numberLines(timeline)];
  // Old devices that play transport streams refuse what they do not know.
  const mayWait = request.ts === undefined && request.presentation.holdSegment !== undefined;
  if (mayWait) lines.push("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES");
  if (mutability === "static") lines.push("#EXT-X-PLAYLIST-TYPE:VOD");
  if (mutability === "event") lines.push("#EXT-X-PLAYLIST-TYPE:EVENT");
  // Where each segment has tracks of its own, some may have been listed that are in no segment now.
  const promised = typeof request.ts === "function" ? null : selection;
  if (isRandomAccess(timeline, segments, promised)) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  const writer = new SegmentLines(request);
  for (const segment of segments) lines.push(...writer.before(segment), ...writer.end(segment));
  if (mutability === "static") lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

/** Comments as a playlist has them. Spec: RFC 8216 section 4.1: lines that begin with `#` and no tag. */
export function commentLines(comments: readonly string[] = []): string[] {
  return comments.map((comment) => `# ${comment}`);
}

/**
 * Whether any of the tracks is in some segment of the timeline. Whoever plays pictures and sound goes on with the pictures
 * where the sound has ended, also when the last segment with sound has left the timeline.
 */
export function hasTracks({ segments }: Timeline, selection: TrackSelection): boolean {
  return segments.some(({ tracks }) => tracks.tracks.some(({ id }) => selection.includes(id)));
}

/** Target duration and sequence numbers. Spec: RFC 8216 sections 4.3.3.1 to 4.3.3.3. */
export function numberLines({ segments, targetDurationUs, discontinuitySequence }: Timeline): string[] {
  const lines = [
    `#EXT-X-TARGETDURATION:${targetSeconds(targetDurationUs)}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]!.sequence}`,
  ];
  if (discontinuitySequence > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`);
  return lines;
}

/** A target duration as playlists say it: whole seconds. */
export function targetSeconds(targetDurationUs: number): number {
  return Math.max(1, Math.round(targetDurationUs / 1_000_000));
}

/** Microseconds as playlists say a duration: seconds with six places. */
export function seconds(us: number): string {
  return (us / 1_000_000).toFixed(6);
}

/** Writes the lines of one segment after the other. Spec: RFC 8216 section 4.3.2. */
export class SegmentLines {
  readonly #request: MediaPlaylistRequest;
  #initName = "";

  constructor(request: MediaPlaylistRequest) {
    this.#request = request;
  }

  /** The tags that stand before a segment, and before its first part. */
  before(segment: Pick<SegmentEntry, "tracks" | "discontinuity" | "utcUs">): string[] {
    const { presentation, selection, query, ts } = this.#request;
    const lines: string[] = [];
    if (segment.discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    const hasNoMap = ts !== undefined || selectTracks(segment.tracks, selection).length === 0;
    const name = hasNoMap ? this.#initName : presentation.initName(segment.tracks, selection);
    if (name !== this.#initName || (segment.discontinuity && !hasNoMap)) {
      this.#initName = name;
      lines.push(`#EXT-X-MAP:URI="init-${name}.mp4${query}"`);
    }
    if (segment.utcUs !== null) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${isoTime(segment.utcUs)}`);
    return lines;
  }

  /** The lines of the segment itself. */
  end(segment: Pick<SegmentEntry, "tracks" | "durationUs" | "name" | "trackSamples">): string[] {
    const { query, ts } = this.#request;
    const isOwn = typeof ts === "function";
    const selection = isOwn ? ts(segment.tracks) : this.#request.selection;
    // The address of a gap is asked for by nobody; it has to be there, and to stay.
    const named = selection.length > 0 ? selection : segment.tracks.tracks.map(({ id }) => id);
    const folder = isOwn ? `tracks-${formatTrackSelection(named)}/` : "";
    const uri = `${folder}seg-${segment.name}.${ts === undefined ? "m4s" : "ts"}`;
    // A track may be announced and say nothing yet, or nothing for a while: there are no bytes to be had then.
    const isEmpty = selectTracks(segment.tracks, selection).every(
      ({ id }) => segment.trackSamples(id) === 0,
    );
    return [
      ...(isEmpty ? ["#EXT-X-GAP"] : []),
      `#EXTINF:${seconds(segment.durationUs)},`,
      `${uri}${query}`,
    ];
  }
}

function isoTime(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString();
}
