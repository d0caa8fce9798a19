import { selectTracks } from "../../packaging/init-segments.ts";
import type {
  Presentation,
  SegmentEntry,
  TextTrack,
  Timeline,
  TrackSelection,
} from "../../packaging/presentation.ts";
import { TrackFigures } from "../../packaging/track-figures.ts";
import { adaptationSets } from "./adaptation-sets.ts";
import { serviceDescription } from "./low-latency.ts";
import type { LowLatency } from "./low-latency.ts";
import { UTC_FILE } from "./path.ts";
import { mergePeriods, periodsOf, zeroOf } from "./periods.ts";
import type { DashPeriod } from "./periods.ts";
import { textSets } from "./text-sets.ts";
import { writeXmlDocument, xmlElement } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

/** Segments that a player stays behind: as many as HLS players do. */
const DELAY_SEGMENTS = 3;

/** Parts that a player of low latency has before it begins. */
const BUFFER_PARTS = 2;

/** What an MPD is rendered of. */
export type MpdRequest = {
  readonly presentation: Presentation;
  readonly timeline: Timeline;
  /** The tracks that are wanted; all unless given. */
  readonly selection?: TrackSelection | null;
  /** Subtitles that are wanted; none unless given. */
  readonly texts?: readonly TextTrack[];
  /** What has the same tracks is one Period, with holes where the time breaks; not unless given. */
  readonly isMerged?: boolean;
  /** What every URL carries on, with its `?`, or the empty text. */
  readonly query: string;
  /** How far the newest segment is kept behind now, beside what it takes to make it; not at all unless given. Seconds. */
  readonly delayS?: number;
  /** `null`: only what is complete is listed. */
  readonly lowLatency: LowLatency | null;
};

/**
 * Writes the MPD of a presentation. What is complete is `static`; what still changes is `dynamic`. A window that slides
 * has its media clock as the presentation time: microseconds since 1970, so that times and Periods are the same whoever
 * writes them and whenever. What only grows begins at zero with its first segment, as it will when it is complete. A Period
 * begins where tracks change or the time breaks; one that has nothing of what is wanted is left out.
 *
 * Returns: the text, or `null` when no Period has any of it.
 * Spec: ISO/IEC 23009-1 sections 5.3.1 (MPD), 5.3.2 (Period), 5.8.5.7 (UTCTiming), Annex K (ServiceDescription).
 */
export function renderMpd(request: MpdRequest): string | null {
  const { timeline, lowLatency, query } = request;
  const isStatic = timeline.mutability === "static";
  const periods = wantedPeriods(request);
  if (periods.length === 0) return null;
  const figures = new TrackFigures(timeline);
  const clocks = isStatic ? [] : clockElements(query);
  const bufferUs = lowLatency === null ? timeline.targetDurationUs : lowLatency.partTargetUs * BUFFER_PARTS;
  return writeXmlDocument(
    xmlElement(
      "MPD",
      {
        xmlns: "urn:mpeg:dash:schema:mpd:2011",
        profiles: "urn:mpeg:dash:profile:isoff-live:2011",
        type: isStatic ? "static" : "dynamic",
        ...(isStatic ? staticTimes(timeline) : dynamicTimes(request)),
        minBufferTime: duration(bufferUs),
      },
      [
        ...(lowLatency === null ? [] : [serviceDescription(lowLatency)]),
        ...periods.map((period, index) =>
          periodElement(request, { period, before: periods[index - 1] ?? null, clock: clocks[0], figures }),
        ),
        ...clocks,
      ],
    ),
  );
}

function wantedPeriods(request: MpdRequest): readonly DashPeriod[] {
  const { presentation, timeline, lowLatency, selection = null, isMerged = false } = request;
  const periods = periodsOf(listedOf(timeline, lowLatency), zeroOf(timeline)).filter(
    (period) => selection === null || hasWanted(period, selection),
  );
  return isMerged ? mergePeriods(periods, presentation, timeline.mutability) : periods;
}

/**
 * The segments that an MPD lists: of the complete ones as many as there are, and what grows behind them. Players stay
 * further behind than the suggested delay, and one whose position is before the window goes astray.
 */
export function listedOf(
  { earlier = [], segments }: Timeline,
  lowLatency: LowLatency | null,
): readonly SegmentEntry[] {
  return [...earlier, ...segments, ...(lowLatency?.segments ?? [])];
}

/** Whether a Period has media of any of the tracks that are wanted. */
function hasWanted({ tracks, segments }: DashPeriod, selection: TrackSelection): boolean {
  return selectTracks(tracks, selection).some(({ id }) =>
    segments.some((segment) => segment.trackSamples(id) > 0),
  );
}

type Attributes = Readonly<Record<string, string>>;

function staticTimes({ segments }: Timeline): Attributes {
  return { mediaPresentationDuration: duration(endUs(segments) - segments[0]!.startUs) };
}

/**
 * The MPD of a timeline is the same whoever writes it: it is published when its last segment was complete. Players seek the
 * newest segment by the time of day, so a window that is kept behind now begins so much later for them.
 */
function dynamicTimes({ timeline, lowLatency, delayS = 0 }: MpdRequest): Attributes {
  const { earlier = [], segments, mutability, targetDurationUs } = timeline;
  // The newest segment ends up to a segment's length ago: counted from now, the oldest one would be gone too early.
  const depthUs = endUs(segments) - (earlier[0] ?? segments[0]!).startUs + targetDurationUs;
  const publishedUs = lowLatency?.publishedUs ?? endUs(segments);
  const delayUs = lowLatency?.targetLatencyUs ?? targetDurationUs * DELAY_SEGMENTS;
  return {
    availabilityStartTime: dateTime(zeroOf(timeline) + delayS * 1000),
    publishTime: new Date(Math.floor(publishedUs / 1000)).toISOString(),
    minimumUpdatePeriod: duration(targetDurationUs / 2),
    ...(mutability === "live" ? { timeShiftBufferDepth: duration(depthUs) } : {}),
    suggestedPresentationDelay: duration(delayUs),
  };
}

function endUs(segments: Timeline["segments"]): number {
  const last = segments.at(-1)!;
  return last.startUs + last.durationUs;
}

function periodElement(
  request: MpdRequest,
  at: {
    readonly period: DashPeriod;
    readonly before: DashPeriod | null;
    readonly clock: XmlElement | undefined;
    readonly figures: TrackFigures;
  },
): XmlElement {
  const { period } = at;
  const { timeline, selection = null, texts = [], query } = request;
  const start = duration((period.beginMs - zeroOf(timeline)) * 1000);
  return xmlElement("Period", { id: period.id, start }, [
    // The same work in all Periods, as their connection demands.
    xmlElement("AssetIdentifier", { schemeIdUri: "urn:org:dashif:asset-id:2013", value: "main" }),
    ...adaptationSets({ ...request, ...at, selection }),
    ...textSets(timeline, texts, query),
  ]);
}

/**
 * Where a player learns what time it is. An MPD is rendered once for all and cached, so the time itself, as
 * urn:mpeg:dash:utc:direct:2014 would have it, is not written into it: it would be late by the MPD's age.
 */
function clockElements(query: string): XmlElement[] {
  return ["xsdate", "head"].map((way) =>
    xmlElement("UTCTiming", {
      schemeIdUri: `urn:mpeg:dash:utc:http-${way}:2014`,
      value: `${UTC_FILE}${query}`,
    }),
  );
}

/** A length of time as `PT1.5S`, to the millisecond. Spec: XML Schema part 2 section 3.2.6. */
function duration(us: number): string {
  return `PT${Number((us / 1_000_000).toFixed(3))}S`;
}

/** Milliseconds since 1970 UTC. Spec: XML Schema part 2 section 3.2.7. */
function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
