/** How often values fell into each bucket, as plain data. */
export type HistogramFigures = {
  /** Upper ends of the buckets, rising, each of which belongs to its bucket. The last bucket has none. */
  readonly bounds: readonly number[];
  /** Values by bucket, one bucket more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
};

/** Counts values in buckets: some nanoseconds a value, and of a fixed size. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** `bounds`: rising; see `HistogramFigures`. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Counts one value. */
  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += value;
  }

  /** As it is now; a copy. */
  figures(): HistogramFigures {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}

/** Several histograms of the same bounds as one; `null` for none. */
export function sumHistograms(all: readonly HistogramFigures[]): HistogramFigures | null {
  const [first, ...others] = all;
  if (first === undefined) return null;
  const counts = first.counts.map((count, i) =>
    others.reduce((sum, other) => sum + (other.counts[i] ?? 0), count),
  );
  return { bounds: first.bounds, counts, sum: others.reduce((sum, other) => sum + other.sum, first.sum) };
}
