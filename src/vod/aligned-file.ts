import { ticksToUs } from "../base/time.ts";
import { makeTrackSet } from "../media/track.ts";
import type { IndexedTrack } from "./indexed-track.ts";
import type { MediaFile } from "./media-file.ts";
import { cutSegments } from "./segment-cuts.ts";
import type { SegmentCuts } from "./segment-cuts.ts";

/** How far a key frame may be from the place where the first quality is cut: less than a picture lasts. */
const TOLERANCE_US = 15_000;

/** Qualities of which both ends are this near to those of the first one are as long as it. */
const SAME_LENGTH_US = 1_000_000;

/** Places that a notice names. */
const MAX_NAMED = 4;

/**
 * The file without those of its qualities that cannot be cut where the first one is, because they have no key frame
 * there: a player that changes to one of them would show a part twice or lack one. A notice says at which times. Where a
 * quality has no pictures, before its begin or behind its end, it is not asked for key frames; a notice says that the
 * lengths differ. Files that are not sets of qualities stay as they are.
 */
export function alignedFile(file: MediaFile, segmentDurationUs: number): MediaFile {
  if (!file.isSet) return file;
  const { reference } = file.trackSet;
  const first = file.tracks.find(({ track }) => track === reference)!;
  const cuts = cutSegments(file.tracks, first, segmentDurationUs);
  const notices = [...file.notices];
  const kept = file.tracks.filter((track, place) => {
    if (track === first || track.track.kind !== "video") return true;
    const missedUs = missedCuts(track, cuts, cuts.samples[place]!);
    if (missedUs.length === 0) return true;
    notices.push(noticeOf(track, missedUs));
    return false;
  });
  if (kept.length === file.tracks.length) return withWarnings(file, first);
  const trackSet = makeTrackSet(
    file.trackSet.epoch,
    kept.map(({ track }) => track),
  );
  // What was left out may have been what the others were cut by behind the end of the first one.
  return alignedFile({ ...file, tracks: kept, trackSet, notices }, segmentDurationUs);
}

/** Places inside a track where a segment begins at a key frame of another one, and it has none. Units: microseconds. */
function missedCuts(track: IndexedTrack, cuts: SegmentCuts, samples: Uint32Array): number[] {
  const [startUs, endUs] = [track.startUs, track.endUs - TOLERANCE_US];
  const missed: number[] = [];
  // With the first segment everything begins, wherever its first key frame is.
  for (let i = 1; i < cuts.count; i++) {
    const us = cuts.boundsUs[i]!;
    if (cuts.atKeyFrame[i] === 0 || us < startUs || us > endUs) continue;
    if (Math.abs(playsUs(track, samples[i]!) - us) > TOLERANCE_US) missed.push(us);
  }
  return missed;
}

/** When a sample is shown, in microseconds; infinity behind the last one. */
function playsUs(indexed: IndexedTrack, sample: number): number {
  return sample < indexed.end ? ticksToUs(indexed.ptsAt(sample), indexed.track.timescale) : Infinity;
}

function noticeOf(indexed: IndexedTrack, missedUs: readonly number[]): string {
  const named = missedUs.slice(0, MAX_NAMED).map((us) => (us / 1e6).toFixed(3));
  const more = missedUs.length > MAX_NAMED ? ` and ${missedUs.length - MAX_NAMED} more` : "";
  return (
    `quality ${nameOf(indexed)} is left out: it has no key frame where the first one is cut, ` +
    `at ${named.join(", ")} s${more}; encode all qualities with the same key frames`
  );
}

/** The file, with notices about qualities that stay, and that a player may have trouble with all the same. */
function withWarnings(file: MediaFile, first: IndexedTrack): MediaFile {
  const qualities = file.tracks.filter(({ track }) => track.kind === "video");
  const notices = qualities
    .filter((track) => !isAsLong(track, first))
    .map(
      (track) =>
        `lengths differ: quality ${nameOf(track)} plays ${spanOf(track)}, and the first one ${spanOf(first)}; ` +
        "there is nothing to change to where only one of them plays",
    );
  const open = qualities.filter((indexed) => indexed.track.codec === "h264" && indexed.hasOpenGops);
  if (qualities.length > 1 && open.length > 0)
    notices.push(
      `${open.map(nameOf).join(", ")} with open GOPs: pictures behind a key frame need those before it, and browsers ` +
        "may stop where a viewer seeks or the quality changes; encode H.264 with closed GOPs",
    );
  return notices.length === 0 ? file : { ...file, notices: [...file.notices, ...notices] };
}

function isAsLong({ startUs, endUs }: IndexedTrack, first: IndexedTrack): boolean {
  const farthestUs = Math.max(Math.abs(startUs - first.startUs), Math.abs(endUs - first.endUs));
  return farthestUs <= SAME_LENGTH_US;
}

function nameOf({ track }: IndexedTrack): string {
  return `${track.id} (${track.width}x${track.height})`;
}

function spanOf({ startUs, endUs }: IndexedTrack): string {
  return `from ${(startUs / 1e6).toFixed(3)} to ${(endUs / 1e6).toFixed(3)} s`;
}
