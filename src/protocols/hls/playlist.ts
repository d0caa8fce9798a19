import { selectTracks } from "../../packaging/init-segments.ts";
import type { Presentation, SegmentEntry, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { HLS_VERSION } from "./version.ts";

/**
 * Writes the media playlist of a selection of tracks.
 *
 * Returns: the text, or `null` when no segment of the timeline has any of the tracks.
 * Spec: RFC 8216 sections 4.3.2, 4.3.3 and 6.2.2.
 */
export function renderMediaPlaylist(
  presentation: Presentation,
  timeline: Timeline,
  selection: TrackSelection,
  query: string,
): string | null {
  const { segments, mutability } = timeline;
  const first = segments[0]!;
  if (!selection.every((id) => segments.some((segment) => hasTrack(segment, id)))) return null;
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${HLS_VERSION}`,
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.round(timeline.targetDurationUs / 1_000_000))}`,
    `#EXT-X-MEDIA-SEQUENCE:${first.sequence}`,
  ];
  if (timeline.discontinuitySequence > 0) {
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${timeline.discontinuitySequence}`);
  }
  if (mutability === "static") lines.push("#EXT-X-PLAYLIST-TYPE:VOD");
  if (mutability === "event") lines.push("#EXT-X-PLAYLIST-TYPE:EVENT");
  if (segments.every((segment) => segment.isIndependent)) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  let initName = "";
  for (const segment of segments) {
    if (segment.discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    const isEmpty = selectTracks(segment.tracks, selection).length === 0;
    const name = isEmpty ? initName : presentation.initName(segment.tracks, selection);
    if (name !== initName || (segment.discontinuity && !isEmpty)) {
      initName = name;
      lines.push(`#EXT-X-MAP:URI="init-${name}.mp4${query}"`);
    }
    if (segment.utcUs !== null) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${isoTime(segment.utcUs)}`);
    if (isEmpty) lines.push("#EXT-X-GAP");
    lines.push(`#EXTINF:${seconds(segment.durationUs)},`, `seg-${segment.name}.m4s${query}`);
  }
  if (mutability === "static") lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

function hasTrack(segment: SegmentEntry, id: string): boolean {
  return segment.tracks.tracks.some((track) => track.id === id);
}

function seconds(us: number): string {
  return (us / 1_000_000).toFixed(6);
}

function isoTime(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString();
}
