import { ticksToUs } from "../base/time.ts";
import { makeTrackSet } from "../media/track.ts";
import type { IndexedTrack } from "./indexed-track.ts";
import type { MediaFile } from "./media-file.ts";
import { cutSegments } from "./segment-cuts.ts";

/** How far a key frame may be from the place where the first quality is cut: less than a picture lasts. */
const TOLERANCE_US = 15_000;

/** Places that a notice names. */
const MAX_NAMED = 4;

/**
 * The file without those of its qualities that cannot be cut where the first one is, because they have no key frame
 * there: a player that changes to one of them would show a part twice or lack one. A notice says at which times. Files
 * that are not sets of qualities stay as they are.
 */
export function alignedFile(file: MediaFile, segmentDurationUs: number): MediaFile {
  if (!file.isSet) return file;
  const { reference } = file.trackSet;
  const first = file.tracks.find(({ track }) => track === reference)!;
  const cuts = cutSegments(file.tracks, first, segmentDurationUs);
  const notices = [...file.notices];
  const placeOfFirst = file.tracks.indexOf(first);
  const cutsUs = Array.from({ length: cuts.count }, (_, i) =>
    playsUs(first, cuts.samples[placeOfFirst]![i]!),
  );
  const kept = file.tracks.filter((track, place) => {
    if (track === first || track.track.kind !== "video") return true;
    const samples = cuts.samples[place]!;
    const missedUs = cutsUs.filter((us, i) => {
      const distanceUs = Math.abs(playsUs(track, samples[i]!) - us);
      return cuts.independent[i] === 1 && !(distanceUs <= TOLERANCE_US);
    });
    if (missedUs.length === 0) return true;
    notices.push(noticeOf(track, missedUs));
    return false;
  });
  if (kept.length === file.tracks.length) return file;
  const tracks = kept.map(({ track }) => track);
  return { ...file, tracks: kept, trackSet: makeTrackSet(file.trackSet.epoch, tracks), notices };
}

/** When a sample is shown, in microseconds; infinity behind the last one. */
function playsUs(indexed: IndexedTrack, sample: number): number {
  return sample < indexed.end ? ticksToUs(indexed.ptsAt(sample), indexed.track.timescale) : Infinity;
}

function noticeOf({ track }: IndexedTrack, missedUs: readonly number[]): string {
  const named = missedUs.slice(0, MAX_NAMED).map((us) => (us / 1e6).toFixed(3));
  const more = missedUs.length > MAX_NAMED ? ` and ${missedUs.length - MAX_NAMED} more` : "";
  return (
    `quality ${track.id} (${track.width}x${track.height}) is left out: it has no key frame where the first one is cut, ` +
    `at ${named.join(", ")} s${more}; encode all qualities with the same key frames`
  );
}
