import type { Clock, Timer } from "./clock.ts";
import { defineErrors, MediaError } from "./errors.ts";
import type { Disposition } from "./errors.ts";

/** Errors of talking to another thread. */
export const channelErrors = defineErrors({
  CHANNEL_CLOSED: {
    disposition: "retry",
    httpStatus: 503,
    message: "the thread that was to answer is gone",
    doc: "A media thread ended while it was asked something. It is replaced within a second or two: ask again.",
  },
  CHANNEL_BUSY: {
    disposition: "retry",
    httpStatus: 503,
    message: "{limit} questions to another thread wait for an answer",
    doc: "A thread answers too slowly. See the event-loop delay of the threads; ask again in a few seconds.",
  },
  CHANNEL_LATE: {
    disposition: "retry",
    httpStatus: 503,
    message: 'another thread did not answer "{what}" in {limitMs} ms',
    doc: "A thread hangs or has too much to do; one that hangs is replaced. Ask again in a few seconds.",
  },
});

/**
 * One end of an ordered channel of messages to another thread. Messages are structured clones: shared memory is shared.
 * `transfer`: what is moved instead of being cloned, such as message ports.
 */
export type MessageWire = {
  post(message: unknown, transfer?: readonly object[]): void;
  /** Who takes what arrives; called once, before the first message may come. */
  listen(take: (message: unknown) => void): void;
  close(): void;
};

/** What one side may be asked or told: names, with the shape of the argument and of the answer. */
export type Calls = { readonly [what: string]: { readonly argument: unknown; readonly answer: unknown } };

/** What answers the calls of the other side; for `tell` the answer is thrown away. */
export type CallHandlers<Ours extends Calls> = {
  readonly [What in keyof Ours]: (
    argument: Ours[What]["argument"],
  ) => Ours[What]["answer"] | Promise<Ours[What]["answer"]>;
};

/** How long an answer may take. */
export type AnswerLimit = { readonly clock: Clock; readonly ms: number };

type Tell = { readonly type: "tell"; readonly what: string; readonly argument: unknown };
type Ask = { readonly type: "ask"; readonly id: number; readonly what: string; readonly argument: unknown };
type Answer = { readonly type: "answer"; readonly id: number; readonly value: unknown };
type Refusal = { readonly type: "refusal"; readonly id: number; readonly error: PackedError };
type Message = Tell | Ask | Answer | Refusal;

type Waiting = {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly deadline: Timer | undefined;
};

/** A `MediaError` as data; other errors travel as their message. */
type PackedError = {
  readonly code: string | null;
  readonly disposition: Disposition;
  readonly httpStatus: number;
  readonly message: string;
};

const MAX_WAITING = 10_000;

/**
 * Questions, answers and plain words between two threads. `Theirs`: what the other side answers; `Ours`: what this side
 * does. Messages arrive in the order in which they were sent.
 *
 * Bounded: `MAX_WAITING` unanswered questions. A `MediaError` that a handler throws arrives as one.
 */
export class Channel<Theirs extends Calls, Ours extends Calls> {
  static readonly MAX_WAITING = MAX_WAITING;

  readonly #wire: MessageWire;
  readonly #handlers: CallHandlers<Ours>;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #closed = false;

  constructor(wire: MessageWire, handlers: CallHandlers<Ours>) {
    this.#wire = wire;
    this.#handlers = handlers;
    wire.listen((message) => this.#take(message as Message));
  }

  /** Says something that needs no answer. */
  tell<What extends keyof Theirs & string>(
    what: What,
    argument: Theirs[What]["argument"],
    transfer?: readonly object[],
  ): void {
    if (!this.#closed) this.#wire.post({ type: "tell", what, argument } satisfies Tell, transfer);
  }

  /** Asks. Rejects with the handler's error, CHANNEL_CLOSED, CHANNEL_BUSY or, with a limit, CHANNEL_LATE. */
  ask<What extends keyof Theirs & string>(
    what: What,
    argument: Theirs[What]["argument"],
    limit?: AnswerLimit,
  ): Promise<Theirs[What]["answer"]> {
    if (this.#closed) return Promise.reject(channelErrors.error("CHANNEL_CLOSED"));
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(channelErrors.error("CHANNEL_BUSY", { limit: MAX_WAITING }));
    }
    const id = this.#nextId++;
    const deadline = limit?.clock.schedule(limit.ms, () => {
      this.#settle(id)?.reject(channelErrors.error("CHANNEL_LATE", { what, limitMs: limit.ms }));
    });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, deadline });
      this.#wire.post({ type: "ask", id, what, argument } satisfies Ask);
    });
  }

  /** Ends the channel: what waits for an answer fails. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wire.close();
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id)?.reject(channelErrors.error("CHANNEL_CLOSED"));
    }
  }

  #take(message: Message): void {
    if (this.#closed) return;
    switch (message.type) {
      case "tell":
        void this.#handlers[message.what as keyof Ours](message.argument);
        return;
      case "ask":
        void this.#answer(message);
        return;
      case "answer":
        this.#settle(message.id)?.resolve(message.value);
        return;
      case "refusal":
        this.#settle(message.id)?.reject(unpackError(message.error));
    }
  }

  async #answer({ id, what, argument }: Ask): Promise<void> {
    let reply: Answer | Refusal;
    try {
      const value = await this.#handlers[what as keyof Ours](argument);
      reply = { type: "answer", id, value };
      if (!this.#closed) this.#wire.post(reply);
    } catch (caught) {
      reply = { type: "refusal", id, error: packError(caught) };
      if (!this.#closed) this.#wire.post(reply);
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.deadline?.cancel();
    return waiting;
  }
}

function packError(caught: unknown): PackedError {
  if (caught instanceof MediaError) {
    const { code, disposition, httpStatus, message } = caught;
    return { code, disposition, httpStatus, message };
  }
  const message = caught instanceof Error ? caught.message : String(caught);
  return { code: null, disposition: "retry", httpStatus: 500, message };
}

function unpackError({ code, disposition, httpStatus, message }: PackedError): Error {
  return code === null
    ? new Error(message)
    : new MediaError(code, { disposition, message, doc: "", httpStatus }, {});
}
