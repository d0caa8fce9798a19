import type { Socket } from "node:net";
import type { SendSocket } from "../../base/send-queue.ts";
import type { HttpReply } from "../../base/http-message.ts";
import type { BodyCarrier } from "./endless-body.ts";
import type { WireForm } from "./ready-replies.ts";
import { breakOff } from "./tls-socket.ts";

/** What a body in chunks needs of its connection. */
export type ChunkedStart = {
  readonly head: Buffer;
  /** Another reply on the same connection. */
  instead(reply: HttpReply): WireForm;
  /** The reply is written whole: the connection goes on. */
  onEnd(): void;
};

const LINE_END = Buffer.from("\r\n", "latin1");
const LAST_CHUNK = Buffer.from("0\r\n\r\n", "latin1");

/**
 * Carries a body in chunks, so that its end is seen and the connection can be kept. Every write is one chunk.
 * Spec: RFC 9112 section 7.1.
 */
export class ChunkedCarrier implements BodyCarrier {
  readonly socket: SendSocket;
  readonly #socket: Socket;
  readonly #start: ChunkedStart;

  constructor(socket: Socket, start: ChunkedStart) {
    this.socket = new ChunkedSocket(socket);
    this.#socket = socket;
    this.#start = start;
  }

  sendHead(): void {
    this.#socket.write(this.#start.head);
  }

  sendInstead(reply: HttpReply): void {
    const { first, rest } = this.#start.instead(reply);
    this.#socket.write(first);
    for (const chunk of rest) this.#socket.write(chunk);
    this.#start.onEnd();
  }

  finish(): void {
    this.#start.onEnd();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** What the kernel still has for the client is not sent either. */
  abort(): void {
    breakOff(this.#socket);
  }
}

/** The connection as a send queue sees it: what is written becomes chunks, and the end is the last chunk. */
class ChunkedSocket implements SendSocket {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get writable(): boolean {
    return this.#socket.writable;
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  get writableNeedDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    // A chunk of no bytes would be the last one.
    if (bytes.byteLength === 0) return !socket.writableNeedDrain;
    socket.cork();
    socket.write(`${bytes.byteLength.toString(16)}\r\n`, "latin1");
    socket.write(bytes);
    const isWanted = socket.write(LINE_END);
    socket.uncork();
    return isWanted;
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  end(): void {
    if (this.#socket.writable) this.#socket.write(LAST_CHUNK);
  }
}
