import { systemClock } from "../../base/clock.ts";
import type { Timer } from "../../base/clock.ts";
import type { HttpReply } from "../../base/http-message.ts";

/**
 * Bounds the memory that replies under way hold for slow readers, over all HTTP listeners together.
 *
 * Segments of a live stream are shared and do not count. A segment that was read from a file for one reply does, from
 * the moment it is handed to the connection until the last byte has left.
 */
export class ReplyBudget {
  readonly limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Bytes held now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes room for a reply; `false`, and nothing taken, when there is none. One alone always fits. */
  take(bytes: number): boolean {
    if (this.#heldBytes > 0 && this.#heldBytes + bytes > this.limitBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Gives the room of a finished reply back. */
  give(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/** A reader slower than this cannot be watching: 256 kbit/s, a quarter of the slowest rendition that people serve. */
const MIN_READ_BYTES_PER_SECOND = 32 * 1024;
const GRACE_MS = 30_000;

/** A larger body has a deadline although others share it: it may have left its live window while somebody reads it. */
export const LARGE_BODY_BYTES = 256 * 1024;

/** How long a reply of so many bytes may take until its connection is closed. */
export function replyDeadlineMs(sentBytes: number): number {
  return GRACE_MS + Math.ceil((sentBytes / MIN_READ_BYTES_PER_SECOND) * 1000);
}

/** What a reply under way holds. */
export type HeldReply = {
  /** Bytes that were taken from the budget; 0 where others share the body. */
  readonly ownBytes: number;
  readonly sentBytes: number;
  /** Whose body is released behind the last byte. */
  readonly reply?: Pick<HttpReply, "release">;
};

/** The room, the body and the deadline of one reply under way. */
export class ReplyHold {
  readonly #budget: ReplyBudget;
  readonly #deadline: Timer;
  #held: HeldReply | null;

  /** Calls `onLate` when all that is sent takes longer than it may. */
  constructor(budget: ReplyBudget, held: HeldReply, onLate: () => void) {
    this.#budget = budget;
    this.#held = held;
    this.#deadline = systemClock.schedule(replyDeadlineMs(held.sentBytes), onLate);
  }

  /**
   * To be called when the last byte has left, or when the socket is closed and the system reads the body no more; a
   * second call does nothing.
   */
  release(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#deadline.cancel();
    this.#budget.give(held.ownBytes);
    held.reply?.release?.();
  }
}
