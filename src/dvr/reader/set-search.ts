import type { TrackSet } from "../../media/track.ts";
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
