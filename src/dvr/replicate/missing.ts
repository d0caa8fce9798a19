/** What of a peer's recording we lack. */
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

  /** Whether from a time on and up to another one nothing is recorded for so long somewhere. Units: microseconds. */
  hasGap(fromUs: number, toUs: number, minUs: number): boolean {
    let place = this.#placeFrom(fromUs);
    let atUs = Math.max(fromUs, this.#ends[place - 1] ?? fromUs);
    for (; place < this.#starts.length && this.#starts[place]! < toUs; place++) {
      if (this.#starts[place]! - atUs >= minUs) return true;
      atUs = Math.max(atUs, this.#ends[place]!);
    }
    return toUs - atUs >= minUs;
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
