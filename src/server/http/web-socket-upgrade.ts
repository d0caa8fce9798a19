/** The way from a request that asks for a WebSocket to one, or to the reply that refuses it. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest, WebSocketStart } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import { CLOSE_CODE } from "../../base/web-socket/errors.ts";
import { WEB_SOCKET_VERSION, acceptHandshake } from "../../base/web-socket/handshake.ts";
import type { Answers } from "./answers.ts";
import type { EndlessBodies } from "./endless-body.ts";
import { readRequest } from "./node-exchange.ts";
import type { HeadTraits } from "./plain-request.ts";
import type { ReadyReplies } from "./ready-replies.ts";
import { readTarget } from "./request-target.ts";
import type { WebSocketConnection } from "./web-socket.ts";

/** What speaks with a client whose handshake is accepted. */
const connections = late("WebSockets", () => import("./web-socket.ts"));

/** What a WebSocket is made with: the listener's present settings. */
export type WebSocketsParts = {
  readonly answers: Answers;
  readonly ready: ReadyReplies;
  readonly bodies: EndlessBodies;
  readonly idleTimeoutMs: number;
  /** Those in force; `null`: there are none. */
  proxies(): TrustedProxies | null;
};

/** A client that has not closed its end after so long is cut off. */
const CLOSE_TIMEOUT_MS = 3000;

const WHOLE: HeadTraits = { isConditional: false, acceptsGzip: false };

/** The WebSockets of one listener. */
export class WebSockets {
  readonly #onBroken: (address: string | undefined, reason: string) => void;
  readonly #open = new Set<WebSocketConnection>();
  /** Of those that are open, that wait for their reply, and that are being refused. */
  readonly #sockets = new Set<Socket>();
  #isStopping = false;

  /** `onBroken` is called for a client that broke the protocol. */
  constructor(onBroken: (address: string | undefined, reason: string) => void) {
    this.#onBroken = onBroken;
  }

  /** WebSockets that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Answers a request that `node:http` has read and whose connection it has let go, with the bytes behind it. */
  upgrade(incoming: IncomingMessage, socket: Socket, rest: Buffer, parts: WebSocketsParts): void {
    const { answers, idleTimeoutMs } = parts;
    socket.on("error", () => {});
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.setTimeout(idleTimeoutMs, () => socket.destroy());
    socket.setNoDelay(true);
    if (rest.byteLength > 0) socket.unshift(rest);
    const target = readTarget(incoming.url ?? "/");
    const request = readRequest(incoming, socket, target, parts.proxies());
    const answer = (reply: HttpReply): void => {
      if (!socket.destroyed) this.#answer(socket, { request, rawPath: target.rawPath, reply, parts });
    };
    const reply = answers.reply(request, target);
    if (reply instanceof Promise) void reply.then(answer);
    else answer(reply);
  }

  /** Closes all: the server goes, and who comes again reaches another one. */
  stop(): void {
    this.#isStopping = true;
    for (const connection of this.#open) connection.shut(CLOSE_CODE.goingAway, "the server stops");
  }

  /** Cuts off all that are left, those too that wait for their reply. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** A reply that is neither a WebSocket nor a refusal would need what plain requests have: bounds, ranges, conditions. */
  #answer(socket: Socket, asked: Asked): void {
    const { webSocket, status } = asked.reply;
    const fail = (caught: unknown): void => {
      if (!socket.destroyed) refuse(socket, asked, asked.parts.answers.failure(caught, asked.rawPath));
    };
    try {
      if (webSocket !== undefined) {
        // What the client sends before it is heard stays in the socket, which reads no more than it may hold.
        const accepted = connections(({ WebSocketConnection: Connection }) => {
          if (!socket.destroyed) this.#accept(Connection, socket, asked, webSocket);
        });
        if (accepted instanceof Promise) accepted.catch(fail);
      } else if (status >= 400) refuse(socket, asked, asked.reply);
      else refuse(socket, asked, textReply(400, "there is no WebSocket here: ask plainly"));
    } catch (caught) {
      fail(caught);
    }
  }

  #accept(
    Connection: typeof WebSocketConnection,
    socket: Socket,
    asked: Asked,
    start: WebSocketStart,
  ): void {
    const { request, reply, parts } = asked;
    const { ready, bodies } = parts;
    if (request.header("sec-websocket-version") !== WEB_SOCKET_VERSION) {
      refuse(socket, asked, otherVersion());
      return;
    }
    const head = ready.upgradeHead(reply, acceptHandshake(request));
    const connection = new Connection(socket, {
      head,
      start,
      closeTimeoutMs: Math.min(CLOSE_TIMEOUT_MS, parts.idleTimeoutMs),
      instead: (other) => ready.form(request, WHOLE, other, false),
      onBroken: (reason) => this.#onBroken(request.remoteAddress, reason),
    });
    connection.open();
    socket.setTimeout(0);
    this.#open.add(connection);
    bodies.add(connection.body);
    socket.on("close", () => {
      bodies.delete(connection.body);
      this.#open.delete(connection);
    });
    if (this.#isStopping) connection.shut(CLOSE_CODE.goingAway, "the server stops");
  }
}

function refuse(socket: Socket, { request, parts }: Asked, reply: HttpReply): void {
  const { first, rest } = parts.ready.form(request, WHOLE, reply, false);
  socket.write(first);
  for (const chunk of rest) socket.write(chunk);
  socket.destroySoon();
}

/** Spec: RFC 6455 section 4.4. */
function otherVersion(): HttpReply {
  return textReply(426, `WebSockets here have version ${WEB_SOCKET_VERSION}`, [
    ["upgrade", "websocket"],
    ["sec-websocket-version", WEB_SOCKET_VERSION],
  ]);
}

type Asked = {
  readonly request: HttpRequest;
  readonly rawPath: string;
  readonly reply: HttpReply;
  readonly parts: WebSocketsParts;
};
