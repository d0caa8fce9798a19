import type { Clock, Timer } from "../base/clock.ts";
import type { EdgePoint, Hold, HoldEnd, LiveEdge, SegmentHold, Timeline } from "./presentation.ts";

/** Requests are held for so many target durations (RFC 8216bis section 6.2.5.2). */
export const HOLD_TARGETS = 3;

type Waiter = { readonly hold: Hold; readonly untilUs: number; point: EdgePoint };

/**
 * Whether an edge has come to a point. One of a part that its segment turned out not to have is the first part of the
 * next segment.
 * Spec: RFC 8216bis section 6.2.5.2.
 */
export function hasReached(edge: LiveEdge, point: EdgePoint): boolean {
  const { open, timeline } = edge;
  const { sequence, part } = movedOn(edge, point);
  if (sequence <= timeline.segments.at(-1)!.sequence) return true;
  return part !== null && open?.sequence === sequence && part < open.parts.length;
}

/** The point that is meant once its segment is complete. */
function movedOn({ timeline }: LiveEdge, point: EdgePoint): EdgePoint {
  const last = timeline.segments.at(-1)!;
  const isBeyond = point.part !== null && point.part >= (last.parts?.length ?? 0);
  if (point.sequence !== last.sequence || !isBeyond) return point;
  return { sequence: point.sequence + 1, part: 0 };
}

/** For one who waits for what will never come: tells so, but not before this returned. */
export function endAtOnce(hold: SegmentHold): { cancel(): void } {
  let isWaiting = true;
  queueMicrotask(() => {
    if (isWaiting) hold.end("over");
  });
  return { cancel: () => void (isWaiting = false) };
}

/**
 * Those who wait for a point of one live edge: one list, woken in one pass, one timer for all.
 *
 * Bounded: `MAX_HELD` at once, `MAX_HELD_PER_ADDRESS` of one address.
 */
export class EdgeWaiters {
  static readonly MAX_HELD = 20_000;
  static readonly MAX_HELD_PER_ADDRESS = 6000;

  readonly #clock: Clock;
  /** In the order in which they came, and so nearly in that of their deadlines. */
  readonly #waiters = new Set<Waiter>();
  readonly #perAddress = new Map<string, number>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those who wait now. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Takes one who waits for `limitMs` at most; `null` when there is no place for another one. */
  hold(hold: Hold, limitMs: number): { cancel(): void } | null {
    const held = this.#perAddress.get(hold.address) ?? 0;
    if (this.#waiters.size >= EdgeWaiters.MAX_HELD || held >= EdgeWaiters.MAX_HELD_PER_ADDRESS) return null;
    const untilUs = this.#clock.nowUs() + limitMs * 1000;
    const waiter: Waiter = { hold, untilUs, point: { sequence: hold.sequence, part: hold.part } };
    this.#waiters.add(waiter);
    this.#perAddress.set(hold.address, held + 1);
    if (this.#timer === null) this.#watch(limitMs);
    return { cancel: () => this.#drop(waiter) };
  }

  /** The edge has moved: who waited for what is there now is told. */
  wake(edge: LiveEdge): void {
    for (const waiter of this.#waiters) {
      waiter.point = movedOn(edge, waiter.point);
      if (hasReached(edge, waiter.point)) this.#end(waiter, "reached");
    }
  }

  /** The edge will move no more. */
  close(): void {
    for (const waiter of this.#waiters) this.#end(waiter, "over");
  }

  #watch(delayMs: number): void {
    this.#timer = this.#clock.schedule(delayMs, () => this.#endLate());
  }

  #endLate(): void {
    this.#timer = null;
    const nowUs = this.#clock.nowUs();
    for (const waiter of this.#waiters) {
      if (waiter.untilUs > nowUs) {
        this.#watch(Math.ceil((waiter.untilUs - nowUs) / 1000));
        return;
      }
      this.#end(waiter, "late");
    }
  }

  #end(waiter: Waiter, how: HoldEnd): void {
    this.#drop(waiter);
    waiter.hold.end(how);
  }

  #drop(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    const { address } = waiter.hold;
    const held = this.#perAddress.get(address)! - 1;
    if (held === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, held);
    if (this.#waiters.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }
}

/** Those who wait for the next segments of a timeline, and for no part of one. */
export class SegmentWaiters {
  readonly #held: EdgeWaiters;

  constructor(clock: Clock) {
    this.#held = new EdgeWaiters(clock);
  }

  /** Those who wait now. */
  get size(): number {
    return this.#held.size;
  }

  /** Takes one who waits for three target durations at most; `null` when there is no place for another one. */
  hold(hold: SegmentHold, { targetDurationUs }: Timeline): { cancel(): void } | null {
    const { sequence, address, end } = hold;
    return this.#held.hold(
      { sequence, part: null, address, end },
      (targetDurationUs / 1000) * HOLD_TARGETS,
    );
  }

  /** The timeline has changed. */
  wake(timeline: Timeline): void {
    if (this.#held.size > 0) this.#held.wake({ timeline, partTargetUs: 0, open: null });
  }

  /** It will change no more. */
  close(): void {
    this.#held.close();
  }
}
