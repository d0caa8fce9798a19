import type { TrackId } from "../../media/ids.ts";

const KINDS = ["v", "a", "t"];

/** The id of the track of a number that `trackNumber` makes; `null` for any other. */
export function trackIdOf(number: number): TrackId | null {
  const kind = KINDS[Math.floor(number / 100)];
  const ordinal = number % 100;
  return kind === undefined || !(ordinal >= 1) ? null : (`${kind}${ordinal}` as TrackId);
}

/** First numbers of the kinds: `v1` is 1, `a1` is 101, `t1` is 201. */
const BASES: Readonly<Record<string, number>> = { v: 0, a: 100, t: 200 };

/**
 * The track_ID of a track in MP4, made of its id alone: `v1` is 1, `v2` is 2, `a1` is 101, `t1` is 201.
 *
 * It is the same in every selection of tracks, so that fragment headers can be cut once per track. Ordinals go to 99.
 */
export function trackNumber(id: TrackId): number {
  const base = BASES[id[0] ?? ""];
  let ordinal = 0;
  for (let i = 1; i < id.length; i++) {
    const digit = id.charCodeAt(i) - 48;
    ordinal = digit >= 0 && digit <= 9 ? ordinal * 10 + digit : NaN;
  }
  if (base !== undefined && ordinal >= 1 && ordinal <= 99) return base + ordinal;
  throw new RangeError(`no track number for track id "${id}"`);
}
