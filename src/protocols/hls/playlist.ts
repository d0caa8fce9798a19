import type { Track, TrackSet } from "../../media/track.ts";
import { measureBandwidth, measureFrameRate } from "../../packaging/bandwidth.ts";
import type { SegmentContainer } from "../../packaging/bandwidth.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import type { TextTrack, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { rareAudio } from "../../packaging/rare-audio.ts";
import { isRandomAccess } from "../../packaging/random-access.ts";
import { textLabel } from "../../packaging/text-replies.ts";
import { HLS_VERSION, TS_VERSION, commentLines } from "./media-playlist.ts";

const AUDIO_GROUP = "audio";
const TEXT_GROUP = "subtitles";

/** What a multivariant playlist is rendered of. */
export type MultivariantRequest = {
  readonly timeline: Timeline;
  /** Those of the timeline that are wanted. */
  readonly tracks: readonly Track[];
  /** Subtitles that are wanted. */
  readonly texts: readonly TextTrack[];
  /** What every URL carries on, with its `?`, or the empty text. */
  readonly query: string;
  /** The name of the media playlists, `mono.m3u8`. */
  readonly link: string;
  /** Sound is a rendition of its own also where there is one track of it. */
  readonly separatesAudio: boolean;
  /** There is a variant without video beside those with it; not unless told. */
  readonly addsAudioOnly?: boolean;
  readonly container: SegmentContainer;
  /** Lines for those who read the playlist themselves. */
  readonly comments?: readonly string[];
};

/**
 * Writes the multivariant playlist of a presentation.
 *
 * One variant per video track, with the audio inside when there is one, or beside it as renditions of a group when
 * there are several. Behind them, where it is asked for or there is no video, one with audio alone, and when there is
 * audio of several codecs one for each, so that every player finds one that it can play; where there is only audio that
 * browsers lack, it is beside the video in any case, and the last variants have each video alone: hls.js takes those then.
 * Spec: RFC 8216 section 4.3.4; codecs by RFC 6381.
 */
export function renderMultivariantPlaylist(request: MultivariantRequest): string {
  const { timeline, tracks, query, container } = request;
  const form = { timeline, container, link: `${request.link}${query}`, hasTexts: request.texts.length > 0 };
  const videos = tracks.filter((track) => track.kind === "video");
  const audios = tracks.filter((track) => track.kind === "audio");
  const version = container === "ts" ? TS_VERSION : HLS_VERSION;
  const lines = ["#EXTM3U", `#EXT-X-VERSION:${version}`, ...commentLines(request.comments)];
  if (isAlwaysIndependent(timeline, tracks)) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  const isRare = rareAudio(tracks, container).length > 0;
  const separates = request.separatesAudio || (isRare && container === "cmaf");
  const isApart = audios.length > 1 || (separates && videos.length > 0);
  const groups = isApart ? groupByCodec(audios) : [];
  for (const group of groups) {
    lines.push(...group.tracks.map((audio, index) => renditionLine(group.id, audio, index, form.link)));
  }
  const { texts } = request;
  lines.push(...texts.map((text, index) => subtitlesLine(text, index, form.link)));
  for (const video of videos) {
    if (groups.length === 0) lines.push(...variantLines(form, [video, ...audios], null));
    for (const group of groups) lines.push(...variantLines(form, [video], group));
  }
  // The last ones are not taken for the best.
  if (isRare) for (const video of videos) lines.push(...variantLines(form, [video], null));
  if (videos.length === 0 || request.addsAudioOnly === true) {
    if (groups.length === 0 && audios.length > 0) lines.push(...variantLines(form, audios, null));
    for (const group of groups) lines.push(...variantLines(form, group.tracks.slice(0, 1), group));
  }
  return `${lines.join("\n")}\n`;
}

/**
 * It is read once and holds for all segments of all playlists: of what goes on, nobody knows where it will be cut.
 * Spec: RFC 8216 section 4.3.5.1.
 */
function isAlwaysIndependent(timeline: Timeline, tracks: readonly Track[]): boolean {
  const ids = tracks.map(({ id }) => id);
  return timeline.mutability === "static" && isRandomAccess(timeline, timeline.segments, ids);
}

/** The media playlists that the multivariant playlist of a track set names, each by its tracks. */
function renditionsOf(tracks: readonly Track[], addsAudioOnly = false): TrackSelection[] {
  const videos = tracks.filter((track) => track.kind === "video");
  const audios = tracks.filter((track) => track.kind === "audio");
  if (audios.length > 1 || rareAudio(tracks, "cmaf").length > 0)
    return [...videos, ...audios].map((track) => [track.id]);
  const alone = videos.length === 0 || addsAudioOnly ? audios.map((audio) => [audio.id]) : [];
  return [...videos.map((video) => [video, ...audios].map((track) => track.id)), ...alone];
}

/**
 * The media playlists that a player may go over to from that of `own`, however it chose: each track alone from a track alone,
 * and from a picture with sounds each other picture with the same sounds; and what the usual multivariant playlist names, where
 * it names `own`.
 */
export function renditionsBeside(
  tracks: readonly Track[],
  own: TrackSelection,
  addsAudioOnly = false,
): TrackSelection[] {
  const chosen = tracks.filter(({ id }) => own.includes(id));
  const sounds = chosen.filter(({ kind }) => kind === "audio");
  const isOnePicture = chosen.length - sounds.length === 1;
  const usual = renditionsOf(tracks, addsAudioOnly);
  const name = formatTrackSelection(own);
  const videos = tracks.filter(({ kind }) => kind === "video");
  const all = [
    ...(usual.some((one) => formatTrackSelection(one) === name) ? usual : []),
    ...(chosen.length === 1 ? tracks.filter(({ kind }) => kind !== "text").map(({ id }) => [id]) : []),
    ...(isOnePicture ? videos.map((video) => [video, ...sounds].map(({ id }) => id)) : []),
  ];
  const byName = new Map(all.map((one) => [formatTrackSelection(one), one]));
  byName.delete(name);
  return [...byName.values()];
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

function renditionLine(group: string, audio: Track, index: number, link: string): string {
  const attributes = [
    "TYPE=AUDIO",
    `GROUP-ID="${group}"`,
    `NAME="${audio.language === "und" ? "Audio" : audio.language} ${index + 1}"`,
    ...(audio.language === "und" ? [] : [`LANGUAGE="${audio.language}"`]),
    `DEFAULT=${index === 0 ? "YES" : "NO"}`,
    "AUTOSELECT=YES",
    `CHANNELS="${audio.channels}"`,
    `URI="tracks-${audio.id}/${link}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(",")}`;
}

/** Spec: RFC 8216 section 4.3.4.1. */
function subtitlesLine(text: TextTrack, index: number, link: string): string {
  const { id, language } = text;
  const attributes = [
    "TYPE=SUBTITLES",
    `GROUP-ID="${TEXT_GROUP}"`,
    `NAME="${textLabel(text, index)}"`,
    ...(language === "und" ? [] : [`LANGUAGE="${language}"`]),
    "DEFAULT=NO",
    "AUTOSELECT=YES",
    "FORCED=NO",
    `URI="tracks-${id}/${link}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(",")}`;
}

/** How all variants of one playlist are written. */
type VariantForm = Pick<MultivariantRequest, "timeline" | "container"> & {
  readonly link: string;
  readonly hasTexts: boolean;
};

function variantLines(
  { timeline, container, link, hasTexts }: VariantForm,
  inside: readonly Track[],
  group: AudioGroup | null,
): string[] {
  const selection = inside.map((track) => track.id);
  // Of audio alone one rendition of the group plays, and not two.
  const isAudioOnly = inside.every((track) => track.kind === "audio");
  const together = isAudioOnly ? Math.max : (media: number, other: number): number => media + other;
  const own = measureBandwidth(timeline, selection, container);
  const beside = (group?.tracks ?? [])
    .filter((track) => !inside.includes(track))
    .map((track) => measureBandwidth(timeline, [track.id], container));
  const peakBps = together(own.peakBps, Math.max(0, ...beside.map((bandwidth) => bandwidth.peakBps)));
  const averageBps = together(
    own.averageBps,
    Math.max(0, ...beside.map((bandwidth) => bandwidth.averageBps)),
  );
  const codecs = codecsOf(timeline, [...inside, ...(group?.tracks ?? [])]);
  const attributes = [
    `BANDWIDTH=${peakBps}`,
    `AVERAGE-BANDWIDTH=${averageBps}`,
    `CODECS="${codecs.join(",")}"`,
    ...videoAttributes(timeline, inside),
    ...(group === null ? [] : [`AUDIO="${group.id}"`]),
    ...(hasTexts ? [`SUBTITLES="${TEXT_GROUP}"`] : []),
  ];
  return [`#EXT-X-STREAM-INF:${attributes.join(",")}`, `tracks-${formatTrackSelection(selection)}/${link}`];
}

/**
 * Those of the tracks; of what stays, in front of them, what else tracks of their ids were coded in at other times: a player
 * that lacks one of them cannot play the whole. Spec: RFC 8216 section 4.3.4.2.
 */
function codecsOf({ segments, mutability }: Timeline, tracks: readonly Track[]): string[] {
  const codecs = new Set<string>();
  const ids = new Set(tracks.map(({ id }) => id));
  const own = new Set(tracks.map(({ codec }) => codec));
  let last: TrackSet | null = null;
  for (const { tracks: set } of mutability === "live" ? [] : segments) {
    if (set === last) continue;
    last = set;
    for (const { id, codec, codecString } of set.tracks)
      if (ids.has(id) && !own.has(codec)) codecs.add(codecString);
  }
  for (const { codecString } of tracks) codecs.add(codecString);
  return [...codecs];
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
