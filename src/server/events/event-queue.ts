import type { Clock } from "../../base/clock.ts";
import { Ring } from "../../base/ring.ts";
import { BATCH_BYTES, BATCH_EVENTS } from "../../api/events/batch.ts";

/** An event that waits. */
export type WaitingEvent = { readonly id: number; readonly utcMs: number; readonly json: string };

/** The oldest events that wait, as many as one batch takes. */
export type WaitingBatch = { readonly events: readonly string[]; readonly lastId: number };

/** Bounds of what waits, above which the oldest is dropped. */
export type QueueBounds = {
  readonly maxSizeBytes: number;
  readonly maxDepthMs?: number | undefined;
  readonly clock: Clock;
};

/** Figures of a queue. */
export type QueueFigures = {
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** Events that nobody took, for want of room or for their age. */
  readonly droppedEvents: number;
};

/** Events on their way to one sink, in order. One reader. */
export type EventQueue = {
  /** Called when there may be more to read. */
  onReadable: (() => void) | null;
  /** Adds an event; never waits, never throws. Numbers increase. */
  push(event: WaitingEvent): void;
  /** The next batch, the same until it is acknowledged; `null`: nothing waits. Rejects when it cannot be read. */
  peek(): Promise<WaitingBatch | null>;
  /** A batch was taken, or given up. */
  acknowledge(batch: WaitingBatch): Promise<void>;
  figures(): QueueFigures;
  /** Resolves when what was pushed before is where the death of the process does not reach it. Never rejects. */
  written(): Promise<void>;
  close(): Promise<void>;
};

/** Above what a JavaScript string and its place cost beside its characters. Units: bytes. */
const EVENT_COST_BYTES = 100;
const MAX_EVENTS = 1 << 20;

/** Events that wait in memory: they do not outlive the process. */
export class MemoryQueue implements EventQueue {
  readonly #bounds: QueueBounds;
  readonly #waiting = new Ring<WaitingEvent>(MAX_EVENTS);
  #bytes = 0;
  #dropped = 0;
  #peeked: WaitingBatch | null = null;
  onReadable: (() => void) | null = null;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  push(event: WaitingEvent): void {
    if (!this.#waiting.push(event)) {
      this.#drop();
      this.#waiting.push(event);
    }
    this.#bytes += costOf(event);
    while (this.#bytes > this.#bounds.maxSizeBytes && this.#waiting.length > 1) this.#drop();
    this.#dropOld();
    this.onReadable?.();
  }

  peek(): Promise<WaitingBatch | null> {
    if (this.#peeked === null) {
      this.#dropOld();
      this.#peeked = this.#nextBatch();
    }
    return Promise.resolve(this.#peeked);
  }

  acknowledge({ lastId }: WaitingBatch): Promise<void> {
    this.#peeked = null;
    for (let oldest = this.#waiting.at(0); oldest !== undefined; oldest = this.#waiting.at(0)) {
      if (oldest.id > lastId) break;
      this.#take();
    }
    return Promise.resolve();
  }

  figures(): QueueFigures {
    return {
      waitingEvents: this.#waiting.length,
      waitingBytes: this.#bytes,
      droppedEvents: this.#dropped,
    };
  }

  written(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #nextBatch(): WaitingBatch | null {
    const events: string[] = [];
    let bytes = 0;
    let lastId = 0;
    for (let i = 0; i < Math.min(BATCH_EVENTS, this.#waiting.length); i++) {
      const { id, json } = this.#waiting.at(i)!;
      bytes += Buffer.byteLength(json) + 1;
      if (bytes > BATCH_BYTES && i > 0) break;
      events.push(json);
      lastId = id;
    }
    return events.length === 0 ? null : { events, lastId };
  }

  #dropOld(): void {
    const { maxDepthMs, clock } = this.#bounds;
    if (maxDepthMs === undefined) return;
    const tooOldMs = clock.wallUs() / 1000 - maxDepthMs;
    for (let oldest = this.#waiting.at(0); oldest !== undefined; oldest = this.#waiting.at(0)) {
      if (oldest.utcMs >= tooOldMs) break;
      this.#drop();
    }
  }

  /** What a sender holds at this moment may still be taken: it is counted when it is not. */
  #drop(): void {
    const event = this.#take();
    if (event !== undefined && event.id > (this.#peeked?.lastId ?? 0)) this.#dropped++;
  }

  #take(): WaitingEvent | undefined {
    const event = this.#waiting.shift();
    if (event !== undefined) this.#bytes -= costOf(event);
    return event;
  }
}

/** What an event takes while it waits. Units: bytes. */
export function costOf({ json }: WaitingEvent): number {
  return json.length * 2 + EVENT_COST_BYTES;
}
