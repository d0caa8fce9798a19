import { selectTracks } from "../../packaging/init-segments.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { LiveEdge, OpenSegmentEntry, PartEntry } from "../../packaging/presentation.ts";
import type { SegmentEntry, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { isRandomAccess } from "../../packaging/random-access.ts";
import { SegmentLines, hasTracks, numberLines, seconds, targetSeconds } from "./media-playlist.ts";
import type { MediaPlaylistRequest } from "./media-playlist.ts";
import { renditionsBeside } from "./playlist.ts";

/** EXT-X-SKIP needs it. */
const LL_VERSION = 9;

/** Parts are listed so many target durations from the end (RFC 8216bis section 6.2.2). */
const PART_TARGETS = 3;

/** The Skip Boundary in target durations: the least that it may be (RFC 8216bis section 4.4.3.8). */
const SKIP_TARGETS = 6;

/** How far from the end players are to stay, in target durations, and in parts where they play parts. */
const HOLD_BACK_TARGETS = 3;
const HOLD_BACK_PARTS = 3;

/** What a low-latency playlist is rendered of. `skips`: leave out what is older than the Skip Boundary. */
export type LowLatencyRequest = Omit<MediaPlaylistRequest, "timeline"> & {
  readonly edge: LiveEdge;
  readonly skips: boolean;
  /** The multivariant playlist has a variant without video; not unless told. */
  readonly addsAudioOnly?: boolean;
};

/**
 * The last line where no segment grows, as between two publishers. hls.js takes the segment that a playlist ends with for
 * the one that is to come, and gives up when that turns out to begin behind a discontinuity; a comment is end enough.
 */
const NOTHING_GROWS = "# nothing grows now";

/**
 * Writes the low-latency media playlist of a selection of tracks.
 *
 * Returns: the text, or `null` when no segment has any of the tracks.
 * Spec: RFC 8216bis sections 4.4.3.7, 4.4.3.8, 4.4.4.9, 4.4.5.2 to 4.4.5.4 and 6.2.5.1.
 */
export function renderLowLatencyPlaylist(request: LowLatencyRequest): string | null {
  const { edge, selection } = request;
  const { timeline, open, partTargetUs } = edge;
  if (!hasTracks(timeline, selection)) return null;
  const lines = ["#EXTM3U", `#EXT-X-VERSION:${LL_VERSION}`, ...controlLines(timeline, partTargetUs)];
  lines.push(...numberLines(timeline));
  const all = open === null ? timeline.segments : [...timeline.segments, open];
  if (isRandomAccess(timeline, all, selection)) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  const skipped = request.skips ? countSkipped(timeline) : 0;
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  lines.push(...segmentLines(request, skipped), ...reportLines(request));
  if (!lines.at(-1)!.startsWith("#")) lines.push(NOTHING_GROWS);
  return `${lines.join("\n")}\n`;
}

function controlLines({ targetDurationUs }: Timeline, partTargetUs: number): string[] {
  const target = targetSeconds(targetDurationUs);
  const control = [
    "CAN-BLOCK-RELOAD=YES",
    `CAN-SKIP-UNTIL=${target * SKIP_TARGETS}`,
    `HOLD-BACK=${target * HOLD_BACK_TARGETS}`,
    `PART-HOLD-BACK=${shortSeconds(partTargetUs * HOLD_BACK_PARTS)}`,
  ];
  return [
    `#EXT-X-SERVER-CONTROL:${control.join(",")}`,
    `#EXT-X-PART-INF:PART-TARGET=${shortSeconds(partTargetUs)}`,
  ];
}

/** Segments that end further from the end of the last one than the Skip Boundary. Some always stay. */
function countSkipped({ segments, targetDurationUs }: Timeline): number {
  const boundaryUs = targetSeconds(targetDurationUs) * SKIP_TARGETS * 1_000_000;
  let distanceUs = 0;
  let kept = 0;
  while (kept < segments.length && distanceUs <= boundaryUs) {
    kept++;
    distanceUs += segments[segments.length - kept]!.durationUs;
  }
  return segments.length - kept;
}

function segmentLines(request: LowLatencyRequest, skipped: number): string[] {
  const { edge, selection, query } = request;
  const { timeline, open } = edge;
  const { segments } = timeline;
  const writer = new SegmentLines({ ...request, timeline });
  const lines: string[] = [];
  const firstWithParts = countOld(edge);
  // What is skipped has been said before.
  for (let index = 0; index < skipped; index++) writer.begin(segments[index]!, []);
  for (let index = skipped; index < segments.length; index++) {
    const segment = segments[index]!;
    writer.begin(segment, lines);
    if (index >= firstWithParts) lines.push(...partLines(segment, segment.parts ?? [], selection, query));
    writer.end(segment, lines);
  }
  if (open === null) return lines;
  if (open.parts.length > 0) writer.begin(open, lines);
  lines.push(...partLines(open, open.parts, selection, query));
  if (selectTracks(open.tracks, selection).length === 0) return lines;
  const hint = partUri(open, open.parts.length, query);
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${hint}"`);
  return lines;
}

/** Segments whose parts are too far from the end to be listed. */
function countOld({ timeline, open }: LiveEdge): number {
  const { segments, targetDurationUs } = timeline;
  const limitUs = targetSeconds(targetDurationUs) * PART_TARGETS * 1_000_000;
  let distanceUs = open === null ? 0 : open.parts.reduce((sum, part) => sum + part.durationUs, 0);
  let count = segments.length;
  while (count > 0 && distanceUs < limitUs) {
    count--;
    distanceUs += segments[count]!.durationUs;
  }
  return count;
}

function partLines(
  segment: SegmentEntry | OpenSegmentEntry,
  parts: readonly PartEntry[],
  selection: TrackSelection,
  query: string,
): string[] {
  return parts.map((part, index) => {
    const chosen = part.tracks.filter((track) => selection.includes(track.id));
    const attributes = [`DURATION=${seconds(part.durationUs)}`, `URI="${partUri(segment, index, query)}"`];
    // What a decoder needs first is a picture; where there is none to come, sound.
    const lead = selectTracks(segment.tracks, selection).find((track) => track.kind === "video");
    const isIndependent = chosen.some(
      (track) => track.hasSync && (lead === undefined || track.id === lead.id),
    );
    if (isIndependent) attributes.push("INDEPENDENT=YES");
    if (chosen.length === 0) attributes.push("GAP=YES");
    return `#EXT-X-PART:${attributes.join(",")}`;
  });
}

function partUri({ name }: { readonly name: string }, index: number, query: string): string {
  return `part-${name}-${index}.m4s${query}`;
}

/** Where the other media playlists of the presentation stand: all are cut together. */
function reportLines({ edge, selection, query, addsAudioOnly }: LowLatencyRequest): string[] {
  const others = renditionsBeside(edge.timeline.tracks.tracks, selection, addsAudioOnly);
  const { sequence, part } = lastPoint(edge);
  const place = [`LAST-MSN=${sequence}`, ...(part === null ? [] : [`LAST-PART=${part}`])].join(",");
  return others
    .map(formatTrackSelection)
    .map((other) => `#EXT-X-RENDITION-REPORT:URI="../tracks-${other}/mono.ll.m3u8${query}",${place}`);
}

/** The newest part, or the newest segment where it has none. */
export function lastPoint({ open, timeline }: LiveEdge): {
  readonly sequence: number;
  readonly part: number | null;
} {
  const newest = open !== null && open.parts.length > 0 ? open : timeline.segments.at(-1)!;
  const count = newest.parts?.length ?? 0;
  return { sequence: newest.sequence, part: count === 0 ? null : count - 1 };
}

function shortSeconds(us: number): string {
  return String(Math.round(us / 1000) / 1000);
}
