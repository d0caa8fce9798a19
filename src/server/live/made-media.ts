import { Histogram } from "../../base/histogram.ts";
import type { HistogramFigures } from "../../base/histogram.ts";

/** Units: seconds. */
const SEGMENT_BOUNDS_S = [0.5, 1, 2, 3, 4, 6, 8, 10, 15, 20, 30];
const PART_BOUNDS_S = [0.05, 0.1, 0.2, 0.25, 0.34, 0.5, 0.75, 1, 2];

/** How long segments and parts were, as plain data. Units: seconds. */
export type MadeMediaFigures = { readonly segmentS: HistogramFigures; readonly partS: HistogramFigures };

/** Counts the segments of all streams of a thread, and those parts of them that were made while they grew. */
export class MadeMedia {
  readonly #segmentS = new Histogram(SEGMENT_BOUNDS_S);
  readonly #partS = new Histogram(PART_BOUNDS_S);

  /** A segment is complete. Units: microseconds. */
  readonly made = (segmentUs: number, partsUs: readonly number[]): void => {
    this.#segmentS.observe(segmentUs / 1_000_000);
    for (const partUs of partsUs) this.#partS.observe(partUs / 1_000_000);
  };

  /** As it is now. */
  figures(): MadeMediaFigures {
    return { segmentS: this.#segmentS.figures(), partS: this.#partS.figures() };
  }
}
