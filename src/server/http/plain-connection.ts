import type { Socket } from "node:net";
import type { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import type { HttpFile, HttpReply, HttpStream, RequestMemory } from "../../base/http-message.ts";
import type { Answers } from "./answers.ts";
import { ChunkedCarrier } from "./chunked-socket.ts";
import { EndlessBody } from "./endless-body.ts";
import type { EndlessBodies } from "./endless-body.ts";
import { FileBody, PIECE_BYTES } from "./file-body.ts";
import { streamToSocket } from "./endless-replies.ts";
import type { HeadMemory } from "./head-memory.ts";
import { PlainRequest, parsePlainHead } from "./plain-request.ts";
import type { PlainHead } from "./plain-request.ts";
import type { ReadyReplies, WireForm } from "./ready-replies.ts";
import { totalBytes } from "../../base/bytes.ts";
import { LARGE_BODY_BYTES, ReplyHold } from "./reply-budget.ts";
import type { ReplyBudget } from "./reply-budget.ts";
import { breakOff } from "./tls-socket.ts";

/** What the connections of one listener share. */
export type ConnectionParts = {
  readonly answers: Answers;
  readonly ready: ReadyReplies;
  readonly heads: HeadMemory;
  readonly budget: ReplyBudget;
  readonly bodies: EndlessBodies;
  readonly idleTimeoutMs: number;
  /** From the connection's begin to its first bytes. */
  readonly headTimeoutMs: number;
  /** Those in force; `null`: there are none. */
  proxies(): TrustedProxies | null;
  /** True once the listener ends: no connection is kept open. */
  isStopping(): boolean;
  /** Says in the log that the budget is spent. */
  onBusy(): void;
  /** Says to a client why it is not served, and closes; `code` as `node:http` names it. */
  refuse(code: string, socket: Socket): void;
  /** Takes over a connection whose unread bytes are back in its socket. */
  handOver(socket: Socket): void;
  /** The connection is neither idle nor answering any more: it ended, was handed over or became a body. */
  onLeft(connection: PlainConnection): void;
};

/** Requests that are answered in one go; more of them wait for the next turn of the event loop. */
const MAX_BURST = 64;

/**
 * A connection while its requests are plain. One request is answered at a time; what was read behind it goes back into
 * the socket, which then reads no more: that bounds pipelining. A request that is not plain leaves with all behind it.
 */
export class PlainConnection implements RequestMemory {
  /** What handlers keep between its requests. */
  kept: unknown = null;
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  #hold: ReplyHold | null = null;
  /** A body in chunks that is under way. */
  #body: EndlessBody | null = null;
  /** A file that is being sent. */
  #file: FileBody | null = null;
  #hasRead = false;
  /** The request that is being answered later. */
  #answering: PlainRequest | null = null;
  /** Bytes wait in the socket. */
  #isPaused = false;
  /** The client sends no more. */
  #hasEnded = false;
  /** Nothing more is read or said here. */
  #isOver = false;
  /** The socket is somebody else's. */
  #isDetached = false;
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onDrain = (): void => this.#proceed();
  readonly #onEnd = (): void => this.#end();
  readonly #onTimeout = (): void => this.#timeOut();
  readonly #onClose = (): void => this.#leave();

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("end", this.#onEnd);
    socket.on("timeout", this.#onTimeout);
    socket.on("close", this.#onClose);
    socket.setTimeout(Math.min(parts.headTimeoutMs, parts.idleTimeoutMs));
  }

  /** Nothing is being answered, and nothing waits to be sent. */
  get isIdle(): boolean {
    return !this.#isBlocked() && !this.#isPaused && this.#socket.writableLength === 0;
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Takes bytes of a buffer that all connections are read into: they are good until this returns. Returns: `false` when
   * whoever has the socket now wants no more for the moment.
   */
  receive(bytes: Uint8Array): boolean {
    if (this.#isDetached) return this.#socket.push(Buffer.from(bytes));
    const head = this.#isOver || this.#isBlocked() ? null : this.#parts.heads.find(bytes);
    if (head === null) this.#read(Buffer.from(bytes));
    else {
      this.#noteFirst();
      this.#answer(head);
    }
    return true;
  }

  #noteFirst(): void {
    if (this.#hasRead) return;
    this.#hasRead = true;
    this.#socket.setTimeout(this.#parts.idleTimeoutMs);
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#noteFirst();
    let offset = 0;
    let isCorked = false;
    for (let count = 0; offset < chunk.length && !this.#isOver; count++) {
      if (count === MAX_BURST || this.#isBlocked()) {
        this.#putBack(chunk.subarray(offset));
        break;
      }
      const head = offset === 0 ? this.#parts.heads.read(chunk) : parsePlainHead(chunk, offset);
      if (head === null) {
        this.#handOver(chunk.subarray(offset));
        break;
      }
      offset = head.endOffset;
      if (!isCorked && offset < chunk.length) {
        isCorked = true;
        this.#socket.cork();
      }
      this.#answer(head);
    }
    if (isCorked) this.#socket.uncork();
  }

  #isBlocked(): boolean {
    const isSending = this.#hold !== null || this.#body !== null || this.#file !== null;
    return this.#answering !== null || isSending || this.#socket.writableNeedDrain;
  }

  /** Leaves the rest in the socket, which reads no more until it is taken up again. */
  #putBack(rest: Buffer): void {
    this.#socket.pause();
    this.#socket.unshift(rest);
    this.#isPaused = true;
    if (!this.#isBlocked()) setImmediate(this.#onDrain);
  }

  /** Goes on where something may have been in the way. */
  #proceed(): void {
    this.#body?.drained();
    if (this.#isOver || this.#isBlocked()) return;
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    } else if (this.#hasEnded || (this.#parts.isStopping() && this.isIdle)) {
      this.#finish();
    }
  }

  #answer(head: PlainHead): void {
    const request = this.#request(head);
    const reply = this.#parts.answers.reply(request, head.target);
    if (!(reply instanceof Promise)) {
      this.#send(head, request, reply);
      return;
    }
    this.#answering = request;
    void reply.then((late) => this.#answerLate(head, request, late));
  }

  /** Of a proxy, each request is somebody else's: nothing is kept from one to the next. */
  #request(head: PlainHead): PlainRequest {
    const socket = this.#socket;
    const proxies = this.#parts.proxies();
    const client = proxies?.clientOf(socket.remoteAddress ?? "", (name) => head.header(name)) ?? null;
    return client === null
      ? new PlainRequest(head, socket, this)
      : new PlainRequest(head, socket, { kept: null }, client);
  }

  #answerLate(head: PlainHead, request: PlainRequest, late: HttpReply): void {
    this.#answering = null;
    if (this.#isOver) {
      late.release?.();
      return;
    }
    this.#send(head, request, late);
    this.#proceed();
  }

  #send(head: PlainHead, request: PlainRequest, reply: HttpReply): void {
    if (reply.stream !== undefined && !head.isHead) {
      if (reply.isChunked === true) this.#sendChunks(head, request, reply, reply.stream);
      else this.#become(head, request, reply, reply.stream);
      return;
    }
    if (reply.file !== undefined) {
      this.#sendFile(head, request, reply, reply.file);
      return;
    }
    const { budget } = this.#parts;
    const ownBytes = head.isHead ? 0 : (reply.ownBytes ?? 0);
    const sentBytes = head.isHead ? 0 : totalBytes(reply.body);
    if (ownBytes === 0 && sentBytes < LARGE_BODY_BYTES && reply.release === undefined) {
      this.#write(this.#form(head, request, reply));
    } else if (ownBytes === 0 || budget.take(ownBytes)) {
      const hold = new ReplyHold(budget, { ownBytes, sentBytes, reply }, () => this.#socket.destroy());
      this.#hold = hold;
      this.#write(this.#form(head, request, reply), () => this.#release(hold));
    } else {
      reply.release?.();
      this.#parts.onBusy();
      this.#write(this.#form(head, request, this.#parts.answers.busy()));
    }
    if (!this.#keepsOpen(head)) this.#finish();
  }

  #keepsOpen(head: PlainHead): boolean {
    return !head.wantsClose && !this.#parts.isStopping();
  }

  #form(head: PlainHead, request: PlainRequest, reply: HttpReply): WireForm {
    const { ready, answers } = this.#parts;
    const keepsOpen = this.#keepsOpen(head);
    try {
      return ready.form(request, head.traits, reply, keepsOpen);
    } catch (caught) {
      const failure = answers.failure(caught, head.target.rawPath);
      return ready.form(request, head.traits, failure, keepsOpen);
    }
  }

  #write({ first, rest }: WireForm, onSent?: () => void): void {
    const socket = this.#socket;
    const last = rest.at(-1);
    if (last === undefined) {
      socket.write(first, onSent);
      return;
    }
    socket.cork();
    socket.write(first);
    for (let i = 0; i < rest.length - 1; i++) socket.write(rest[i]!);
    socket.write(last, onSent);
    socket.uncork();
  }

  #release(hold: ReplyHold): void {
    hold.release();
    if (this.#hold !== hold) return;
    this.#hold = null;
    this.#proceed();
  }

  /** Sends a body in chunks and goes on behind it. */
  #sendChunks(head: PlainHead, request: PlainRequest, reply: HttpReply, stream: HttpStream): void {
    const { ready, answers, bodies } = this.#parts;
    const keepsOpen = this.#keepsOpen(head);
    try {
      const carrier = new ChunkedCarrier(this.#socket, {
        head: ready.streamHead(request, reply, keepsOpen),
        instead: (other) => this.#form(head, request, other),
        onEnd: () => {
          this.#dropBody();
          this.#boundRest();
          if (keepsOpen) this.#proceed();
          else this.#finish();
        },
      });
      this.#body = new EndlessBody(carrier);
      bodies.add(this.#body);
      this.#body.start(stream);
    } catch (caught) {
      this.#dropBody();
      this.#write(this.#form(head, request, answers.failure(caught, head.target.rawPath)));
      if (!keepsOpen) this.#finish();
    }
  }

  /** What is left of a body in chunks has as long as a whole body of that size. */
  #boundRest(): void {
    const socket = this.#socket;
    if (socket.writableLength < LARGE_BODY_BYTES) return;
    const held = { ownBytes: 0, sentBytes: socket.writableLength };
    const hold = new ReplyHold(this.#parts.budget, held, () => socket.destroy());
    this.#hold = hold;
    socket.write("", () => this.#release(hold));
  }

  /** Sends a file piece by piece and goes on behind it. */
  #sendFile(head: PlainHead, request: PlainRequest, reply: HttpReply, file: HttpFile): void {
    const { ready, budget, answers } = this.#parts;
    const keepsOpen = this.#keepsOpen(head);
    const { head: bytes, range } = ready.fileHead(request, reply, file, keepsOpen);
    const isBusy = range !== null && !budget.take(PIECE_BYTES);
    if (isBusy) this.#parts.onBusy();
    if (isBusy) this.#write(this.#form(head, request, answers.busy()));
    else this.#socket.write(bytes);
    if (range === null || isBusy) {
      if (!keepsOpen) this.#finish();
      return;
    }
    const socket = this.#socket;
    const body = new FileBody(file, range, {
      write: (piece, onTaken) => void socket.write(piece, onTaken),
      destroy: () => breakOff(socket),
    });
    this.#file = body;
    void this.#runFile(body, head, keepsOpen);
  }

  async #runFile(body: FileBody, head: PlainHead, keepsOpen: boolean): Promise<void> {
    const end = await body.run();
    this.#parts.budget.give(PIECE_BYTES);
    this.#file = null;
    // Too late for another reply: it is for the log.
    if (typeof end === "object") this.#parts.answers.failure(end.failure, head.target.rawPath);
    if (this.#isOver) return;
    if (keepsOpen) this.#proceed();
    else this.#finish();
  }

  #dropBody(): void {
    if (this.#body !== null) this.#parts.bodies.delete(this.#body);
    this.#body = null;
  }

  /** The connection belongs to an endless body from here on; of this object only `receive` stays with it. */
  #become(head: PlainHead, request: PlainRequest, reply: HttpReply, stream: HttpStream): void {
    const { ready, answers, bodies } = this.#parts;
    const { traits } = head;
    const socket = this.#socket;
    this.#detach();
    try {
      streamToSocket(socket, bodies, {
        head: ready.streamHead(request, reply, false),
        stream,
        instead: (other) => ready.form(request, traits, other, false),
      });
    } catch (caught) {
      const failure = answers.failure(caught, head.target.rawPath);
      socket.setTimeout(this.#parts.idleTimeoutMs, () => socket.destroy());
      socket.write(ready.form(request, traits, failure, false).first);
      socket.destroySoon();
    }
  }

  #handOver(rest: Buffer): void {
    const socket = this.#socket;
    this.#detach();
    socket.pause();
    socket.unshift(rest);
    this.#parts.handOver(socket);
    socket.resume();
  }

  #end(): void {
    this.#hasEnded = true;
    // Who waits for what may be long in coming, and sends its end meanwhile, is taken to have left.
    const isWaiting = this.#body !== null && !this.#body.hasBegun;
    if (isWaiting) this.#body!.destroy();
    else if (this.#answering?.leave() === true) this.#finish();
    else this.#proceed();
  }

  #timeOut(): void {
    const { headTimeoutMs, idleTimeoutMs } = this.#parts;
    const isLateHead = !this.#hasRead && headTimeoutMs < idleTimeoutMs;
    if (isLateHead) this.#parts.refuse("ERR_HTTP_REQUEST_TIMEOUT", this.#socket);
    else this.#socket.destroy();
  }

  /** Closes behind what is being sent. */
  #finish(): void {
    this.#isOver = true;
    this.#socket.destroySoon();
  }

  #leave(): void {
    this.#isOver = true;
    this.#hold?.release();
    this.#hold = null;
    this.#body?.left();
    this.#file?.left();
    this.#dropBody();
    this.#answering?.leave();
    this.#answering = null;
    this.#parts.onLeft(this);
  }

  #detach(): void {
    const socket = this.#socket;
    socket.off("data", this.#onData);
    socket.off("drain", this.#onDrain);
    socket.off("end", this.#onEnd);
    socket.off("timeout", this.#onTimeout);
    socket.off("close", this.#onClose);
    socket.setTimeout(0);
    this.#isDetached = true;
    this.#leave();
  }
}
