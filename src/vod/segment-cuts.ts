import { ticksToUs } from "../base/time.ts";
import { mp4Errors } from "../containers/mp4/errors.ts";
import type { IndexedTrack } from "./indexed-track.ts";

/** Where a file is cut into segments: `count` of them, each with its times and its samples of every track. */
export type SegmentCuts = {
  readonly count: number;
  /** Start of each segment in microseconds, and the end of the last one. */
  readonly boundsUs: Float64Array;
  /** 1: the segment begins where a decoder may start. */
  readonly independent: Uint8Array;
  /** 1: it begins at a key frame of the video track that is cut there. The first one may begin with sound before that. */
  readonly atKeyFrame: Uint8Array;
  /** For each track the first sample of each segment, and the end of the last one. */
  readonly samples: readonly Uint32Array[];
};

/** Key frames this much before the wanted duration end a segment too: 9.9 s for a wanted 10 s is not half of 20 s. */
const EARLY_PART = 0.1;
/** A segment without a key frame to end it is cut at any frame when it is this long ... */
const FORCED_CUT_US = 30_000_000;
/** ... or has this many bytes of the reference track, and is at least so long that names stay unique. */
const FORCED_CUT_BYTES = 48 * 2 ** 20;
const MIN_FORCED_CUT_US = 500_000;

const MILLISECOND_US = 1000;
/** Segments have some length whatever the file says, and names in milliseconds that are unique. */
const MIN_SEGMENT_US = 1000;

/** Segments of a file: two days in segments of a second, each with a key frame that is a little early. */
const MAX_SEGMENTS = 200_000;
/**
 * A file has no more segments than samples, and some for the times when nothing plays. A track of a few samples that
 * an edit list or a wrong duration puts hours behind the others would have tens of thousands.
 */
const MAX_EMPTY_SEGMENTS = 100;

type Cut = { sample: number; us: number; isIndependent: boolean; isAtKeyFrame: boolean };

/**
 * Cuts a file at the key frames of its reference track, each segment about `targetUs` long. Where that track has nothing
 * any more, at those of the next video track that has; where no video track has anything, and where the reference is
 * audio, by time. Other tracks' samples belong to the segment in which they start; other video is cut at its next key
 * frame.
 *
 * Units: microseconds. Throws: MP4_LIMIT for more segments than a file may have.
 */
export function cutSegments(
  tracks: readonly IndexedTrack[],
  reference: IndexedTrack,
  targetUs: number,
): SegmentCuts {
  const startUs = Math.min(...tracks.map((track) => track.startUs));
  const endUs = Math.max(...tracks.map((track) => track.endUs));
  const sampleCount = tracks.reduce((sum, { first, end }) => sum + end - first, 0);
  const limit = Math.min(MAX_SEGMENTS, sampleCount + MAX_EMPTY_SEGMENTS);
  const found = cutsOf(reference, { from: reference.first, targetUs, limit });
  const first = found[0]!;
  // What plays long before or after the tracks with key frames is cut by time.
  const countBefore = Math.max(0, Math.floor((first.us - startUs) / targetUs));
  let coveredUs = Math.max(reference.endUs, found.at(-1)!.us + targetUs);
  let videoEndUs = reference.endUs;
  for (const track of reference.track.kind === "video" ? tracks : []) {
    const fromUs = Math.max(videoEndUs, Math.ceil(found.at(-1)!.us + wantedOf(targetUs)));
    const next = cutsBehind(track, { fromUs, targetUs, limit });
    if (next.length === 0) continue;
    for (const cut of next) found.push({ ...cut, sample: reference.end });
    videoEndUs = track.endUs;
    coveredUs = Math.max(videoEndUs, found.at(-1)!.us + targetUs);
  }
  const countAfter = Math.max(0, Math.floor((endUs - coveredUs) / targetUs + 0.5));
  checkCount(countBefore + found.length + countAfter, limit);
  const before = cutsByTime(countBefore, { fromUs: startUs, targetUs, sample: reference.first });
  const after = cutsByTime(countAfter, { fromUs: coveredUs, targetUs, sample: reference.end });
  if (countBefore === 0) first.us = startUs;
  const cuts = before.concat(found, after);
  const boundsUs = new Float64Array(cuts.length + 1);
  for (const [i, cut] of cuts.entries()) boundsUs[i] = cut.us;
  boundsUs[cuts.length] = Math.max(endUs, cuts.at(-1)!.us + MIN_SEGMENT_US);
  return {
    count: cuts.length,
    boundsUs,
    independent: Uint8Array.from(cuts, ({ isIndependent }) => (isIndependent ? 1 : 0)),
    atKeyFrame: Uint8Array.from(cuts, ({ isAtKeyFrame }) => (isAtKeyFrame ? 1 : 0)),
    samples: tracks.map((track) =>
      track === reference ? referenceSamples(track, cuts) : samplesAt(track, boundsUs),
    ),
  };
}

function checkCount(count: number, limit: number): void {
  if (count > limit)
    throw mp4Errors.error("MP4_LIMIT", { what: "a number of segments", value: count, limit });
}

/** Key frames this much before the target end a segment too. Units: microseconds. */
function wantedOf(targetUs: number): number {
  return targetUs * (1 - EARLY_PART);
}

type CutRequest = { readonly targetUs: number; readonly limit: number };

/** Cuts of a track from a sample on. */
function cutsOf(indexed: IndexedTrack, request: CutRequest & { readonly from: number }): Cut[] {
  const { track, samples, end } = indexed;
  const { from, targetUs, limit } = request;
  const isIndependent = samples.isSync(from);
  const isAtKeyFrame = isIndependent && track.kind === "video";
  const cuts: Cut[] = [
    { sample: from, us: ticksToUs(indexed.ptsAt(from), track.timescale), isIndependent, isAtKeyFrame },
  ];
  for (;;) {
    const last = cuts.at(-1)!;
    const next = nextCut(indexed, last, wantedOf(targetUs));
    if (next.sample >= end) return cuts;
    const us = Math.max(next.us, last.us + MIN_SEGMENT_US);
    cuts.push({ ...next, us });
    checkCount(cuts.length, limit);
  }
}

/** Cuts of a video track that goes on where those before it have ended, and by time until it begins. */
function cutsBehind(indexed: IndexedTrack, request: CutRequest & { readonly fromUs: number }): Cut[] {
  const { fromUs, targetUs, limit } = request;
  if (indexed.track.kind !== "video" || indexed.endUs - fromUs < targetUs / 2) return [];
  const reorderUs = indexed.longestReorderUs;
  const from = keyFrameAt(indexed, { from: indexed.first, us: fromUs, reorderUs });
  if (from >= indexed.end) return [];
  const cuts = cutsOf(indexed, { from, targetUs, limit });
  const countBefore = Math.max(0, Math.floor((indexed.startUs - fromUs) / targetUs));
  checkCount(countBefore, limit);
  return cutsByTime(countBefore, { fromUs, targetUs, sample: from }).concat(cuts);
}

function nextCut(reference: IndexedTrack, last: Cut, wantedUs: number): Cut {
  const { timescale } = reference.track;
  const lateUs = reference.reorderUs;
  const dtsUs = ticksToUs(reference.dtsAt(last.sample), timescale);
  const atKeyFrame = reference.syncAtOrAfter(
    Math.max(last.sample + 1, reference.sampleAtOrAfter(dtsUs + wantedUs)),
  );
  const tooLong = Math.max(
    last.sample + 1,
    reference.sampleAtOrAfter(dtsUs + Math.max(FORCED_CUT_US, wantedUs)),
  );
  const limit = Math.min(atKeyFrame, tooLong);
  const sample = cutByBytes(reference, last.sample, limit, dtsUs);
  const isIndependent = sample === atKeyFrame;
  const us = isIndependent
    ? ticksToUs(reference.ptsAt(sample), timescale)
    : ticksToUs(reference.dtsAt(sample), timescale) + lateUs;
  return { sample, us, isIndependent, isAtKeyFrame: isIndependent && reference.track.kind === "video" };
}

/** `limit`, or the place before it at which a segment that begins at `first` has too many bytes. */
function cutByBytes(reference: IndexedTrack, first: number, limit: number, dtsUs: number): number {
  const { samples } = reference;
  if (samples.bytesBetween(first, limit) <= FORCED_CUT_BYTES) return limit;
  let bytes = 0;
  let sample = first;
  while (sample < limit && bytes + samples.sizeAt(sample) <= FORCED_CUT_BYTES)
    bytes += samples.sizeAt(sample++);
  const earliest = Math.max(first + 1, reference.sampleAtOrAfter(dtsUs + MIN_FORCED_CUT_US));
  return Math.min(limit, Math.max(sample, earliest));
}

/** Segments in which no video track that is cut has anything; `sample` is the next one. */
function cutsByTime(count: number, from: { fromUs: number; targetUs: number; sample: number }): Cut[] {
  const { fromUs, targetUs, sample } = from;
  return Array.from({ length: count }, (_, i) => ({
    sample,
    us: fromUs + i * targetUs,
    isIndependent: true,
    isAtKeyFrame: false,
  }));
}

function referenceSamples(track: IndexedTrack, cuts: readonly Cut[]): Uint32Array {
  const firsts = new Uint32Array(cuts.length + 1);
  for (const [i, cut] of cuts.entries()) firsts[i] = cut.sample;
  firsts[cuts.length] = track.end;
  return firsts;
}

function samplesAt(track: IndexedTrack, boundsUs: Float64Array): Uint32Array {
  const firsts = new Uint32Array(boundsUs.length).fill(track.end);
  firsts[0] = track.first;
  const reorderUs = track.longestReorderUs;
  for (let i = 1; i < boundsUs.length - 1; i++) {
    const from = firsts[i - 1]!;
    const boundUs = boundsUs[i]!;
    firsts[i] =
      track.track.kind === "video"
        ? keyFrameAt(track, { from, us: boundUs, reorderUs })
        : Math.max(from, track.sampleAtOrAfter(boundUs));
  }
  return firsts;
}

/**
 * The first key frame from sample `from` on that plays at `us` or later, within a millisecond. None of those that do is
 * decoded more than `reorderUs` before; what is looked at is never looked at again for the next place.
 */
function keyFrameAt(track: IndexedTrack, place: { from: number; us: number; reorderUs: number }): number {
  const { timescale } = track.track;
  const earliestUs = place.us - MILLISECOND_US;
  const decoded = track.sampleAtOrAfter(Math.max(0, earliestUs - place.reorderUs - MILLISECOND_US));
  let sample = track.syncAtOrAfter(Math.max(place.from, decoded));
  while (sample < track.end && ticksToUs(track.ptsAt(sample), timescale) < earliestUs) {
    sample = track.syncAtOrAfter(sample + 1);
  }
  return sample;
}
