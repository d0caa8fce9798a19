import { BATCH_EVENTS } from "../../api/events/batch.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { EventQueue, WaitingBatch } from "./event-queue.ts";

/** Who takes batches; one at a time. Rejects when a batch was not taken, or nobody knows. */
export type SinkTransport = {
  send(events: readonly string[], signal: AbortSignal): Promise<void>;
  close(): Promise<void> | void;
};

/** What a delivery needs. */
export type SinkDeliveryOptions = {
  readonly queue: EventQueue;
  readonly transport: SinkTransport;
  readonly clock: Clock;
  readonly log: Logger;
  /** Least time from one batch to the next, where fewer events wait than one batch takes. */
  readonly throttleDelayMs: number;
  /** How often a batch is sent again; absent: for ever. */
  readonly resendLimit?: number | undefined;
  /** Most time from one try to the next. */
  readonly resendTimeoutMs: number;
};

/** Figures of a delivery. */
export type DeliveryFigures = {
  readonly sentEvents: number;
  readonly resentBatches: number;
  /** Of batches that were given up. */
  readonly droppedEvents: number;
  /** Why the last try failed; `null`: it did not. */
  readonly failure: string | null;
};

const FIRST_PAUSE_MS = 100;
/** A sink that stays away is told of in the log so often. Units: microseconds. */
const COMPLAINT_US = 60_000_000;

/** Takes events from a queue to a sink, batch by batch: the next one is sent when the one before was taken or given up. */
export class SinkDelivery {
  readonly #options: SinkDeliveryOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  /** So many events have to wait for the present pause to be cut short; Infinity: nothing cuts it short. */
  #wakesAt = Infinity;
  /** Something came since the queue was last found empty. */
  #hasNews = false;
  #isIdle = false;
  #isHurried = false;
  #lastUs = -Infinity;
  #complainedUs = -Infinity;
  #sent = 0;
  #resent = 0;
  #dropped = 0;
  #failure: string | null = null;

  constructor(options: SinkDeliveryOptions) {
    this.#options = options;
    options.queue.onReadable = () => {
      this.#hasNews = true;
      if (this.#wake === null || this.#wakesAt === Infinity) return;
      if (this.#wakesAt === 0 || options.queue.figures().waitingEvents >= this.#wakesAt) this.#wake();
    };
  }

  /** Begins. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends; what was not taken stays in the queue. Resolves when nothing is under way. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#running;
    await this.#options.transport.close();
  }

  /** Resolves when nothing waits, when the sink does not take it, or after so long. For the end of the server. */
  async drain(limitMs: number): Promise<void> {
    const { queue, clock } = this.#options;
    const endUs = clock.nowUs() + limitMs * 1000;
    await queue.written();
    this.#isHurried = true;
    if (this.#wakesAt !== Infinity) this.#wake?.();
    const isOver = (): boolean => this.#isIdle && queue.figures().waitingEvents === 0;
    while (!isOver() && this.#failure === null && clock.nowUs() < endUs) {
      await new Promise<void>((resolve) => clock.schedule(10, resolve));
    }
  }

  figures(): DeliveryFigures {
    return {
      sentEvents: this.#sent,
      resentBatches: this.#resent,
      droppedEvents: this.#dropped,
      failure: this.#failure,
    };
  }

  async #run(): Promise<void> {
    const { queue, clock } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        const waitMs = this.#throttleMs();
        if (waitMs > 0) await this.#pause(waitMs, BATCH_EVENTS);
        if (this.#stopping.signal.aborted) return;
        this.#hasNews = false;
        const batch = await queue.peek();
        if (batch !== null) await this.#deliver(batch);
        else if (!this.#hasNews) await this.#idle();
      } catch (caught) {
        this.#complain(caught, "the queue of events cannot be read");
        this.#lastUs = clock.nowUs();
        await this.#pause(this.#options.resendTimeoutMs, Infinity);
      }
    }
  }

  async #idle(): Promise<void> {
    this.#isIdle = true;
    await this.#pause(Infinity, 0);
    this.#isIdle = false;
  }

  #throttleMs(): number {
    const { queue, clock, throttleDelayMs } = this.#options;
    if (this.#isHurried || queue.figures().waitingEvents >= BATCH_EVENTS) return 0;
    return throttleDelayMs - (clock.nowUs() - this.#lastUs) / 1000;
  }

  async #deliver(batch: WaitingBatch): Promise<void> {
    const { queue, clock, resendLimit = Infinity, resendTimeoutMs } = this.#options;
    let pauseMs = Math.min(FIRST_PAUSE_MS, resendTimeoutMs);
    for (let tries = 0; !this.#stopping.signal.aborted; tries++) {
      const isTaken = await this.#try(batch, tries > 0);
      this.#lastUs = clock.nowUs();
      if (isTaken) {
        this.#sent += batch.events.length;
        return queue.acknowledge(batch);
      }
      if (tries >= resendLimit) {
        this.#dropped += batch.events.length;
        return queue.acknowledge(batch);
      }
      if (this.#stopping.signal.aborted) return;
      await this.#pause(pauseMs, Infinity);
      pauseMs = Math.min(pauseMs * 2, resendTimeoutMs);
    }
  }

  async #try({ events }: WaitingBatch, isAgain: boolean): Promise<boolean> {
    if (isAgain) this.#resent++;
    try {
      await this.#options.transport.send(events, this.#stopping.signal);
      if (this.#failure !== null) this.#options.log.info("the event sink takes events again", {});
      this.#failure = null;
      this.#complainedUs = -Infinity;
      return true;
    } catch (caught) {
      if (!this.#stopping.signal.aborted) this.#complain(caught, "the event sink did not take events");
      return false;
    }
  }

  #complain(caught: unknown, message: string): void {
    const { clock, log, queue } = this.#options;
    this.#failure = messageOf(caught);
    if (clock.nowUs() - this.#complainedUs < COMPLAINT_US) return;
    this.#complainedUs = clock.nowUs();
    const { waitingEvents, droppedEvents } = queue.figures();
    const dropped = droppedEvents + this.#dropped;
    log.warn(message, { reason: this.#failure, waitingEvents, droppedEvents: dropped });
  }

  /** Waits, at most until so many events wait, or the end. */
  async #pause(ms: number, wakesAt: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === Infinity ? null : this.#options.clock.schedule(ms, resolve);
    this.#wakesAt = wakesAt;
    this.#wake = resolve;
    await promise;
    this.#wake = null;
    timer?.cancel();
  }
}
