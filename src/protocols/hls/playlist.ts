import type { Track } from "../../media/track.ts";
import { measureBandwidth, measureFrameRate } from "../../packaging/bandwidth.ts";
import { selectTracks } from "../../packaging/init-segments.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { Presentation, SegmentEntry, Timeline, TrackSelection } from "../../packaging/presentation.ts";

/** EXT-X-MAP outside of I-frame playlists needs 6, fractional EXTINF 3; 7 is what fMP4 packagers declare. */
const HLS_VERSION = 7;
const AUDIO_GROUP = "audio";

/**
 * Writes the multivariant playlist of a presentation.
 *
 * One variant per video track, with the audio inside when there is one, or beside it as renditions of a group when
 * there are several; one variant with all its audio when there is no video. `query` is what every URL carries on, with
 * its `?`, or the empty text.
 * Spec: RFC 8216 section 4.3.4; codecs by RFC 6381.
 */
export function renderMultivariantPlaylist(timeline: Timeline, query: string): string {
  const { tracks } = timeline.tracks;
  const videos = tracks.filter((track) => track.kind === "video");
  const audios = tracks.filter((track) => track.kind === "audio");
  const lines = ["#EXTM3U", `#EXT-X-VERSION:${HLS_VERSION}`];
  if (timeline.segments.every((segment) => segment.isIndependent))
    lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  const groups = audios.length > 1 ? groupByCodec(audios) : [];
  for (const group of groups) {
    lines.push(...group.tracks.map((audio, index) => renditionLine(group.id, audio, index, query)));
  }
  const leads = videos.length > 0 ? videos : audios.slice(0, 1);
  for (const lead of leads) {
    if (groups.length === 0)
      lines.push(...variantLines(timeline, [...new Set([lead, ...audios])], null, query));
    for (const group of groups) lines.push(...variantLines(timeline, [lead], group, query));
  }
  return `${lines.join("\n")}\n`;
}

/** Renditions of one group must share a codec: a player that lacks it drops the variants of that group only. */
type AudioGroup = { readonly id: string; readonly tracks: readonly Track[] };

function groupByCodec(audios: readonly Track[]): AudioGroup[] {
  const codecs = [...new Set(audios.map((audio) => audio.codecString))];
  return codecs.map((codec, index) => ({
    id: index === 0 ? AUDIO_GROUP : `${AUDIO_GROUP}-${index + 1}`,
    tracks: audios.filter((audio) => audio.codecString === codec),
  }));
}

function renditionLine(group: string, audio: Track, index: number, query: string): string {
  const attributes = [
    "TYPE=AUDIO",
    `GROUP-ID="${group}"`,
    `NAME="${audio.language === "und" ? "Audio" : audio.language} ${index + 1}"`,
    ...(audio.language === "und" ? [] : [`LANGUAGE="${audio.language}"`]),
    `DEFAULT=${index === 0 ? "YES" : "NO"}`,
    "AUTOSELECT=YES",
    `CHANNELS="${audio.channels}"`,
    `URI="tracks-${audio.id}/mono.m3u8${query}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(",")}`;
}

function variantLines(
  timeline: Timeline,
  inside: readonly Track[],
  group: AudioGroup | null,
  query: string,
): string[] {
  const selection = inside.map((track) => track.id);
  const own = measureBandwidth(timeline, selection);
  const beside = (group?.tracks ?? [])
    .filter((track) => !inside.includes(track))
    .map((track) => measureBandwidth(timeline, [track.id]));
  const peakBps = own.peakBps + Math.max(0, ...beside.map((bandwidth) => bandwidth.peakBps));
  const averageBps = own.averageBps + Math.max(0, ...beside.map((bandwidth) => bandwidth.averageBps));
  const codecs = new Set([...inside, ...(group?.tracks ?? [])].map((track) => track.codecString));
  const attributes = [
    `BANDWIDTH=${peakBps}`,
    `AVERAGE-BANDWIDTH=${averageBps}`,
    `CODECS="${[...codecs].join(",")}"`,
    ...videoAttributes(timeline, inside),
    ...(group === null ? [] : [`AUDIO="${group.id}"`]),
  ];
  return [
    `#EXT-X-STREAM-INF:${attributes.join(",")}`,
    `tracks-${formatTrackSelection(selection)}/mono.m3u8${query}`,
  ];
}

function videoAttributes(timeline: Timeline, inside: readonly Track[]): string[] {
  const video = inside.find((track) => track.kind === "video");
  if (video === undefined) return [];
  const frameRate = measureFrameRate(timeline, video.id) || video.frameRate;
  return [
    ...(video.width > 0 ? [`RESOLUTION=${video.width}x${video.height}`] : []),
    ...(frameRate > 0 ? [`FRAME-RATE=${frameRate.toFixed(3)}`] : []),
  ];
}

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
