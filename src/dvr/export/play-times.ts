import type { TrackSet } from "../../media/track.ts";
import type { RangePlan } from "./range-plan.ts";

/**
 * Which chunks of a planned range have what is decoded at a time. Times are those of the export's own clock, in
 * microseconds; a chunk's begin is known to a tick of its track, and is taken for that much earlier than it may be.
 */
export class PlayTimes {
  readonly #plan: RangePlan;
  /** The chunks of each track, in order of time. */
  readonly #chunksOf: readonly Uint32Array[];
  /** By track, what its times may be off by. */
  readonly #marginsUs: readonly number[];
  /** When each epoch begins; rises. */
  readonly #epochStarts: Float64Array;
  /** Where segments that begin with a random access point begin; rises. */
  readonly #points: Float64Array;
  /** How much later than it is decoded a picture at a random access point is shown. */
  readonly reorderUs: number;

  /** `sets`: the tracks of each epoch. */
  constructor(plan: RangePlan, sets: readonly TrackSet[]) {
    this.#plan = plan;
    this.#chunksOf = chunksByTrack(plan);
    // Times are rounded down to microseconds, and what they are moved by to ticks.
    this.#marginsUs = plan.tracks.map(({ configs }) => 2 + Math.ceil(1_000_000 / coarsest(configs)));
    this.#epochStarts = this.#findEpochs();
    const points = this.#findPoints(sets);
    this.#points = Float64Array.from(points, ({ us }) => us);
    this.reorderUs = points[0]?.reorderUs ?? 0;
  }

  /** The last random access point at or before a time; 0 when there is none. */
  startAt(us: number): number {
    const behind = firstWhere(this.#points.length, (i) => this.#points[i]! > us);
    return behind === 0 ? 0 : Math.max(0, this.#points[behind - 1]!);
  }

  /** The number of the epoch at a time. */
  epochAt(us: number): number {
    return Math.max(0, firstWhere(this.#epochStarts.length, (i) => this.#epochStarts[i]! > us) - 1);
  }

  /** When the next epoch begins; `Infinity` for the last one. */
  epochEnd(epoch: number): number {
    return this.#epochStarts[epoch + 1] ?? Infinity;
  }

  /** The chunks of an epoch that may have samples in `[fromUs, toUs)`, track by track; at most `limit`. */
  chunksBetween(fromUs: number, toUs: number, epoch: number, limit: number): number[] {
    const found: number[] = [];
    for (const chunks of this.#chunksOf) {
      // The chunk behind the one that is looked for begins at the time or later.
      const first = firstWhere(chunks.length, (i) => {
        const own = this.#epochOf(chunks[i]!);
        if (own !== epoch) return own > epoch;
        const next = chunks[i + 1];
        return next === undefined || this.#epochOf(next) !== epoch || this.#startOf(next) >= fromUs;
      });
      for (let i = first; i < chunks.length && found.length < limit; i++) {
        const chunk = chunks[i]!;
        if (this.#epochOf(chunk) !== epoch || this.#earliestOf(chunk) >= toUs) break;
        found.push(chunk);
      }
    }
    return found;
  }

  /** Whether any chunk begins at a time or later, or is of a later epoch. */
  hasChunksFrom(us: number, epoch: number): boolean {
    if (epoch < this.#epochStarts.length - 1) return true;
    return this.#chunksOf.some((chunks) => this.#earliestOf(chunks.at(-1)!) >= us);
  }

  /** When the next chunk of an epoch begins, at a time or later, or the next epoch. */
  nextChunkAt(us: number, epoch: number): number {
    let nextUs = this.epochEnd(epoch);
    for (const chunks of this.#chunksOf) {
      const next = firstWhere(
        chunks.length,
        (i) => this.#epochOf(chunks[i]!) >= epoch && this.#earliestOf(chunks[i]!) >= us,
      );
      if (next < chunks.length) nextUs = Math.min(nextUs, this.#earliestOf(chunks[next]!));
    }
    return nextUs;
  }

  #startOf(chunk: number): number {
    return this.#plan.chunks.startUs[chunk]! + this.#plan.shiftOf(chunk);
  }

  /** No sample of it is decoded before that. */
  #earliestOf(chunk: number): number {
    return this.#startOf(chunk) - this.#marginsUs[this.#plan.chunks.track[chunk]!]!;
  }

  #epochOf(chunk: number): number {
    const { segments, chunks } = this.#plan;
    return segments.epoch[chunks.segment[chunk]!]!;
  }

  #findEpochs(): Float64Array {
    const starts = new Float64Array(this.#plan.epochs.length).fill(Infinity);
    for (let chunk = 0; chunk < this.#plan.chunks.count; chunk++) {
      const epoch = this.#epochOf(chunk);
      starts[epoch] = Math.min(starts[epoch]!, this.#earliestOf(chunk));
    }
    for (let epoch = 1; epoch < starts.length; epoch++)
      starts[epoch] = Math.max(starts[epoch]!, starts[epoch - 1]! + 1);
    return starts;
  }

  #findPoints(sets: readonly TrackSet[]): { readonly us: number; readonly reorderUs: number }[] {
    const { segments, chunks, tracks } = this.#plan;
    const points = [];
    for (let segment = 0; segment < segments.count; segment++) {
      if (segments.independent[segment] === 0) continue;
      const { reference } = sets[segments.epoch[segment]!]!;
      const end = this.#plan.chunksEnd(segment);
      let chunk = segments.firstChunk[segment]!;
      while (chunk < end && tracks[chunks.track[chunk]!]!.id !== reference.id) chunk++;
      if (chunk === end) continue;
      const reorderUs = Math.max(0, this.#plan.playsAt(segment) - this.#startOf(chunk));
      points.push({ us: this.#earliestOf(chunk), reorderUs });
    }
    return points;
  }
}

function chunksByTrack({ chunks, tracks }: RangePlan): Uint32Array[] {
  const counts = new Uint32Array(tracks.length);
  for (let chunk = 0; chunk < chunks.count; chunk++) counts[chunks.track[chunk]!]!++;
  const lists = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(tracks.length);
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const track = chunks.track[chunk]!;
    lists[track]![filled[track]!++] = chunk;
  }
  return lists;
}

/** The fewest ticks a second of a track's configurations. */
function coarsest(configs: readonly { readonly track: { readonly timescale: number } }[]): number {
  return Math.min(...configs.map(({ track }) => track.timescale));
}

/** The first of `count` numbers from 0 on for which `isBehind` holds, which it does for all after it; else `count`. */
function firstWhere(count: number, isBehind: (i: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBehind(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
