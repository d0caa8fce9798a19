/** Bodies of requests: those that are taken while they come, and the time that others have. */
import type { IncomingMessage } from "node:http";
import { systemClock } from "../../base/clock.ts";
import type { HttpReply, HttpUpload, HttpUploadStart, HttpUploadTaker } from "../../base/http-message.ts";

/** A body as it comes, of `node:http` or of a stream of HTTP/2. */
export type UploadSource = {
  /** All of it is there. */
  readonly complete: boolean;
  on(event: "data" | "end" | "error" | "close", run: (chunk: Buffer) => void): unknown;
  pause(): unknown;
  resume(): unknown;
};

/** How a body's taker and its client hear of each other. */
export type UploadParts = {
  readonly outgoing: { readonly destroyed: boolean };
  /** Sends the reply. */
  answer(reply: HttpReply): void;
  /** Sends the reply of a request whose body has not ended, and closes behind it. What still comes is dropped. */
  answerEarly(reply: HttpReply): void;
  /** The reply that tells an error. */
  failure(caught: unknown): HttpReply;
};

/** How long a body may take that nobody wants. Stops a client that sends it byte by byte to hold its connection. */
const UNWANTED_BODY_MS = 30_000;
/** Gives the body of a request a time after which its connection is closed. */
export function boundBody(incoming: IncomingMessage, limitMs = UNWANTED_BODY_MS): void {
  const { headers } = incoming;
  if (headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0") return;
  const timer = systemClock.schedule(limitMs, () => {
    if (!incoming.complete) incoming.socket.destroy();
  });
  incoming.once("end", () => timer.cancel());
  incoming.once("close", () => timer.cancel());
}

/**
 * Hands a body to its taker as it comes. A client that sends nothing for the listener's idle time is closed, by the
 * timeout of its socket.
 */
export function takeUpload(incoming: UploadSource, start: HttpUploadStart, parts: UploadParts): void {
  new Upload(incoming, parts).start(start);
}

class Upload implements HttpUpload {
  readonly #incoming: UploadSource;
  readonly #parts: UploadParts;
  #taker: HttpUploadTaker | null = null;
  #isOver = false;
  /** The body has ended, and the reply is not there yet. */
  #isAnswering = false;

  constructor(incoming: UploadSource, parts: UploadParts) {
    this.#incoming = incoming;
    this.#parts = parts;
  }

  start(start: HttpUploadStart): void {
    const incoming = this.#incoming;
    try {
      const taker = start(this);
      if (!this.#isOver) this.#taker = taker;
    } catch (caught) {
      this.fail(caught);
    }
    if (this.#isOver) return;
    incoming.on("data", (chunk: Buffer) => this.#write(chunk));
    incoming.on("end", () => this.#end());
    // A connection that breaks is an error of the request, too.
    incoming.on("error", () => {});
    incoming.on("close", () => this.#close("the connection closed before the body had ended"));
  }

  pause(): void {
    this.#incoming.pause();
  }

  resume(): void {
    this.#incoming.resume();
  }

  finish(reply: HttpReply): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#taker = null;
    this.#answer(reply);
  }

  fail(error: unknown): void {
    this.finish(this.#parts.failure(error));
  }

  #write(chunk: Buffer): void {
    const taker = this.#taker;
    if (taker === null) return;
    try {
      taker.write(chunk);
    } catch (caught) {
      this.#break(caught);
    }
  }

  #end(): void {
    const taker = this.#taker;
    if (taker === null) return;
    try {
      const reply = taker.end();
      this.#taker = null;
      if (reply instanceof Promise) void this.#finishLater(reply);
      else this.finish(reply);
    } catch (caught) {
      this.#break(caught);
    }
  }

  async #finishLater(reply: Promise<HttpReply>): Promise<void> {
    this.#isAnswering = true;
    try {
      this.finish(await reply);
    } catch (caught) {
      this.fail(caught);
    }
  }

  #break(caught: unknown): void {
    const reply = this.#parts.failure(caught);
    this.#close("what it sent could not be read");
    this.#answer(reply);
  }

  #close(reason: string): void {
    // A body that has ended closes as well.
    if (this.#isAnswering) return;
    const taker = this.#taker;
    this.#isOver = true;
    this.#taker = null;
    taker?.close(reason);
  }

  /** What is left of the body is dropped. */
  #answer(reply: HttpReply): void {
    const parts = this.#parts;
    const incoming = this.#incoming;
    if (parts.outgoing.destroyed) return;
    if (incoming.complete) {
      parts.answer(reply);
      return;
    }
    parts.answerEarly(reply);
    incoming.resume();
  }
}
