import { silentFrameOf } from "../codecs/silence.ts";
import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import type { LiveEdge, OpenSegmentEntry, SegmentEntry } from "./presentation.ts";

/** A segment that is listed before it is complete, with the length that it is expected to have. */
export type GrowingSegment = SegmentEntry & {
  /** It has not begun yet. */
  readonly isExpected: boolean;
};

/**
 * The segment that grows, and the one that is expected after it where segments come regularly: the last two were as long
 * as each other, to the millisecond. A name that is guessed is worth asking for only when it comes true.
 */
export function growingSegments({ timeline, open }: LiveEdge): readonly GrowingSegment[] {
  if (open === null) return [];
  const [before, last] = timeline.segments.slice(-2);
  const newest = last ?? before!;
  const goesOn = !open.discontinuity && open.tracks === newest.tracks;
  if (!goesOn && !areCertain(open.tracks)) return [];
  const durationUs = goesOn ? newest.durationUs : timeline.targetDurationUs;
  const stretchStartUs = goesOn ? newest.stretchStartUs : open.startUs;
  // Within a stretch all segments have sound of the same tracks.
  const has = (id: TrackId): boolean =>
    goesOn ? newest.trackSamples(id) > 0 : open.tracks.tracks.some((track) => track.id === id);
  const growing = entryOf(open, { durationUs, stretchStartUs, isExpected: false, has });
  const isRegular =
    goesOn &&
    last !== undefined &&
    before!.stretchStartUs === last.stretchStartUs &&
    lengthMs(before!) === lengthMs(last) &&
    Number(last.name) + lengthMs(last) === Number(open.name);
  if (!isRegular) return [growing];
  const startMs = Number(open.name) + lengthMs(last);
  const next = {
    ...open,
    sequence: open.sequence + 1,
    name: String(startMs),
    startUs: startMs * 1000,
    isIndependent: true,
    dependent: [],
  };
  return [growing, entryOf(next, { durationUs, stretchStartUs, isExpected: true, has })];
}

/**
 * Whether a stretch that begins has media of all tracks of its set: it begins with the reference track, and sound that does
 * not come is filled. Where it may come without one of them, it is listed once that is known: see `stretchStartUs`.
 */
function areCertain({ tracks, reference }: TrackSet): boolean {
  return tracks.every((track) => {
    const isFilled = reference.kind === "video" && silentFrameOf(track) !== null;
    return track === reference || track.kind === "text" || isFilled;
  });
}

/** As names have it. */
function lengthMs({ name, startUs, durationUs }: SegmentEntry): number {
  return Math.floor((startUs + durationUs) / 1000) - Number(name);
}

function entryOf(
  open: Omit<OpenSegmentEntry, "parts">,
  {
    has,
    ...expected
  }: Pick<GrowingSegment, "durationUs" | "stretchStartUs" | "isExpected"> & {
    readonly has: (id: TrackId) => boolean;
  },
): GrowingSegment {
  const { sequence, name, startUs, utcUs, tracks, discontinuity, isIndependent, dependent } = open;
  return {
    ...{ sequence, name, startUs, utcUs, tracks, discontinuity, isIndependent },
    ...(dependent === undefined ? {} : { dependent }),
    ...expected,
    trackBytes: () => 0,
    trackSamples: (id) => (has(id) ? 1 : 0),
    trackUs: (id) => (has(id) ? expected.durationUs : 0),
  };
}
