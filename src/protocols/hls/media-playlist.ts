import type { Track, TrackSet } from "../../media/track.ts";
import { selectTracks } from "../../packaging/init-segments.ts";
import { isRandomAccess } from "../../packaging/random-access.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { Presentation, SegmentEntry, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { IsoTimes } from "./iso-times.ts";

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
  /** Players are to begin with the first segment, also where others come; not unless told. */
  readonly beginsAtStart?: boolean;
};

/**
 * Writes the media playlist of a selection of tracks.
 *
 * Returns: the text, or `null` when no segment of the timeline has any of the tracks.
 * Spec: RFC 8216 sections 4.3.2, 4.3.3 and 6.2.2.
 */
export function renderMediaPlaylist(request: MediaPlaylistRequest): string | null {
  const { timeline, selection } = request;
  const { segments } = timeline;
  if (!hasTracks(timeline, selection)) return null;
  const version = request.ts === undefined ? HLS_VERSION : TS_VERSION;
  const head = ["#EXTM3U", `#EXT-X-VERSION:${version}`, ...commentLines(request.comments)];
  const lines = [...head, ...numberLines(timeline), ...typeLines(timeline)];
  // Old devices that play transport streams refuse what they do not know.
  const mayWait = request.ts === undefined && request.presentation.holdSegment !== undefined;
  if (mayWait) lines.push("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES");
  // Without it they begin near the end of what still grows. Spec: RFC 8216 section 4.3.5.2.
  if (request.beginsAtStart === true) lines.push("#EXT-X-START:TIME-OFFSET=0");
  // Where each segment has tracks of its own, some may have been listed that are in no segment now.
  const promised = typeof request.ts === "function" ? null : selection;
  if (isRandomAccess(timeline, segments, promised)) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  const writer = new SegmentLines(request);
  for (const segment of segments) {
    writer.begin(segment, lines);
    writer.end(segment, lines);
  }
  if (timeline.mutability === "static") lines.push("#EXT-X-ENDLIST");
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

/** Whether the playlist is complete, or only grows. Spec: RFC 8216 section 4.3.3.5. */
export function typeLines({ mutability }: Timeline): string[] {
  if (mutability === "live") return [];
  return [`#EXT-X-PLAYLIST-TYPE:${mutability === "static" ? "VOD" : "EVENT"}`];
}

/** A target duration as playlists say it: whole seconds. */
export function targetSeconds(targetDurationUs: number): number {
  return Math.max(1, Math.round(targetDurationUs / 1_000_000));
}

/** Microseconds as playlists say a duration: seconds with six places. */
export function seconds(us: number): string {
  return (us / 1_000_000).toFixed(6);
}

/** What the segments of one track set have in common in a playlist. */
type SetLines = {
  readonly set: TrackSet;
  /** Those of its tracks that are chosen. */
  readonly chosen: readonly Track[];
  /** The name of their init segment; the empty text where a segment needs none. */
  readonly map: string;
  /** The folder of its segments, with its `/`, as the playlist sees it. */
  readonly folder: string;
  /** What stands behind the times of its segments. */
  readonly ending: string;
};

/**
 * Writes the lines of one segment after the other. A day has tens of thousands: what does not change from one to the next
 * is found out once. Spec: RFC 8216 section 4.3.2.
 */
export class SegmentLines {
  readonly #request: MediaPlaylistRequest;
  readonly #ending: string;
  /** A window loses its first segments, and with them the dates that stand there; what stays as it is needs no more. */
  readonly #hasEachDate: boolean;
  readonly #times = new IsoTimes();
  #hasDate = false;
  #initName = "";
  #own: SetLines | null = null;
  #durationUs = -1;
  #lengthLine = "";

  constructor(request: MediaPlaylistRequest) {
    this.#request = request;
    this.#ending = `.${request.ts === undefined ? "m4s" : "ts"}${request.query}`;
    this.#hasEachDate = request.timeline.mutability === "live";
  }

  /** Puts the tags that stand before a segment, and before its first part, behind `lines`. */
  begin(segment: Pick<SegmentEntry, "tracks" | "discontinuity" | "utcUs">, lines: string[]): void {
    const { discontinuity, utcUs } = segment;
    if (discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    const { map } = this.#of(segment.tracks);
    if (map !== "" && (discontinuity || map !== this.#initName)) {
      this.#initName = map;
      lines.push(`#EXT-X-MAP:URI="init-${map}.mp4${this.#request.query}"`);
    }
    if (utcUs === null || (this.#hasDate && !discontinuity && !this.#hasEachDate)) return;
    this.#hasDate = true;
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${this.#times.write(utcUs)}`);
  }

  /** Puts the lines of the segment itself behind `lines`. */
  end(
    segment: Pick<SegmentEntry, "tracks" | "durationUs" | "name" | "trackSamples">,
    lines: string[],
  ): void {
    const { chosen, folder, ending } = this.#of(segment.tracks);
    // A track may be announced and say nothing yet, or nothing for a while: there are no bytes to be had then.
    if (chosen.every(({ id }) => segment.trackSamples(id) === 0)) lines.push("#EXT-X-GAP");
    if (segment.durationUs !== this.#durationUs) {
      this.#durationUs = segment.durationUs;
      this.#lengthLine = `#EXTINF:${seconds(segment.durationUs)},`;
    }
    lines.push(this.#lengthLine, `${folder}seg-${segment.name}${ending}`);
  }

  #of(set: TrackSet): SetLines {
    return this.#own?.set === set ? this.#own : (this.#own = this.#find(set));
  }

  #find(set: TrackSet): SetLines {
    const { presentation, ts } = this.#request;
    const isOwn = typeof ts === "function";
    const selection = isOwn ? ts(set) : this.#request.selection;
    const chosen = selectTracks(set, selection);
    const hasMap = ts === undefined && chosen.length > 0;
    // The address of a gap is asked for by nobody; it has to be there, and to stay.
    const named = selection.length > 0 ? selection : set.tracks.map(({ id }) => id);
    return {
      set,
      chosen,
      map: hasMap ? presentation.initName(set, selection) : "",
      folder: isOwn ? `tracks-${formatTrackSelection(named)}/` : "",
      ending: `${presentation.noteOf?.(set, selection) ?? ""}${this.#ending}`,
    };
  }
}
