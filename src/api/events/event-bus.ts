/** Where events come together, and who takes them. */
import type { Clock } from "../../base/clock.ts";
import { Ring } from "../../base/ring.ts";
import type { EventName } from "./catalogue.ts";
import { WrittenEvent } from "./event.ts";
import type { EventFields } from "./event.ts";
import type { EventFilter } from "./filter.ts";

/** Events that can be asked for after they happened. */
export const KEPT_EVENTS = 1000;

/** What a bus needs. */
export type EventBusOptions = {
  readonly clock: Clock;
  /** The server's host name, as `server` of each event says it. */
  server(): string;
};

type Taker = { readonly filter: EventFilter; readonly take: (written: WrittenEvent) => void };

/**
 * The bus of the control thread. Nothing waits here: who takes an event queues it himself, within bounds.
 *
 * Numbers of events are the wall clock's microseconds, or one more than the last where that is greater: they increase over
 * restarts too, unless the clock was set back and nobody said with `startBehind` how far they had come.
 */
export class EventBus {
  readonly #options: EventBusOptions;
  readonly #takers = new Set<Taker>();
  readonly #kept = new Ring<WrittenEvent>(KEPT_EVENTS);
  #lastId = 0;

  constructor(options: EventBusOptions) {
    this.#options = options;
  }

  /** The number of the last event; 0 before the first. */
  get lastId(): number {
    return this.#lastId;
  }

  /** The next events have greater numbers than that. */
  startBehind(id: number): void {
    if (Number.isSafeInteger(id)) this.#lastId = Math.max(this.#lastId, id);
  }

  /** Tells that something happened, now. Never throws. Returns: the event's number. */
  emit(name: EventName, fields: EventFields = {}): number {
    const wallUs = this.#options.clock.wallUs();
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(wallUs));
    const written = new WrittenEvent({
      event: name,
      event_id: this.#lastId,
      utc_ms: Math.floor(wallUs / 1000),
      server: this.#options.server(),
      ...withoutOwn(fields),
    });
    if (!this.#kept.push(written)) {
      this.#kept.shift();
      this.#kept.push(written);
    }
    for (const { filter, take } of this.#takers) if (written.fits(filter)) take(written);
    return this.#lastId;
  }

  /** Gives events that fit, from now on. `take` neither throws nor waits. Returns: what ends that. */
  subscribe(filter: EventFilter, take: (written: WrittenEvent) => void): () => void {
    const taker = { filter, take };
    this.#takers.add(taker);
    return () => void this.#takers.delete(taker);
  }

  /** Who takes events now. */
  get subscribers(): number {
    return this.#takers.size;
  }

  /** Of the last events those that fit and have greater numbers than `afterId`, oldest first. */
  recent(filter: EventFilter, afterId = 0): WrittenEvent[] {
    const found: WrittenEvent[] = [];
    for (let i = 0; i < this.#kept.length; i++) {
      const written = this.#kept.at(i)!;
      if (written.id > afterId && written.fits(filter)) found.push(written);
    }
    return found;
  }
}

const OWN = ["event", "event_id", "utc_ms", "server"];

/** What all events have, nobody's fields replace. */
function withoutOwn(fields: EventFields): EventFields {
  return OWN.some((key) => Object.hasOwn(fields, key))
    ? Object.fromEntries(Object.entries(fields).filter(([key]) => !OWN.includes(key)))
    : fields;
}
