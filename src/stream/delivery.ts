/** What the fan-outs of one thread have done since its start, as plain data. */
export type DeliveryFigures = {
  /** Bytes that were given to viewers' connections. */
  readonly bytes: number;
  /** Flushes that a viewer missed since it was too slow. */
  readonly missedFlushes: number;
  /** Times that a viewer fell back, to go on at the next GOP. */
  readonly resyncs: number;
  /** Viewers that were closed since they never caught up. */
  readonly tooSlow: number;
};

/** Counts what the fan-outs of one thread do: once a flush and once a viewer that falls back, never once a packet. */
export class Delivery {
  #bytes = 0;
  #missedFlushes = 0;
  #resyncs = 0;
  #tooSlow = 0;

  /** So many viewers were given so many bytes each, and others missed them. */
  flushed(lengthBytes: number, taken: number, missed: number): void {
    this.#bytes += lengthBytes * taken;
    this.#missedFlushes += missed;
  }

  /** A viewer fell back. */
  fellBack(): void {
    this.#resyncs++;
  }

  /** A viewer is closed. */
  endedSlow(): void {
    this.#tooSlow++;
  }

  /** As it is now. */
  figures(): DeliveryFigures {
    return {
      bytes: this.#bytes,
      missedFlushes: this.#missedFlushes,
      resyncs: this.#resyncs,
      tooSlow: this.#tooSlow,
    };
  }
}
