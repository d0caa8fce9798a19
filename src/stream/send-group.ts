import type { Clock, Timer } from "../base/clock.ts";
import type { SendWindow } from "./rules.ts";
import type { SendPace, TurnTask } from "./send-pace.ts";
import type { FanoutLimits, Flush } from "./subscriber.ts";
import { Subscriber } from "./subscriber.ts";
import type { ByteSink } from "./wire-format.ts";

/** What a group needs of its fan-out. */
export type SendGroupHost = {
  readonly clock: Clock;
  readonly pace: SendPace;
  readonly limits: FanoutLimits;
  /** The place behind the last byte of the log. */
  end(): number;
  /** What lies between two places of the log. */
  flushOf(from: number, to: number, nowUs: number): Flush;
  /** A group has sent so many bytes, which so many of its subscribers missed. */
  flushed(lengthBytes: number, missed: number): void;
  /** A subscriber of the group is gone. */
  left(group: SendGroup): void;
};

/** Under an adaptive window sound rides with the next picture, for which it waits so long at most. */
const SOUND_WAIT_US = 50_000;

/** Timers count whole milliseconds and may fire a little early; another one for the rest would be too late. */
const EARLY_US = 1000;

const NEVER = Infinity;

/**
 * The subscribers of one stream and format who share a send window: one place in the log, one timer, one flush.
 *
 * A fixed window is counted from the first byte that waits. An adaptive one ends with a picture, in the turn that
 * brought it, unless the thread has so many viewers that it must be longer. The timer is left running by a flush and
 * set anew when it fires, so that few viewers cost few timers.
 */
export class SendGroup implements TurnTask {
  readonly window: SendWindow;
  /** Up to where the flowing subscribers have got the log. */
  place: number;
  readonly #host: SendGroupHost;
  readonly #subscribers = new Set<Subscriber>();
  #timer: Timer | null = null;
  #timerUs = NEVER;
  /** When what waits has to go; `NEVER` while nothing does. */
  #deadlineUs = NEVER;
  #lastFlushUs: number;
  #endsWithTurn = false;

  constructor(window: SendWindow, host: SendGroupHost) {
    this.window = window;
    this.#host = host;
    this.place = host.end();
    this.#lastFlushUs = host.clock.nowUs();
  }

  /** How many subscribers it has. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** The bounds of each subscriber. */
  get limits(): FanoutLimits {
    return this.#host.limits;
  }

  /** Adds a subscriber that waits for a GOP. */
  add(sink: ByteSink): Subscriber {
    const subscriber = new Subscriber(this, sink);
    this.#subscribers.add(subscriber);
    this.#host.pace.joined();
    return subscriber;
  }

  remove(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    this.#host.pace.left();
    if (this.#subscribers.size === 0) this.#rest();
    this.#host.left(this);
  }

  /** Forgets all subscribers. Returns: who they were, so that they are told. */
  removeAll(): Subscriber[] {
    const all = [...this.#subscribers];
    this.#subscribers.clear();
    for (let i = 0; i < all.length; i++) this.#host.pace.left();
    this.#rest();
    return all;
  }

  /** More was appended to the log; `endsPicture`: a picture is complete with it. */
  appended(endsPicture: boolean): void {
    if (this.#endsWithTurn) return;
    const { clock, pace } = this.#host;
    const nowUs = clock.nowUs();
    const windowUs = pace.windowMs(this.window) * 1000;
    let dueUs = nowUs + windowUs;
    if (this.window === "auto") {
      dueUs = endsPicture ? this.#lastFlushUs + windowUs : nowUs + Math.max(windowUs, SOUND_WAIT_US);
    }
    if (dueUs <= nowUs) {
      this.#endsWithTurn = true;
      pace.atEndOfTurn(this);
      return;
    }
    if (dueUs < this.#deadlineUs) this.#deadlineUs = dueUs;
    this.#arm(nowUs);
  }

  endOfTurn(): void {
    if (this.#endsWithTurn) this.flush();
  }

  /** Sends what waits. */
  flush(): void {
    this.#endsWithTurn = false;
    this.#deadlineUs = NEVER;
    const from = this.place;
    const to = this.#host.end();
    if (from === to) return;
    const nowUs = this.#host.clock.nowUs();
    this.place = to;
    this.#lastFlushUs = nowUs;
    const flush = this.#host.flushOf(from, to, nowUs);
    let missed = 0;
    for (const subscriber of this.#subscribers) if (!subscriber.take(flush)) missed++;
    this.#host.flushed(to - from, missed);
  }

  /** Nobody is left: nothing waits, and no timer runs. */
  #rest(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#endsWithTurn = false;
    this.#deadlineUs = NEVER;
  }

  #arm(nowUs: number): void {
    if (this.#timer !== null && this.#timerUs <= this.#deadlineUs + EARLY_US) return;
    this.#timer?.cancel();
    const delayMs = Math.ceil((this.#deadlineUs - nowUs) / 1000);
    this.#timerUs = nowUs + delayMs * 1000;
    this.#timer = this.#host.clock.schedule(delayMs, () => this.#fired());
  }

  #fired(): void {
    this.#timer = null;
    const nowUs = this.#host.clock.nowUs();
    this.#host.pace.noteLateness(nowUs - this.#timerUs);
    if (nowUs + EARLY_US >= this.#deadlineUs) this.flush();
    else if (this.#deadlineUs !== NEVER) this.#arm(nowUs);
  }
}
