import { usToTicks } from "../../base/time.ts";
import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import {
  MAX_REFERENCED_BYTES,
  MAX_SEGMENT_REFERENCES,
  buildSegmentIndex,
  segmentIndexBytes,
} from "../../containers/mp4/segment-index.ts";
import type { Track } from "../../media/track.ts";
import { dvrExportErrors } from "./errors.ts";
import type { InBandSets } from "./parameter-sets.ts";
import { utcTime } from "./range-plan.ts";
import type { PlannedTrack, RangePlan } from "./range-plan.ts";

const MAX_U32 = 0xffff_ffff;

/** One track has one codec and one timescale. */
function checkConfigs({ id, configs }: PlannedTrack): void {
  const first = configs[0]!.track;
  for (const { track, startUs } of configs) {
    if (track.codec === first.codec && track.timescale === first.timescale) continue;
    throw dvrExportErrors.error("DVR_EXPORT_CODEC_CHANGE", {
      track: id,
      time: utcTime(startUs),
      before: nameOf(first),
      after: nameOf(track),
    });
  }
}

function nameOf({ codec, timescale }: Track): string {
  return `${codec} with ${timescale} ticks a second`;
}

/**
 * Builds what an exported MP4 file begins with: `ftyp`, `moov`, a `sidx` for each track.
 *
 * Ownership: the result is new. Throws: DVR_EXPORT_CODEC_CHANGE, CODEC_BAD_CONFIG.
 * Spec: ISO/IEC 14496-12 sections 4.3, 8.2, 8.8.2, 8.16.3.
 */
export function buildExportHead(plan: RangePlan, sets: InBandSets): Uint8Array {
  const tracks = plan.tracks.toSorted((a, b) => a.number - b.number);
  for (const track of tracks) checkConfigs(track);
  const firsts = tracks.map(({ configs }) => configs[0]!.track);
  const later = tracks.filter(({ configs }) => configs.length > 1);
  const init = buildInitSegment(firsts, {
    durationUs: plan.endUs - plan.startUs,
    startUs: plan.startUs,
    laterConfigs: new Map(later.map(({ id, configs }) => [id, configs.slice(1).map(({ track }) => track)])),
  });
  const indexes = tracks.map((track, i) => indexOf(plan, sets, track, tracks.length - 1 - i));
  return Buffer.concat([init, ...(indexes.includes(null) ? [] : (indexes as Uint8Array[]))]);
}

/**
 * A `sidx` of one track whose references are segments; several of them at a time where there are more than it can count.
 * Behind it stand `following` more, as each track has one: FFmpeg's demuxer looks for each track by itself, and loses its
 * way where only one has an index. (It also refuses references to further `sidx` boxes.) Returns: `null` where a reference
 * would be too long to be said.
 */
function indexOf(
  plan: RangePlan,
  sets: InBandSets,
  reference: PlannedTrack,
  following: number,
): Uint8Array | null {
  const { segments } = plan;
  const perReference = Math.ceil(segments.count / MAX_SEGMENT_REFERENCES);
  const count = Math.ceil(segments.count / perReference);
  const { timescale } = reference.configs[0]!.track;
  const sizes = new Uint32Array(count);
  const durations = new Uint32Array(count);
  const startsWithSap = new Uint8Array(count);
  let chunk = 0;
  let ticks = 0;
  for (let i = 0; i < count; i++) {
    const next = Math.min((i + 1) * perReference, segments.count);
    const isLast = next === segments.count;
    let sizeBytes = 0;
    for (const end = plan.chunksEnd(next - 1); chunk < end; chunk++) sizeBytes += sets.sizeOf(chunk);
    const endTicks = usToTicks((isLast ? plan.endUs : plan.playsAt(next)) - plan.startUs, timescale);
    if (sizeBytes > MAX_REFERENCED_BYTES || endTicks - ticks > MAX_U32) return null;
    sizes[i] = sizeBytes;
    durations[i] = endTicks - ticks;
    startsWithSap[i] = segments.independent[i * perReference]!;
    ticks = endTicks;
  }
  const trackNumber = reference.number;
  const firstOffsetBytes = following * segmentIndexBytes(count);
  const times = { trackNumber, timescale, earliestTicks: 0 };
  return buildSegmentIndex({ ...times, firstOffsetBytes, sizes, durations, startsWithSap });
}
