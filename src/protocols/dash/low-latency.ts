import { growingSegments } from "../../packaging/growing-segments.ts";
import type { LiveEdge, SegmentEntry } from "../../packaging/presentation.ts";
import type { DashPeriod } from "./periods.ts";
import { xmlElement } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

/**
 * What an MPD for low latency says beyond another one: the segment that grows, and the next one where its time is known,
 * stand in the timeline, and may be asked for as soon as their first part is there.
 */
export type LowLatency = {
  readonly segments: readonly SegmentEntry[];
  /** When the MPD became what it is, in microseconds of the media clock. */
  readonly publishedUs: number;
  /** Of the entity tag. */
  readonly version: string;
  /** How much earlier than complete a segment may be asked for, in microseconds. */
  readonly availabilityOffsetUs: number;
  readonly partTargetUs: number;
  readonly targetLatencyUs: number;
};

/** Parts that a player stays behind: one that grows, one on its way, and what jitter of network and clock needs. */
const LATENCY_PARTS = 5;

/** The low-latency side of an edge. */
export function lowLatencyOf(edge: LiveEdge): LowLatency {
  const { timeline, open, partTargetUs } = edge;
  const last = timeline.segments.at(-1)!;
  const endUs = last.startUs + last.durationUs;
  return {
    segments: growingSegments(edge),
    // One millisecond tells it from the MPD in which the same segment had not begun.
    publishedUs: open === null ? endUs : Math.max(endUs, open.startUs) + 1000,
    version: open?.name ?? "",
    availabilityOffsetUs: Math.max(0, timeline.targetDurationUs - partTargetUs),
    partTargetUs,
    targetLatencyUs: partTargetUs * LATENCY_PARTS,
  };
}

/**
 * The latency that players are to keep, and how much faster or slower they may play for it.
 * Spec: ISO/IEC 23009-1 Annex K.3.2, K.3.3; DASH-IF IOP part 9.
 */
export function serviceDescription({ targetLatencyUs }: LowLatency): XmlElement {
  const target = Math.round(targetLatencyUs / 1000);
  return xmlElement("ServiceDescription", { id: 0 }, [
    xmlElement("Latency", { target, min: Math.round(target / 2), max: target * 3 }),
    xmlElement("PlaybackRate", { min: "0.92", max: "1.08" }),
  ]);
}

/**
 * Says that the media clock is UTC: what begins the Period came in at that time.
 * Spec: ISO/IEC 23009-1 section 5.12.
 */
export function producerReferenceTime(period: DashPeriod, clock: XmlElement): XmlElement {
  const attributes = {
    id: 0,
    type: "encoder",
    wallClockTime: new Date(period.beginMs).toISOString(),
    presentationTime: period.beginMs,
  };
  return xmlElement("ProducerReferenceTime", attributes, [clock]);
}
