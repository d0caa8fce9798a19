import { HOUR_US } from "./hour.ts";
import { RECORD_FLAG, RECORD_KIND, emptyRecord } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";
import type { IndexTail } from "./index-tail.ts";

/** How the last segment of an index ended. */
export type LastSegment = {
  /** Its end record, as it stands there or as it has to be appended; `null`: there is no segment. */
  readonly end: IndexRecord | null;
  /** It has to be appended. */
  readonly isEndMissing: boolean;
};

/** A segment without an end record, as its chunks are found from the last one to the first. */
type OpenSegment = {
  readonly newest: IndexRecord;
  /** When the last sample of each track ends, on the media clock. */
  readonly endsUs: Map<number, number>;
};

/** Names of segments count milliseconds: a shorter one would share its name with the next. */
const MIN_DURATION_US = 1000;
const MAX_DURATION_US = 2 ** 32 - 1;

/** Finds the last segment among the first `count` records, or makes the end record that it lacks. */
export async function findLastSegment(tail: IndexTail, count: number, hour: number): Promise<LastSegment> {
  let open: OpenSegment | null = null;
  // Chunks whose segment did not begin where it should have: no reader lists it.
  let isLost = false;
  for (let number = count - 1; number >= 0; number--) {
    const record = await tail.at(number);
    if (record === null) break;
    if (record.kind === RECORD_KIND.segmentEnd) return { end: record, isEndMissing: false };
    if (record.kind !== RECORD_KIND.chunk || isLost) continue;
    open ??= { newest: record, endsUs: new Map() };
    isLost = record.ordinal !== open.newest.ordinal;
    if (isLost) continue;
    const endUs = record.startUs + record.durationUs;
    const { trackNumber } = record;
    open.endsUs.set(trackNumber, Math.max(endUs, open.endsUs.get(trackNumber) ?? 0));
    if ((record.flags & RECORD_FLAG.segmentStart) === 0) continue;
    const before = number > 0 ? await tail.at(number - 1) : null;
    const isItsStart = before?.kind === RECORD_KIND.segmentStart && before.ordinal === record.ordinal;
    const startUs = isItsStart ? before.startUs : Math.max(record.startUs, hour * HOUR_US);
    return { end: makeEnd(open, record, startUs), isEndMissing: true };
  }
  return { end: null, isEndMissing: false };
}

/** A track that ends so much before others had stopped before the kill came. Units: microseconds. */
const STOPPED_US = 1_000_000;

/** Numbers of tracks that are video or audio, not text. */
const FIRST_TEXT_TRACK = 200;

/**
 * The end record of a segment that lasts until the first of its pictures and its sound ends: sound comes later than the
 * pictures, and what stands alone would be a hole for players. The track of its first chunk begins with the segment, whose
 * start is when a picture is shown: what that is later than the picture's decoding, its end is later too.
 */
function makeEnd({ newest, endsUs }: OpenSegment, first: IndexRecord, startUs: number): IndexRecord {
  const leadUs = startUs - first.startUs;
  const all = [...endsUs].map(([number, us]) => (number === first.trackNumber ? us + leadUs : us));
  const seenAndHeard = all.filter((_, i) => [...endsUs.keys()][i]! < FIRST_TEXT_TRACK);
  const longestUs = Math.max(...(seenAndHeard.length > 0 ? seenAndHeard : all));
  const shortestUs = Math.min(longestUs, ...seenAndHeard.filter((us) => us >= longestUs - STOPPED_US));
  const endUs = Math.max(startUs + MIN_DURATION_US, shortestUs);
  const { discontinuity, independent, groupEnd } = RECORD_FLAG;
  return {
    ...emptyRecord(),
    kind: RECORD_KIND.segmentEnd,
    flags: groupEnd | (first.flags & (discontinuity | independent)),
    ordinal: first.ordinal,
    startUs,
    utcUs: newest.utcUs,
    durationUs: Math.min(endUs - startUs, MAX_DURATION_US),
    discontinuities: first.discontinuities,
    file: first.file,
    sequence: first.sequence,
  };
}
