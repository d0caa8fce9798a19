import { sampleAspectOf } from "../../containers/mp4/sample-entry.ts";
import type { Track, TrackKind } from "../../media/track.ts";
import { selectTracks } from "../../packaging/init-segments.ts";
import type { Presentation, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import { isRandomAccess } from "../../packaging/random-access.ts";
import type { TrackFigures } from "../../packaging/track-figures.ts";
import { producerReferenceTime } from "./low-latency.ts";
import type { LowLatency } from "./low-latency.ts";
import { timelineRuns } from "./periods.ts";
import type { DashPeriod, TimelineRun } from "./periods.ts";
import { xmlElement } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

/** What the sets of one Period are written from. */
export type PeriodContext = {
  readonly presentation: Presentation;
  readonly timeline: Timeline;
  /** The tracks that are wanted; `null` for all. */
  readonly selection: TrackSelection | null;
  readonly lowLatency: LowLatency | null;
  readonly period: DashPeriod;
  /** The Period before it in the same MPD. */
  readonly before: DashPeriod | null;
  /** Where the time is learned; none for what is complete. */
  readonly clock: XmlElement | undefined;
  readonly figures: TrackFigures;
  /** What every URL carries on, with its `?`, or the empty text. */
  readonly query: string;
};

/** Units of a second in which segments are named. */
const TIMESCALE = 1000;

/** Ids of sets are numbers; each kind has a range of its own, so that no set takes another's id in a later Period. */
const SET_IDS: Readonly<Record<TrackKind, number>> = { video: 0, audio: 100, text: 200 };

/** ChannelConfiguration by number of channels. Spec: ISO/IEC 23091-3 table 10. */
const CHANNEL_CONFIGURATIONS: readonly (number | null)[] = [null, 1, 2, 3, 4, 5, 6, 11, 12];

/** Tracks that a player may take for each other, each with its runs of segments. */
type Group = { readonly id: number; readonly tracks: readonly Track[] };

/**
 * The AdaptationSets of a Period: the video tracks of one codec and language together, since they are qualities of one
 * picture, where their segments begin with key frames together; every audio and text track alone, since two of them are two
 * things to hear or to read, as in HLS. A track without any segment that is listed, or that is not wanted, is left out.
 * Since a stretch has sound of the same tracks from its begin to its end, no set of sound comes or goes within a Period.
 * Spec: ISO/IEC 23009-1 sections 5.3.3, 5.3.5, 5.3.7, 5.4.
 */
export function adaptationSets(context: PeriodContext): XmlElement[] {
  const { period, selection } = context;
  const runs = new Map<Track, readonly TimelineRun[]>();
  for (const track of selection === null ? period.tracks.tracks : selectTracks(period.tracks, selection)) {
    const found = timelineRuns(period.segments, track);
    if (found.length > 0) runs.set(track, found);
  }
  const seen = new Set<TrackKind>();
  return groupTracks([...runs.keys()], context.timeline.randomAccess?.unaligned).map((group) => {
    const { kind } = group.tracks[0]!;
    const isFirst = !seen.has(kind);
    seen.add(kind);
    return setElement(context, group, runs, roleOf(kind, isFirst));
  });
}

/** One whose key frames are elsewhere is no quality of the others. */
function groupTracks(tracks: readonly Track[], unaligned: TrackSelection = []): Group[] {
  const groups = new Map<string, Track[]>();
  for (const track of tracks) {
    const isAlone = track.kind !== "video" || unaligned.includes(track.id);
    const key = isAlone ? track.id : `${track.codec} ${track.language}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [track]);
    else group.push(track);
  }
  return [...groups.values()].map((group) => ({ id: setIdOf(group[0]!), tracks: group }));
}

/** The kind's range and the number in the id of the set's first track. */
export function setIdOf({ id, kind }: Pick<Track, "id" | "kind">): number {
  return SET_IDS[kind] + Number(id.slice(1));
}

/** Spec: ISO/IEC 23009-1 section 5.8.5.5, urn:mpeg:dash:role:2011. */
function roleOf(kind: TrackKind, isFirst: boolean): string {
  if (kind === "text") return "subtitle";
  return isFirst ? "main" : "alternate";
}

function setElement(
  context: PeriodContext,
  group: Group,
  runs: ReadonlyMap<Track, readonly TimelineRun[]>,
  role: string,
): XmlElement {
  const { lowLatency, period, clock } = context;
  const { kind, language } = group.tracks[0]!;
  const ids = group.tracks.map(({ id }) => id);
  const startsWithSap = isRandomAccess(context.timeline, context.period.segments, ids);
  return xmlElement(
    "AdaptationSet",
    {
      id: group.id,
      contentType: kind,
      lang: language === "und" ? null : language,
      mimeType: kind === "text" ? "application/mp4" : `${kind}/mp4`,
      segmentAlignment: "true",
      startWithSAP: startsWithSap ? 1 : null,
    },
    [
      ...connection(context, group),
      ...(lowLatency !== null && clock !== undefined ? [producerReferenceTime(period, clock)] : []),
      xmlElement("Role", { schemeIdUri: "urn:mpeg:dash:role:2011", value: role }),
      ...group.tracks.map((track) => representation(context, track, runs.get(track)!)),
    ],
  );
}

/**
 * Says that a set goes on from the Period before, so that a player need not begin anew: all its Representations are
 * there, and their codecs. Between Periods there may be a hole, so they are connected and not continuous.
 * Spec: ISO/IEC 23009-1 section 5.3.2.4.
 */
function connection({ before }: PeriodContext, group: Group): XmlElement[] {
  if (before === null) return [];
  const goesOn = group.tracks.every((track) =>
    before.tracks.tracks.some(
      ({ id, codecString, language }) =>
        id === track.id && codecString === track.codecString && language === track.language,
    ),
  );
  if (!goesOn) return [];
  const schemeIdUri = "urn:mpeg:dash:period-connectivity:2015";
  return [xmlElement("SupplementalProperty", { schemeIdUri, value: before.id })];
}

function representation(context: PeriodContext, track: Track, runs: readonly TimelineRun[]): XmlElement {
  const { figures } = context;
  return xmlElement(
    "Representation",
    {
      id: track.id,
      bandwidth: Math.max(1, figures.bandwidth(track.id).peakBps),
      codecs: track.codecString,
      width: track.width || null,
      height: track.height || null,
      sar: track.kind === "video" ? sampleAspect(track) : null,
      frameRate: track.kind === "video" ? frameRateText(figures, track) : null,
      audioSamplingRate: track.sampleRate || null,
    },
    [...channels(track), ...resync(context), segmentTemplate(context, track, runs)],
  );
}

/** Spec: ISO/IEC 23009-1 section 5.3.7.2, @sar. */
function sampleAspect(track: Track): string {
  const { width, height } = sampleAspectOf(track);
  return `${width}:${height}`;
}

function channels(track: Track): XmlElement[] {
  const value = CHANNEL_CONFIGURATIONS[track.channels] ?? null;
  if (track.kind !== "audio" || value === null) return [];
  const schemeIdUri = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
  return [xmlElement("AudioChannelConfiguration", { schemeIdUri, value })];
}

/** Each part of a segment is a CMAF chunk. Spec: ISO/IEC 23009-1 section 5.3.12.2. */
function resync({ lowLatency }: PeriodContext): XmlElement[] {
  if (lowLatency === null) return [];
  const dT = Math.ceil((lowLatency.partTargetUs * TIMESCALE) / 1_000_000);
  return [xmlElement("Resync", { type: 0, dT })];
}

/** A whole number or a fraction over 1001; `null` for a rate that is neither, which no two MPDs would give alike. */
function frameRateText(figures: TrackFigures, track: Track): string | null {
  for (const rate of [figures.frameRate(track.id), track.frameRate]) {
    if (rate <= 0) continue;
    const whole = Math.round(rate);
    if (Math.abs(rate - whole) < 0.001) return String(whole);
    const thousands = Math.round((rate * 1001) / 1000);
    if (Math.abs(rate - (thousands * 1000) / 1001) < 0.001) return `${thousands * 1000}/1001`;
  }
  return null;
}

function segmentTemplate(
  { presentation, period, query, lowLatency }: PeriodContext,
  track: Track,
  runs: readonly TimelineRun[],
): XmlElement {
  const early = lowLatency !== null && lowLatency.availabilityOffsetUs > 0;
  const folder = `tracks-${track.id}`;
  const init = presentation.initName(period.tracks, [track.id]);
  const note = presentation.noteOf?.(period.tracks, [track.id]) ?? "";
  return xmlElement(
    "SegmentTemplate",
    {
      timescale: TIMESCALE,
      presentationTimeOffset: period.beginMs || null,
      availabilityTimeOffset: early ? lowLatency.availabilityOffsetUs / 1_000_000 : null,
      availabilityTimeComplete: early ? "false" : null,
      initialization: `${folder}/init-${init}.mp4${query}`,
      media: `${folder}/seg-$Time$${note}.m4s${query}`,
    },
    [xmlElement("SegmentTimeline", {}, timelineElements(runs))],
  );
}

/** `t` stands where a run does not begin at the end of the one before. */
function timelineElements(runs: readonly TimelineRun[]): XmlElement[] {
  let endMs: number | null = null;
  return runs.map(({ timeMs, durationMs, count }) => {
    const t = timeMs === endMs ? null : timeMs;
    endMs = timeMs + count * durationMs;
    return xmlElement("S", { t, d: durationMs, r: count > 1 ? count - 1 : null });
  });
}
