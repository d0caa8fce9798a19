import type { TrackId } from "../media/ids.ts";
import type { Timeline, TrackSelection } from "./presentation.ts";

/** Bits per second of a selection over a timeline, container included. */
export type Bandwidth = { readonly peakBps: number; readonly averageBps: number };

/** What segments are written as. */
export type SegmentContainer = "cmaf" | "ts";

/** What a container costs beside the payload. */
type ContainerCost = {
  readonly segmentBytes: number;
  readonly segmentTrackBytes: number;
  readonly pictureBytes: number;
  readonly frameBytes: number;
  /** Of a second without pictures. */
  readonly soundSecondBytes: number;
  /** Bytes that are written for each byte of payload. */
  readonly factor: number;
};

const COSTS: Readonly<Record<SegmentContainer, ContainerCost>> = {
  // `moof` and `mdat` headers per track, one `trun` entry per sample.
  cmaf: {
    segmentBytes: 0,
    segmentTrackBytes: 130,
    pictureBytes: 16,
    frameBytes: 16,
    soundSecondBytes: 0,
    factor: 1,
  },
  // 16 times two tables; up to 15 packets that the last PES packet is stuffed into; for a picture a PES header, a
  // delimiter, the clock and half a packet of stuffing; for a frame of sound an ADTS header and its share of those, for
  // some frames share a PES packet. Sound alone has fewer PES packets than there have to be readings of the clock: most of
  // the 25 a second are packets of their own.
  ts: {
    segmentBytes: 6016,
    segmentTrackBytes: 15 * 188,
    pictureBytes: 140,
    frameBytes: 36,
    soundSecondBytes: 4100,
    factor: 188 / 184,
  },
};

/**
 * Measures what RFC 8216 section 4.3.4.2 asks for: BANDWIDTH is the largest bit rate of any segment, AVERAGE-BANDWIDTH
 * that of all of them together. A segment shorter than half a second does not speak for the peak.
 */
export function measureBandwidth(
  timeline: Timeline,
  selection: TrackSelection,
  container: SegmentContainer = "cmaf",
): Bandwidth {
  const cost = COSTS[container];
  const isSoundAlone = !selection.some((id) => id.startsWith("v"));
  let peakBps = 0;
  let totalBits = 0;
  let totalUs = 0;
  for (const segment of timeline.segments) {
    if (segment.isGap === true) continue;
    let bytes = 0;
    for (const id of selection) {
      const samples = segment.trackSamples(id);
      const sampleBytes = id.startsWith("v") ? cost.pictureBytes : cost.frameBytes;
      if (samples > 0)
        bytes += segment.trackBytes(id) * cost.factor + cost.segmentTrackBytes + samples * sampleBytes;
    }
    if (bytes > 0) {
      bytes += cost.segmentBytes;
      if (isSoundAlone) bytes += (cost.soundSecondBytes * segment.durationUs) / 1_000_000;
    }
    totalBits += bytes * 8;
    totalUs += segment.durationUs;
    const bps = (bytes * 8 * 1_000_000) / segment.durationUs;
    if (segment.durationUs >= 500_000 || timeline.segments.length === 1) peakBps = Math.max(peakBps, bps);
  }
  const averageBps = Math.ceil((totalBits * 1_000_000) / Math.max(1, totalUs));
  return { peakBps: Math.max(Math.ceil(peakBps), averageBps), averageBps };
}

/** Frames per second that sources have. */
export const COMMON_RATES: readonly number[] = [
  24_000 / 1001,
  24,
  25,
  30_000 / 1001,
  30,
  48,
  50,
  60_000 / 1001,
  60,
  100,
  120,
];

/**
 * Frames per second of a video track: counted over the timeline, and given as what the bitstream states, or else as the
 * nearest common rate, where the count is within half a percent of it; 0 when nothing can be counted.
 */
export function measureFrameRate(timeline: Timeline, track: TrackId): number {
  let frames = 0;
  let us = 0;
  for (const segment of timeline.segments) {
    frames += segment.trackSamples(track);
    us += segment.trackUs(track);
  }
  if (us === 0) return 0;
  const counted = (frames * 1_000_000) / us;
  const distance = (rate: number): number => Math.abs(rate - counted);
  const stated = timeline.tracks.tracks.find((candidate) => candidate.id === track)?.frameRate ?? 0;
  if (distance(stated) < stated * 0.005) return stated;
  const nearest = COMMON_RATES.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
  return distance(nearest) < nearest * 0.005 ? nearest : counted;
}
