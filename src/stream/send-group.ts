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

/** Under an adaptive window sound rides with the next picture, unless that is this late: then with the next sound. */
const SOUND_WAIT_US = 50_000;

/** What still waits after this is the source's last word for now, and goes by the timer. */
const STRAGGLER_US = 150_000;

/** The timer waits by this part of a window longer for the next read to end it: publishers are read at windows. */
const LATE_PART = 8;

/** Under such a window more may come at once than one read takes. */
const LONG_WINDOW_US = 20_000;

/** Timers count whole milliseconds and may fire a little early; another one for the rest would be too late. */
const EARLY_US = 1000;

const NEVER = Infinity;

/**
 * The subscribers of one stream and format who share a send window: one place in the log, one timer, one flush.
 *
 * A window is counted from the flush before, so that what comes after a pause goes at once. An adaptive one ends with a
 * picture, in the turn that brought it, unless the thread has so many viewers that it must be longer. The timer is left running by a flush and
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
  /** Since when something waits, and when it has to go; `NEVER` while nothing does. */
  #waitingSinceUs = NEVER;
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

  /** How long until the next flush: what comes before that waits for it. Units: milliseconds. */
  patienceMs(): number {
    const { clock, pace } = this.#host;
    const windowMs = pace.windowMs(this.window);
    if (this.#endsWithTurn) return windowMs;
    return Math.max(0, windowMs - (clock.nowUs() - this.#lastFlushUs) / 1000);
  }

  /** Adds a subscriber that waits for a GOP. */
  add(sink: ByteSink): Subscriber {
    const subscriber = new Subscriber(this, sink);
    this.#subscribers.add(subscriber);
    this.#host.pace.joined();
    return subscriber;
  }

  fellBack(): void {
    this.#host.pace.delivery.fellBack();
  }

  endedSlow(): void {
    this.#host.pace.delivery.endedSlow();
  }

  written(isOn: boolean): void {
    if (isOn) this.#host.pace.joined();
    else this.#host.pace.left();
  }

  remove(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    if (subscriber.isWritten) this.#host.pace.left();
    if (this.#subscribers.size === 0) this.#rest();
    this.#host.left(this);
  }

  /** Forgets all subscribers. Returns: who they were, so that they are told. */
  removeAll(): Subscriber[] {
    const all = [...this.#subscribers];
    this.#subscribers.clear();
    for (const subscriber of all) if (subscriber.isWritten) this.#host.pace.left();
    this.#rest();
    return all;
  }

  /** More was appended to the log; `endsPicture`: a picture is complete with it. */
  appended(endsPicture: boolean): void {
    if (this.#endsWithTurn) return;
    const { clock, pace } = this.#host;
    const nowUs = clock.nowUs();
    const windowUs = pace.windowMs(this.window) * 1000;
    if (this.#waitingSinceUs === NEVER) this.#waitingSinceUs = nowUs;
    let dueUs = this.#lastFlushUs + windowUs;
    if (this.window === "auto") {
      const isRipe = endsPicture || nowUs - this.#waitingSinceUs >= SOUND_WAIT_US;
      if (!isRipe) dueUs = nowUs + Math.max(windowUs, STRAGGLER_US);
    }
    if (dueUs <= nowUs) {
      this.#endsWithTurn = true;
      if (windowUs >= LONG_WINDOW_US) pace.afterReads(this);
      else pace.atEndOfTurn(this);
      return;
    }
    if (windowUs >= LONG_WINDOW_US) dueUs += windowUs / LATE_PART;
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
    this.#waitingSinceUs = NEVER;
    const from = this.place;
    const to = this.#host.end();
    if (from === to) return;
    const nowUs = this.#host.clock.nowUs();
    this.place = to;
    this.#lastFlushUs = nowUs;
    const flush = this.#host.flushOf(from, to, nowUs);
    let missed = 0;
    for (const subscriber of this.#subscribers) if (!subscriber.take(flush)) missed++;
    this.#host.pace.delivery.flushed(to - from, this.#subscribers.size - missed, missed);
    this.#host.flushed(to - from, missed);
  }

  /** Nobody is left: nothing waits, and no timer runs. */
  #rest(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#endsWithTurn = false;
    this.#deadlineUs = NEVER;
    this.#waitingSinceUs = NEVER;
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
