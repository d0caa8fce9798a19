/** What of a peer's recording we lack. */
import type { DeletedSpan } from "../format/deleted-spans.ts";
import { SAME_US } from "../format/fill.ts";

/** When something is recorded. Units: microseconds of the media clock. */
export type RecordedSpan = { readonly startUs: number; readonly durationUs: number };

/** What is recorded, apart from each other. */
export class RecordedTimeline {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** `spans`: in any order; those that overlap one before them are left out. */
  constructor(spans: Iterable<RecordedSpan> = []) {
    for (const span of [...spans].sort((a, b) => a.startUs - b.startUs)) this.add(span);
  }

  get size(): number {
    return this.#starts.length;
  }

  /**
   * Takes a segment in, if nothing is recorded in its time: less than a millisecond does not count. Segments that have one
   * name, the millisecond of their start, are the same. Returns: whether it was taken.
   */
  add({ startUs, durationUs }: RecordedSpan): boolean {
    const place = this.#placeFrom(startUs);
    const endUs = startUs + durationUs;
    const [before, after] = [this.#starts[place - 1], this.#starts[place]];
    if (before !== undefined) {
      if (this.#ends[place - 1]! > startUs + SAME_US || nameOf(before) === nameOf(startUs)) return false;
    }
    if (after !== undefined && (after < endUs - SAME_US || nameOf(after) === nameOf(startUs))) return false;
    this.#starts.splice(place, 0, startUs);
    this.#ends.splice(place, 0, endUs);
    return true;
  }

  /**
   * Whether from a time on and up to another one nothing is recorded for so long somewhere, and nothing of that is deleted.
   * Units: microseconds.
   */
  hasGap(
    fromUs: number,
    toUs: number,
    { minUs, deleted }: { readonly minUs: number; readonly deleted: readonly DeletedSpan[] },
  ): boolean {
    const isGap = (from: number, to: number): boolean =>
      to - from >= minUs && longestUndeleted(from, to, deleted) >= minUs;
    let place = this.#placeFrom(fromUs);
    let atUs = Math.max(fromUs, this.#ends[place - 1] ?? fromUs);
    for (; place < this.#starts.length && this.#starts[place]! < toUs; place++) {
      if (isGap(atUs, this.#starts[place]!)) return true;
      atUs = Math.max(atUs, this.#ends[place]!);
    }
    return isGap(atUs, toUs);
  }

  #placeFrom(us: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! < us) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Those of some offers that have no part of what is deleted: who deletes wants none of it back. */
export function withoutDeleted<Offer extends RecordedSpan>(
  offers: readonly Offer[],
  deleted: readonly DeletedSpan[],
): Offer[] {
  const isMet = ({ startUs, durationUs }: Offer, { fromUs, toUs }: DeletedSpan): boolean =>
    fromUs < toUs && startUs < toUs - SAME_US && startUs + durationUs > fromUs + SAME_US;
  return offers.filter((offer) => !deleted.some((span) => isMet(offer, span)));
}

/** The longest stretch from a time on and before another one of which nothing is deleted. Units: microseconds. */
export function longestUndeleted(fromUs: number, toUs: number, deleted: readonly DeletedSpan[]): number {
  let [atUs, longestUs] = [fromUs, 0];
  for (const span of deleted.toSorted((a, b) => a.fromUs - b.fromUs)) {
    longestUs = Math.max(longestUs, Math.min(toUs, span.fromUs) - atUs);
    atUs = Math.max(atUs, span.toUs);
  }
  return Math.max(longestUs, toUs - atUs);
}

/** From when and up to when segments are wanted, on the media clock. Units: microseconds. */
export type WantedSpan = { readonly fromUs: number; readonly toUs: number };

/**
 * Of what is offered, what we lack: it lies in gaps of what we have, or behind it. `have` takes it in. Of several offers
 * for one time the first one is chosen.
 */
export function chooseMissing<Offer extends RecordedSpan>(
  have: RecordedTimeline,
  offers: readonly Offer[],
  wanted: WantedSpan,
): Offer[] {
  return offers.filter((offer) => {
    const { startUs, durationUs } = offer;
    return startUs >= wanted.fromUs && startUs + durationUs <= wanted.toUs && have.add(offer);
  });
}

function nameOf(us: number): number {
  return Math.floor(us / 1000);
}
