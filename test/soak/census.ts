/** Who is connected now, and what has happened so far. */

/** What is counted at each moment. */
export type Gauge = "publishers" | "viewers" | "stalled" | "intruders";

/** Numbers that all parts of the load write and the samples read. */
export class Census {
  readonly #now: Record<Gauge, number> = { publishers: 0, viewers: 0, stalled: 0, intruders: 0 };
  readonly #events = new Map<string, number>();

  /** One more; call what it returns when it is one less. Calling that twice does nothing. */
  enter(gauge: Gauge): () => void {
    let isIn = true;
    this.#now[gauge]++;
    return () => {
      if (isIn) this.#now[gauge]--;
      isIn = false;
    };
  }

  /** Something happened. */
  count(event: string): void {
    this.#events.set(event, (this.#events.get(event) ?? 0) + 1);
  }

  now(): Readonly<Record<Gauge, number>> {
    return { ...this.#now };
  }

  /** All events with how often they happened, by name. */
  events(): Record<string, number> {
    return Object.fromEntries([...this.#events].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}
