import { Ring } from "../../base/ring.ts";
import { costOf } from "./event-queue.ts";
import type { WaitingEvent } from "./event-queue.ts";

const MAX_EVENTS = 65_536;
const MAX_BYTES = 16 * 1024 * 1024;
/** One write's. */
const GROUP_EVENTS = 1000;
const GROUP_BYTES = 1024 * 1024;

/** Events that wait for the disk, within bounds: the oldest that is not being written is dropped. */
export class UnwrittenEvents {
  readonly #maxBytes: number;
  readonly #waiting = new Ring<WaitingEvent>(MAX_EVENTS);
  /** What was taken to be written. */
  #group: readonly WaitingEvent[] = [];
  #groupBytes = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = Math.min(MAX_BYTES, maxBytes);
  }

  /** Events that are not written. */
  get length(): number {
    return this.#group.length + this.#waiting.length;
  }

  /** What they take. */
  get bytes(): number {
    return this.#groupBytes + this.#bytes;
  }

  /** Adds one. Returns: how many were dropped for it. */
  push(event: WaitingEvent): number {
    let dropped = 0;
    const cost = costOf(event);
    while (
      this.#waiting.length > 0 &&
      (this.#bytes + cost > this.#maxBytes || this.#waiting.length >= MAX_EVENTS)
    ) {
      this.#bytes -= costOf(this.#waiting.shift()!);
      dropped++;
    }
    this.#waiting.push(event);
    this.#bytes += cost;
    return dropped;
  }

  /** What is to be written next, the same until it is settled. Empty: nothing. */
  take(): readonly WaitingEvent[] {
    if (this.#group.length === 0) this.#fill();
    return this.#group;
  }

  /** What was taken is written. */
  settle(): void {
    this.#group = [];
    this.#groupBytes = 0;
  }

  #fill(): void {
    const group: WaitingEvent[] = [];
    while (group.length < GROUP_EVENTS && this.#groupBytes < GROUP_BYTES) {
      const event = this.#waiting.shift();
      if (event === undefined) break;
      const cost = costOf(event);
      this.#bytes -= cost;
      this.#groupBytes += cost;
      group.push(event);
    }
    this.#group = group;
  }
}
