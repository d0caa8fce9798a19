/** Endless bodies on the two kinds of connection: a plain one's socket, and a reply of `node:http`. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "../../base/clock.ts";
import type { HttpReply, HttpStream } from "../../base/http-message.ts";
import type { SendSocket } from "../../base/send-queue.ts";
import { EndlessBody } from "./endless-body.ts";
import type { BodyCarrier, EndlessBodies } from "./endless-body.ts";
import type { WireReply } from "./finish-reply.ts";
import type { WireForm } from "./ready-replies.ts";
import { LARGE_BODY_BYTES, replyDeadlineMs } from "./reply-budget.ts";
import { breakOff } from "./tls-socket.ts";

/** Of what a client sends that only has to read, so much is dropped before it is cut off. */
const MAX_IGNORED_BYTES = 64 * 1024;

/** What goes out before an endless body, and in place of it. */
export type EndlessStart<Head, Whole> = {
  readonly head: Head;
  /** It is sent in chunks; for `streamToResponse`. */
  readonly isChunked?: boolean;
  readonly stream: HttpStream;
  /** True once no connection is to be kept; for `streamToResponse`. */
  isStopping?(): boolean;
  /** Another reply, for a connection that is closed behind it. */
  instead(reply: HttpReply): Whole;
};

/**
 * Makes a socket the carrier of an endless body. What the client still sends is dropped; when it leaves, the source
 * ends. Throws what the source throws at its start, with nothing sent.
 */
export function streamToSocket(
  socket: Socket,
  bodies: EndlessBodies,
  start: EndlessStart<Buffer, WireForm>,
): void {
  const body = new EndlessBody(new SocketCarrier(socket, start));
  body.start(start.stream);
  const limitBytes = socket.bytesRead + MAX_IGNORED_BYTES;
  socket.on("data", () => {
    if (socket.bytesRead > limitBytes) body.destroy();
  });
  socket.on("drain", () => body.drained());
  socket.on("end", () => body.destroy());
  watch(socket, bodies, body);
  // It may have been paused with bytes behind the request; its end would not be seen.
  socket.resume();
}

/** The same on a reply of `node:http`, without the chunked coding that it would choose unless that is asked for. */
export function streamToResponse(
  outgoing: ServerResponse,
  bodies: EndlessBodies,
  start: EndlessStart<WireReply, WireReply>,
): void {
  const body = new EndlessBody(new ResponseCarrier(outgoing, start));
  body.start(start.stream);
  outgoing.setTimeout(0);
  outgoing.on("drain", () => body.drained());
  watch(outgoing, bodies, body);
}

/** Sends a reply of known length, chunk by chunk as the connection takes them. */
export function sendResponse(outgoing: ServerResponse, { status, headers, body }: WireReply): void {
  outgoing.writeHead(status, headers);
  for (let i = 0; i < body.length - 1; i++) outgoing.write(body[i]);
  outgoing.end(body[body.length - 1]);
}

function watch(connection: Socket | ServerResponse, bodies: EndlessBodies, body: EndlessBody): void {
  bodies.add(body);
  connection.on("close", () => {
    bodies.delete(body);
    body.left();
  });
}

class SocketCarrier implements BodyCarrier {
  readonly socket: Socket;
  #start: EndlessStart<Buffer, WireForm> | null;

  constructor(socket: Socket, start: EndlessStart<Buffer, WireForm>) {
    this.socket = socket;
    this.#start = start;
  }

  sendHead(): void {
    if (this.#start !== null) this.socket.write(this.#start.head);
    this.#start = null;
  }

  sendInstead(reply: HttpReply): void {
    if (this.#start !== null) {
      const { first, rest } = this.#start.instead(reply);
      this.socket.write(first);
      for (const chunk of rest) this.socket.write(chunk);
    }
    this.finish();
  }

  finish(): void {
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  abort(): void {
    // The end of the connection would be the end of the body; a reset is none.
    breakOff(this.socket);
  }
}

class ResponseCarrier implements BodyCarrier {
  readonly socket: SendSocket;
  readonly #outgoing: ServerResponse;
  readonly #start: EndlessStart<WireReply, WireReply>;

  constructor(outgoing: ServerResponse, start: EndlessStart<WireReply, WireReply>) {
    this.#outgoing = outgoing;
    this.#start = start;
    this.socket = new ResponseSocket(outgoing);
  }

  sendHead(): void {
    const { status, headers } = this.#start.head;
    this.#decide();
    if (this.#start.isChunked === true) {
      this.#outgoing.writeHead(status, headers);
      return;
    }
    // Neither a length nor chunks: the end of the connection ends the body. Spec: RFC 9112 section 6.3.
    this.#outgoing.removeHeader("transfer-encoding");
    this.#outgoing.writeHead(status, [...headers, "Connection", "close"]);
  }

  sendInstead(reply: HttpReply): void {
    const whole = this.#start.instead(reply);
    this.#decide();
    const closing = this.#start.isChunked === true ? [] : ["Connection", "close"];
    sendResponse(this.#outgoing, { ...whole, headers: [...whole.headers, ...closing] });
  }

  /** What becomes of the connection is decided when the head goes out, which may be long after the request. */
  #decide(): void {
    if (this.#start.isStopping?.() === true) this.#outgoing.shouldKeepAlive = false;
  }

  /** `node:http` closes behind a reply that says so. */
  finish(): void {
    const unsentBytes = this.#outgoing.writableLength;
    if (unsentBytes < LARGE_BODY_BYTES) return;
    const late = systemClock.schedule(replyDeadlineMs(unsentBytes), () => this.destroy());
    this.#outgoing.once("close", () => late.cancel());
  }

  destroy(): void {
    this.#outgoing.destroy();
  }

  abort(): void {
    const hasChunks = this.#start.isChunked === true && this.#outgoing.req.httpVersion !== "1.0";
    if (hasChunks) this.destroy();
    else if (this.#outgoing.socket !== null) breakOff(this.#outgoing.socket);
  }
}

/** A reply of `node:http` as a send queue sees it. */
class ResponseSocket implements SendSocket {
  readonly #outgoing: ServerResponse;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
  }

  get writable(): boolean {
    return !this.#outgoing.writableEnded && !this.#outgoing.destroyed;
  }

  get writableLength(): number {
    return this.#outgoing.writableLength;
  }

  get writableNeedDrain(): boolean {
    return this.#outgoing.writableNeedDrain;
  }

  get bytesWritten(): number {
    return this.#outgoing.socket?.bytesWritten ?? 0;
  }

  write(bytes: Uint8Array): boolean {
    return this.#outgoing.write(bytes);
  }

  cork(): void {
    this.#outgoing.cork();
  }

  uncork(): void {
    this.#outgoing.uncork();
  }

  end(): void {
    this.#outgoing.end();
  }
}
