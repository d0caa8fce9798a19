/** What becomes of the time between stretches of a range: nothing is left of it, or it stays. */
export type Gaps = "closed" | "kept";

/** A track's chunks of one stretch. */
type TrackSpan = { startUs: number; endUs: number; readonly marginUs: number };

/** What says when the stretches of a range play. */
export type PlanClock = Pick<StretchClock, "begin" | "addChunk" | "addSegment" | "finish" | "endUs">;

/** Moves all stretches by the same time: for pieces of what has a clock already. */
export class FixedClock implements PlanClock {
  readonly #shiftUs: number;
  #endUs = 0;

  constructor(shiftUs: number) {
    this.#shiftUs = shiftUs;
  }

  /** Where the last segment or chunk ends. Units: microseconds. */
  get endUs(): number {
    return this.#endUs + this.#shiftUs;
  }

  /** See `StretchClock.begin`. */
  begin(): void {}

  /** See `StretchClock.addChunk`. */
  addChunk(_track: number, _timescale: number, startUs: number, durationUs: number): void {
    this.addSegment(startUs + durationUs);
  }

  /** See `StretchClock.addSegment`. */
  addSegment(endUs: number): void {
    this.#endUs = Math.max(this.#endUs, endUs);
  }

  /** See `StretchClock.finish`. */
  finish(): number {
    return this.#shiftUs;
  }
}

/**
 * Puts the stretches of a range on one clock that begins at 0. A stretch is what has no gap in it; all that lies in one
 * moves by the same time, so its tracks keep their distances.
 *
 * A stretch begins to play where the one before it ends, or, where gaps are kept, as far behind it as it was recorded. No
 * track is decoded again in front of where it was before: a stretch whose pictures are decoded earlier before they are
 * shown comes so much later. Times here are rounded down to microseconds, and again to ticks when tracks are moved; the
 * margins have room for both.
 */
export class StretchClock {
  readonly #gaps: Gaps;
  /** Where each track of the stretches so far ends on the export's clock. */
  readonly #ends = new Map<number, number>();
  #spans = new Map<number, TrackSpan>();
  /** Where the open stretch begins and ends to play, on the media clock. */
  #startUs = 0;
  #endUs = 0;
  /** Of the first stretch. */
  #firstShiftUs: number | null = null;
  /** Where what is shifted so far ends, decoded and shown. */
  #shownUs = 0;

  constructor(gaps: Gaps) {
    this.#gaps = gaps;
  }

  /** Where the newest finished stretch ends, on the export's clock. Units: microseconds. */
  get endUs(): number {
    let endUs = this.#shownUs;
    for (const end of this.#ends.values()) endUs = Math.max(endUs, end);
    return endUs;
  }

  /** The next stretch begins to play. Units: microseconds, media clock. */
  begin(startUs: number): void {
    this.#startUs = startUs;
    this.#endUs = startUs;
    this.#spans = new Map();
  }

  /** A chunk of a track, of so many ticks a second, is in the stretch. */
  addChunk(track: number, timescale: number, startUs: number, durationUs: number): void {
    const endUs = startUs + durationUs;
    const span = this.#spans.get(track);
    if (span === undefined) {
      this.#spans.set(track, { startUs, endUs, marginUs: 2 + Math.ceil(1_000_000 / timescale) });
      return;
    }
    span.startUs = Math.min(span.startUs, startUs);
    span.endUs = Math.max(span.endUs, endUs);
  }

  /** A segment of the stretch ends. */
  addSegment(endUs: number): void {
    this.#endUs = Math.max(this.#endUs, endUs);
  }

  /** The stretch is complete. Returns: what is to be added to its times to have them on the export's clock. */
  finish(): number {
    const shiftUs = this.#shift();
    this.#firstShiftUs ??= shiftUs;
    this.#shownUs = Math.max(this.#shownUs, this.#endUs + shiftUs);
    for (const [track, { endUs }] of this.#spans) this.#ends.set(track, endUs + shiftUs);
    return shiftUs;
  }

  #shift(): number {
    let earliestUs = this.#startUs;
    for (const { startUs } of this.#spans.values()) earliestUs = Math.min(earliestUs, startUs);
    if (this.#firstShiftUs === null) return 0 - earliestUs;
    let shiftUs = Math.max(this.#shownUs - this.#startUs, 0 - earliestUs);
    for (const [track, { startUs, marginUs }] of this.#spans) {
      const before = this.#ends.get(track);
      if (before !== undefined) shiftUs = Math.max(shiftUs, before + marginUs - startUs);
    }
    return this.#gaps === "kept" ? Math.max(shiftUs, this.#firstShiftUs) : shiftUs;
  }
}
