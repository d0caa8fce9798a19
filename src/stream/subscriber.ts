import type { ByteSink, SubscriptionEnd, Subscription } from "./wire-format.ts";

/** Bounds of what one subscriber may keep waiting. */
export type FanoutLimits = {
  /** A subscriber with more than this many seconds of the stream unsent is made to wait for a GOP. */
  readonly maxQueuedSeconds: number;
  /** The same in bytes, whatever the bit rate. */
  readonly minQueuedBytes: number;
  readonly maxQueuedBytes: number;
  /** A subscriber that stays over the bound this long is ended. */
  readonly maxStalledUs: number;
  /** A subscriber that falls back this often within `resyncWindowUs` is ended. */
  readonly maxResyncs: number;
  readonly resyncWindowUs: number;
};

/** Four seconds of stream, at most 8 MiB, per subscriber. */
export const DEFAULT_FANOUT_LIMITS: FanoutLimits = {
  maxQueuedSeconds: 4,
  minQueuedBytes: 256 * 1024,
  maxQueuedBytes: 8 * 1024 * 1024,
  maxStalledUs: 30_000_000,
  maxResyncs: 10,
  resyncWindowUs: 60_000_000,
};

/** What a subscriber begins with: a configuration and the bytes from a GOP start on. */
export type Opening = {
  /** For those who have got nothing yet. */
  readonly preamble: Uint8Array | null;
  readonly chunks: readonly Uint8Array[];
  readonly lengthBytes: number;
};

/** One flush, as the different subscribers need it. */
export type Flush = {
  readonly chunks: readonly Uint8Array[];
  /** What a subscriber may have waiting now. */
  readonly limitBytes: number;
  readonly nowUs: number;
  /** From the first or the last GOP that starts in the flush; `null` where none does. */
  openingAt(gop: "first" | "last"): Opening | null;
};

/** What a subscriber is part of. */
export type SubscriberOwner = {
  /** A subscriber has begun, or ceased, to be written to. */
  written(isOn: boolean): void;
  /** A subscriber fell back. */
  fellBack(): void;
  /** A subscriber is closed since it never caught up. */
  endedSlow(): void;
  readonly limits: FanoutLimits;
  /** Forgets a subscriber; again without effect. */
  remove(subscriber: Subscriber): void;
};

/**
 * One viewer of a stream's bytes: flowing, or waiting for a GOP because it has just come or fell back.
 *
 * Its queue is its connection's own; it is looked at once per flush, never per packet.
 */
export class Subscriber implements Subscription {
  readonly #owner: SubscriberOwner;
  readonly #sink: ByteSink;
  /** `joining` starts with the next GOP there is; `fell-back` skips to the newest. */
  #state: "flowing" | "joining" | "fell-back" = "joining";
  #hasStarted = false;
  #isWritten = true;
  /** Bytes of the past that it was given at once and has not taken yet: they do not count as falling behind. */
  #allowanceBytes = 0;
  #stalledSinceUs = -1;
  /** The least that it had queued since then: while that falls it reads, slowly, and is not stalled. */
  #leastQueuedBytes = 0;
  #resyncs = 0;
  #resyncWindowStartUs = 0;

  constructor(owner: SubscriberOwner, sink: ByteSink) {
    this.#owner = owner;
    this.#sink = sink;
  }

  /** Gives it the bytes from a GOP on; what comes after them follows. */
  begin(opening: Opening): void {
    this.#setWritten(true);
    this.#state = "flowing";
    this.#allowanceBytes = opening.lengthBytes;
    if (!this.#hasStarted && opening.preamble !== null) this.#sink.write(opening.preamble);
    this.#hasStarted = true;
    for (const chunk of opening.chunks) this.#sink.write(chunk);
  }

  /** Gives it a flush, as far as it keeps up. Returns: false when it missed the flush. */
  take(flush: Flush): boolean {
    const queuedBytes = this.#sink.queuedBytes();
    if (queuedBytes < this.#allowanceBytes) this.#allowanceBytes = queuedBytes;
    if (queuedBytes > flush.limitBytes + this.#allowanceBytes) {
      this.#fallBack(queuedBytes, flush.nowUs);
      return false;
    }
    this.#stalledSinceUs = -1;
    if (this.#state === "flowing") {
      for (const chunk of flush.chunks) this.#sink.write(chunk);
      return true;
    }
    if (queuedBytes > flush.limitBytes / 2) return true;
    const opening = flush.openingAt(this.#state === "joining" ? "first" : "last");
    if (opening !== null) this.begin(opening);
    return true;
  }

  /** Tells the connection that it is over. The owner has forgotten it before. */
  end(reason: SubscriptionEnd): void {
    this.#sink.end(reason);
  }

  close(): void {
    this.#owner.remove(this);
  }

  /** Whether it costs writes: the owner counts those who do. */
  get isWritten(): boolean {
    return this.#isWritten;
  }

  #setWritten(isOn: boolean): void {
    if (this.#isWritten === isOn) return;
    this.#isWritten = isOn;
    this.#owner.written(isOn);
  }

  #fallBack(queuedBytes: number, nowUs: number): void {
    const { maxStalledUs, maxResyncs, resyncWindowUs } = this.#owner.limits;
    if (this.#stalledSinceUs < 0 || queuedBytes < this.#leastQueuedBytes) {
      this.#stalledSinceUs = nowUs;
      this.#leastQueuedBytes = queuedBytes;
    }
    if (this.#state === "flowing") {
      this.#setWritten(false);
      this.#state = "fell-back";
      if (nowUs - this.#resyncWindowStartUs > resyncWindowUs) {
        this.#resyncWindowStartUs = nowUs;
        this.#resyncs = 0;
      }
      this.#resyncs++;
      this.#owner.fellBack();
    }
    if (nowUs - this.#stalledSinceUs <= maxStalledUs && this.#resyncs <= maxResyncs) return;
    this.#owner.endedSlow();
    this.#owner.remove(this);
    this.end("too-slow");
  }
}
