import { Histogram } from "../../base/histogram.ts";
import type { HistogramFigures } from "../../base/histogram.ts";

/** From a group's end to its being written. Units: seconds. */
const LAG_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the recorders of one thread have done since its start, as plain data. */
export type RecordingFigures = {
  readonly bytes: number;
  /** Bytes that wait to be written, now. */
  readonly waitingBytes: number;
  /** Groups of pictures that were given up: the disk was too slow, full or gone. */
  readonly lostGroups: number;
  /** From the moment in which a group was complete until it was written. Units: seconds. */
  readonly lagS: HistogramFigures;
};

/** Counts what the recorders of one thread do: once a group of pictures. */
export class RecordingCounters {
  readonly #lagS = new Histogram(LAG_BOUNDS_S);
  #bytes = 0;
  #lostGroups = 0;

  /** So many bytes are written, which waited for so long. */
  wrote(lengthBytes: number, waitedUs: number): void {
    this.#bytes += lengthBytes;
    this.#lagS.observe(Math.max(0, waitedUs) / 1_000_000);
  }

  /** A group was given up. */
  lost(): void {
    this.#lostGroups++;
  }

  /** As it is now. */
  figures(waitingBytes: number): RecordingFigures {
    return { bytes: this.#bytes, waitingBytes, lostGroups: this.#lostGroups, lagS: this.#lagS.figures() };
  }
}
