import { systemClock } from "../../base/clock.ts";
import type { Timer } from "../../base/clock.ts";
import type { HttpBodySink, HttpBodySource, HttpReply, HttpStream } from "../../base/http-message.ts";
import { SendQueue } from "../../base/send-queue.ts";
import type { SendSocket } from "../../base/send-queue.ts";

/** The connection under an endless body. */
export type BodyCarrier = {
  readonly socket: SendSocket;
  /** Sends the head; called once, before the first bytes. */
  sendHead(): void;
  /** Sends a whole reply where no head has been sent, and ends the connection. */
  sendInstead(reply: HttpReply): void;
  /** Ends the connection behind what has been sent. */
  finish(): void;
  /** Ends the connection at once. */
  destroy(): void;
  /** The same, so that nobody takes what was sent for the whole body; left out where `destroy` says so much. */
  abort?(): void;
};

/** Unsent bytes over which a viewer is closed: the source bounds what it writes, so this is for a source that fails to. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;

/** A body whose end nobody knows, on its way to one client. */
export class EndlessBody implements HttpBodySink {
  readonly #carrier: BodyCarrier;
  readonly #queue: SendQueue;
  #source: HttpBodySource | null = null;
  #isHeadSent = false;
  #isOver = false;
  #sentBytes = 0;
  #movedAtUs = systemClock.nowUs();

  constructor(carrier: BodyCarrier) {
    this.#carrier = carrier;
    this.#queue = new SendQueue(carrier.socket, MAX_UNSENT_BYTES);
  }

  /** Starts the source. Throws what it throws, when nothing has been sent; after the first bytes the client is cut off. */
  start(stream: HttpStream): void {
    let source: HttpBodySource;
    try {
      source = stream(this);
    } catch (caught) {
      if (!this.#isHeadSent && !this.#isOver) throw caught;
      this.destroy();
      return;
    }
    if (this.#isOver) {
      if (this.#queue.isOverflowing) source.close();
      return;
    }
    this.#source = source;
  }

  write(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { socket } = this.#carrier;
    const isFirst = !this.#isHeadSent;
    if (isFirst) {
      socket.cork();
      this.#sendHead();
    }
    const isTaken = this.#queue.write(bytes);
    if (isFirst) socket.uncork();
    if (!isTaken) this.destroy();
  }

  queuedBytes(): number {
    return this.#isOver ? 0 : this.#queue.unsentBytes;
  }

  end(instead?: HttpReply): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source = null;
    if (instead !== undefined && !this.#isHeadSent) {
      this.#carrier.sendInstead(instead);
      return;
    }
    if (!this.#isHeadSent) this.#sendHead();
    this.#queue.end();
    this.#carrier.finish();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#source = null;
    this.left();
    if (this.#carrier.abort === undefined) this.#carrier.destroy();
    else this.#carrier.abort();
  }

  /** To be called when the connection has drained. */
  drained(): void {
    this.#queue.drained();
    if (!this.#isOver) this.#source?.drained?.();
  }

  /** To be called when the client has left or the connection is gone: the source ends, what waits is forgotten. */
  left(): void {
    this.#isOver = true;
    const source = this.#source;
    this.#source = null;
    this.#queue.discard();
    source?.close();
  }

  /** Ends the connection at once, and the source. */
  destroy(): void {
    this.left();
    this.#carrier.destroy();
  }

  /** The head has been sent. */
  get hasBegun(): boolean {
    return this.#isHeadSent;
  }

  /** Whether the client has taken nothing for so long although something waited for it. */
  isStuck(nowUs: number, limitUs: number): boolean {
    const { unsentBytes, sentBytes } = this.#queue;
    if (unsentBytes === 0 || sentBytes !== this.#sentBytes) {
      this.#sentBytes = sentBytes;
      this.#movedAtUs = nowUs;
      return false;
    }
    return nowUs - this.#movedAtUs >= limitUs;
  }

  #sendHead(): void {
    this.#isHeadSent = true;
    this.#carrier.sendHead();
  }
}

/** The endless bodies of a listener, with one timer for all that ends those whose client takes nothing. */
export class EndlessBodies {
  /** How long a client may take nothing; may change. */
  idleTimeoutMs: number;
  readonly #open = new Set<EndlessBody>();
  #timer: Timer | null = null;

  constructor(idleTimeoutMs: number) {
    this.idleTimeoutMs = idleTimeoutMs;
  }

  /** Bodies under way. */
  get size(): number {
    return this.#open.size;
  }

  /** Watches a body until `delete`. */
  add(body: EndlessBody): void {
    this.#open.add(body);
    this.#timer ??= this.#schedule();
  }

  /** Forgets a body whose connection is gone. */
  delete(body: EndlessBody): void {
    this.#open.delete(body);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Ends all at once. */
  destroy(): void {
    for (const body of this.#open) body.destroy();
  }

  #schedule(): Timer {
    return systemClock.schedule(Math.max(20, this.idleTimeoutMs / 8), () => {
      const nowUs = systemClock.nowUs();
      for (const body of this.#open) if (body.isStuck(nowUs, this.idleTimeoutMs * 1000)) body.destroy();
      this.#timer = this.#open.size === 0 ? null : this.#schedule();
    });
  }
}
