/** An hour as those who play it see it: what was recorded here, and in its gaps what was copied from a peer. */
import { segmentName } from "../../packaging/live-segment.ts";
import { isBehindDeleted, isDeletedAt } from "../format/deleted-spans.ts";
import type { DeletedSpans } from "../format/deleted-spans.ts";
import { FIRST_FILL_FILE, SAME_US } from "../format/fill.ts";
import type { NumberShift } from "../format/fill-numbers.ts";
import type { HourChunk, HourIndex, HourSegment } from "../format/hour-index.ts";

/** What readers need of an hour. Segments are known by their places, in the order of their starts. */
export type HourView = Pick<
  HourIndex,
  | "hour"
  | "segmentCount"
  | "memoryBytes"
  | "readBytes"
  | "deletedBytes"
  | "writtenUs"
  | "segment"
  | "chunks"
  | "placeFrom"
  | "placeAt"
  | "placeOfName"
>;

/** What of an hour is where: a place of the recorder's index, or of the fills'. */
type Row = {
  readonly isFill: boolean;
  readonly place: number;
  /** As playlists number it within the hour: fills count. */
  readonly ordinal: number;
  readonly discontinuities: number;
  /** The timeline breaks before it only for what is deleted. */
  readonly isBehindDeleted: boolean;
};

/** Where numbers stand. */
type Numbers = Pick<HourSegment, "ordinal" | "discontinuities">;

const SEGMENT_NAME = /^(?:0|[1-9][0-9]{0,15})$/;
const ROW_BYTES = 64;

/**
 * The recorder's index of an hour and that of its fills as one. What was recorded here goes first: a fill that overlaps it
 * is not shown, also where that was deleted. `FIRST_FILL_FILE` and the number of a fill's media file make its `file`.
 *
 * Memory: 64 bytes a segment besides the indexes.
 */
export class MergedHour implements HourView {
  readonly hour: number;
  readonly #own: HourIndex | null;
  readonly #fills: HourIndex;
  readonly #before: Numbers;
  readonly #deleted: DeletedSpans;
  #rows: readonly Row[];
  #starts: Float64Array;
  #ownCount: number;

  /**
   * `own`: `null` where nothing was recorded here. `before`: of the last segment that was recorded before the hour. Both
   * indexes have what is deleted, so that it keeps its numbers; it is not shown.
   */
  constructor(
    own: HourIndex | null,
    fills: HourIndex,
    { before, deleted }: { readonly before: Numbers; readonly deleted: DeletedSpans },
  ) {
    this.#before = before;
    this.#deleted = deleted;
    this.hour = fills.hour;
    this.#own = own;
    this.#fills = fills;
    this.#rows = this.#shownRows();
    this.#starts = this.#startsOf(this.#rows);
    this.#ownCount = own?.segmentCount ?? 0;
  }

  get segmentCount(): number {
    return this.#rows.length;
  }

  get memoryBytes(): number {
    return (this.#own?.memoryBytes ?? 0) + this.#fills.memoryBytes + this.#rows.length * ROW_BYTES;
  }

  /** Bytes of both indexes. */
  get readBytes(): number {
    return (this.#own?.readBytes ?? 0) + this.#fills.readBytes;
  }

  /** Of the recorder's index, as long as there is one. */
  get writtenUs(): number {
    return (this.#own ?? this.#fills).writtenUs;
  }

  /** See `HourIndex.deletedBytes`. */
  get deletedBytes(): number {
    return this.#deleted.wholeBytes;
  }

  /** Whether this is of these two indexes, and has the same deleted. */
  isOf(own: HourIndex | null, fills: HourIndex | null, { wholeBytes }: DeletedSpans): boolean {
    return own === this.#own && fills === this.#fills && wholeBytes === this.#deleted.wholeBytes;
  }

  /**
   * Takes in what has come to the recorder's index since. Returns: `false`, and nothing is changed, when that changes what
   * stands at the places that were there: then there has to be another one.
   */
  readOn(): boolean {
    if ((this.#own?.segmentCount ?? 0) === this.#ownCount) return true;
    const rows = this.#shownRows();
    const isLonger = this.#rows.every(
      ({ isFill, place }, i) => rows[i]?.isFill === isFill && rows[i].place === place,
    );
    if (!isLonger) return false;
    this.#rows = rows;
    this.#starts = this.#startsOf(rows);
    this.#ownCount = this.#own?.segmentCount ?? 0;
    return true;
  }

  /** Fills that have numbers, and those before which the timeline breaks. */
  fillCounts(): NumberShift {
    let [segments, breaks] = [0, 0];
    for (const { isFill, place } of rowsOf(this.#own, this.#fills, this.#before)) {
      if (!isFill) continue;
      segments++;
      if (this.#fills.segment(place).discontinuity) breaks++;
    }
    return { segments, breaks };
  }

  /** As `HourIndex.segment`, with numbers that count the fills of the hour too. */
  segment(place: number): HourSegment {
    const { isFill, place: at, ordinal, discontinuities, isBehindDeleted: isBehind } = this.#row(place);
    const segment = (isFill ? this.#fills : this.#own!).segment(at);
    return {
      ...segment,
      ...{ ordinal, discontinuities, isBehindDeleted: isBehind },
      discontinuity: segment.discontinuity || isBehind,
      file: segment.file + (isFill ? FIRST_FILL_FILE : 0),
    };
  }

  chunks(place: number, trackNumber?: number): HourChunk[] {
    const row = this.#row(place);
    return (row.isFill ? this.#fills : this.#own!).chunks(row.place, trackNumber);
  }

  placeFrom(us: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! < us) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  placeAt(us: number): number {
    const place = this.placeFrom(us);
    return place < this.segmentCount && this.#starts[place] === us ? place : place - 1;
  }

  placeOfName(name: string): number {
    if (!SEGMENT_NAME.test(name)) return -1;
    const place = this.placeFrom(Number(name) * 1000);
    return place < this.segmentCount && segmentName(this.#starts[place]!) === name ? place : -1;
  }

  #shownRows(): Row[] {
    const rows = rowsOf(this.#own, this.#fills, this.#before);
    if (this.#deleted.spans.length === 0) return rows;
    const shown: Row[] = [];
    let beforeUs = -Infinity;
    for (const row of rows) {
      const { startUs, discontinuity } = (row.isFill ? this.#fills : this.#own!).segment(row.place);
      if (isDeletedAt(this.#deleted, startUs)) continue;
      const isBehind = !discontinuity && isBehindDeleted(this.#deleted, beforeUs, startUs);
      shown.push({ ...row, isBehindDeleted: isBehind });
      beforeUs = startUs;
    }
    return shown;
  }

  #row(place: number): Row {
    const row = this.#rows[place];
    if (row === undefined) throw new RangeError(`no segment at place ${place}`);
    return row;
  }

  #startsOf(rows: readonly Row[]): Float64Array {
    return Float64Array.from(
      rows,
      ({ isFill, place }) => (isFill ? this.#fills : this.#own!).segment(place).startUs,
    );
  }
}

/** Both in order of their starts, without those fills that overlap what was recorded, or would have its names. */
function rowsOf(own: HourIndex | null, fills: HourIndex, before: Numbers): Row[] {
  const rows: Row[] = [];
  const count = own?.segmentCount ?? 0;
  let numbers = count === 0 ? before : numbersBefore(own!.segment(0));
  let shift: NumberShift = { segments: 0, breaks: 0 };
  let [at, endUs, lastMs] = [0, -Infinity, -Infinity];
  const add = (isFill: boolean, place: number, { startUs, durationUs }: HourSegment): void => {
    const ordinal = numbers.ordinal + shift.segments;
    const discontinuities = numbers.discontinuities + shift.breaks;
    rows.push({ isFill, place, ordinal, discontinuities, isBehindDeleted: false });
    endUs = startUs + durationUs;
    lastMs = Math.floor(startUs / 1000);
  };
  const takeOwn = (beforeUs: number): void => {
    for (; at < count; at++) {
      const segment = own!.segment(at);
      if (segment.startUs >= beforeUs) return;
      numbers = segment;
      add(false, at, segment);
    }
  };
  for (let place = 0; place < fills.segmentCount; place++) {
    const fill = fills.segment(place);
    const { startUs, durationUs, discontinuity } = fill;
    takeOwn(startUs);
    const nextUs = at < count ? own!.segment(at).startUs : Infinity;
    const ms = Math.floor(startUs / 1000);
    const fits = startUs >= endUs - SAME_US && startUs + durationUs <= nextUs + SAME_US;
    if (!fits || ms <= lastMs || ms >= Math.floor(nextUs / 1000)) continue;
    shift = { segments: shift.segments + 1, breaks: shift.breaks + (discontinuity ? 1 : 0) };
    add(true, place, fill);
  }
  takeOwn(Infinity);
  return rows;
}

/** Of the segment before one, whose numbers follow by one. */
function numbersBefore({ ordinal, discontinuity, discontinuities }: HourSegment): Numbers {
  return { ordinal: Math.max(0, ordinal - 1), discontinuities: discontinuities - (discontinuity ? 1 : 0) };
}
