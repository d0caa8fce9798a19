import type { Clock } from "../../base/clock.ts";
import { dropOldest } from "../../base/oldest.ts";
import type { TrackSet } from "../../media/track.ts";
import { hourOf } from "../format/hour.ts";
import type { ArchivedSegment } from "./archived-segment.ts";

/** A set of tracks, and a segment that has it. */
export type FoundSet = readonly [tracks: TrackSet, segment: ArchivedSegment];

/** Looks through an archive for sets of tracks, no further than those who ask need it, and once for all of them. */
export class SetSearch {
  readonly #walk: AsyncIterator<readonly FoundSet[]>;
  readonly #found = new Map<TrackSet, ArchivedSegment>();
  #step: Promise<void> | null = null;
  #isDone = false;

  /** `known`: what need not be looked for. `walk`: what there is, the newest first, an hour at a time. */
  constructor(known: Iterable<FoundSet>, walk: AsyncIterable<readonly FoundSet[]>) {
    this.#take(known);
    this.#walk = walk[Symbol.asyncIterator]();
  }

  /** Whether somebody waits for what comes next. */
  get isBusy(): boolean {
    return this.#step !== null;
  }

  /** The newest segment with such tracks; `null` when there is none. Rejects with what the walk rejects with. */
  async find(isWanted: (tracks: TrackSet) => boolean): Promise<ArchivedSegment | null> {
    for (;;) {
      for (const [tracks, segment] of this.#found) if (isWanted(tracks)) return segment;
      if (this.#isDone) return null;
      this.#step ??= this.#next().finally(() => (this.#step = null));
      await this.#step;
    }
  }

  async #next(): Promise<void> {
    const { done, value } = await this.#walk.next();
    if (done === true) this.#isDone = true;
    else this.#take(value);
  }

  #take(sets: Iterable<FoundSet>): void {
    for (const [tracks, segment] of sets) if (!this.#found.has(tracks)) this.#found.set(tracks, segment);
  }
}

/** How far sets are looked for in front of a time. */
const HOURS_BEFORE = 24;
/** What is known of hours that are over is taken for right so long. Units: microseconds. */
const KNOWN_US = 300_000_000;
/** Hours in front of which it is known what there was. */
const MAX_KNOWN = 64;

/** What there is of an archive, for `SetsBefore`. */
export type HourSets = {
  readonly clock: Clock;
  /** Recorded hours from one up to another one, without it, that are near. */
  hours(from: number, to: number): AsyncIterable<number>;
  /** Sets of an hour's segments that start before a time, each once, the one of the newest segment last. Units: microseconds. */
  sets(hour: number, untilUs: number): Promise<readonly TrackSet[]>;
};

/** Which sets of tracks an archive had in the day before a time: what who plays from then on may have begun with. */
export class SetsBefore {
  readonly #of: HourSets;
  readonly #known = new Map<number, { readonly sets: readonly TrackSet[]; readonly atUs: number }>();

  constructor(of: HourSets) {
    this.#of = of;
  }

  /** The newest one last; one may be there more than once. Units: microseconds. Rejects with what reading rejects with. */
  async at(us: number): Promise<readonly TrackSet[]> {
    const hour = hourOf(us);
    const earlier = await this.#before(hour);
    return [...earlier, ...(await this.#of.sets(hour, us))];
  }

  /** It is looked at anew. */
  forget(): void {
    this.#known.clear();
  }

  async #before(hour: number): Promise<readonly TrackSet[]> {
    const atUs = this.#of.clock.nowUs();
    const known = this.#known.get(hour);
    if (known !== undefined && atUs - known.atUs < KNOWN_US) return known.sets;
    const hours: (readonly TrackSet[])[] = [];
    for await (const number of this.#of.hours(hour - HOURS_BEFORE, hour))
      hours.push(await this.#of.sets(number, Infinity));
    // The last time that a set was there counts.
    const sets = [...new Set(hours.flat().toReversed())].toReversed();
    this.#known.delete(hour);
    this.#known.set(hour, { sets, atUs });
    dropOldest(this.#known, MAX_KNOWN);
    return sets;
  }
}
