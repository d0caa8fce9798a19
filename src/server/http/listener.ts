import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { AddressLimit } from "../../base/address-counter.ts";
import { systemClock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpHeaders, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { LogFields, Logger } from "../../base/log.ts";
import { finishReply } from "./finish-reply.ts";
import { replyDeadlineMs } from "./reply-budget.ts";
import type { ReplyBudget } from "./reply-budget.ts";
import { decodePath } from "./request-path.ts";

/** Where an HTTP listener listens, and its limits. */
export type HttpListenerOptions = {
  readonly host: string | undefined;
  readonly port: number;
  /** Other threads listen on the same port, and the system spreads connections over them (SO_REUSEPORT). */
  readonly isShared?: boolean;
  /** Shared by all HTTP listeners of the server. */
  readonly addresses: AddressLimit;
  readonly budget: ReplyBudget;
  /** A connection on which nothing moves for this long is closed: slow senders, readers that stopped reading. */
  readonly idleTimeoutMs: number;
  readonly log: Logger;
  /** Answers a request; may throw a `MediaError`, whose status and message become the reply. */
  handle(request: HttpRequest): Promise<HttpReply> | HttpReply;
};

const CORS: HttpHeaders = [["access-control-allow-origin", "*"]];

/** Whole head of a request; RFC 9112 leaves the limit to us, and a media URL with a token fits many times. */
const MAX_HEAD_BYTES = 16 * 1024;
/** A head that takes longer than this comes from a slow-loris. */
const HEAD_TIMEOUT_MS = 10_000;
/** Sockets of one listener; beyond it new ones are dropped by the kernel's accept. */
const MAX_CONNECTIONS = 50_000;

/** One HTTP port. */
export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #server: Server;
  readonly #refusals: PerSecondLog;
  readonly #failures: PerSecondLog;
  #connections = 0;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#refusals = new PerSecondLog(options.log, "HTTP connections refused or closed: see the reason");
    this.#failures = new PerSecondLog(options.log, "HTTP requests failed");
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEAD_BYTES,
        headersTimeout: HEAD_TIMEOUT_MS,
        requestTimeout: HEAD_TIMEOUT_MS * 3,
        connectionsCheckingInterval: 1000,
        keepAliveTimeout: options.idleTimeoutMs,
        noDelay: true,
      },
      (incoming, outgoing) => void this.#serve(incoming, outgoing),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.setTimeout(options.idleTimeoutMs);
    this.#server.on("connection", (socket) => this.#admit(socket));
    this.#server.on("clientError", (error, socket) => this.#refuse(error, socket as Socket));
  }

  /** Begins to listen. Rejects with the system's error, such as EADDRINUSE. */
  async start(): Promise<void> {
    const { host, port, isShared = false } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(
        { port, ...(host === undefined ? {} : { host }), backlog: 1024, reusePort: isShared },
        () => {
          this.#server.off("error", reject);
          resolve();
        },
      );
    });
  }

  /** The port, also when 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections;
  }

  /** Stops accepting, lets replies under way finish for `graceMs`, then closes what is left. */
  async stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  #admit(socket: Socket): void {
    const { addresses } = this.#options;
    const address = socket.remoteAddress ?? "unknown";
    if (!addresses.acquire(address)) {
      this.#note({ address, reason: `more than ${addresses.limit} connections from one address` });
      socket.destroy();
      return;
    }
    this.#connections++;
    socket.once("close", () => {
      this.#connections--;
      addresses.release(address);
    });
  }

  /** What `node:http` could not read as a request: one status, one closed connection, a line a second at most. */
  #refuse(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    this.#note({ address: socket.remoteAddress, reason: `not a request: ${error.code}` });
    const status = statusOfClientError(error.code);
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    socket.destroySoon();
  }

  #note(fields: LogFields): void {
    this.#refusals.add(systemClock.nowUs(), fields);
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = decodePath(rawPathOf(incoming));
    const request = readRequest(incoming, typeof path === "string" ? path : "/");
    let reply: HttpReply;
    try {
      reply = typeof path === "string" ? await this.#answer(request) : textReply(400, path.problem, CORS);
    } catch (caught) {
      reply = this.#replyToError(caught, incoming);
    }
    if (!outgoing.destroyed) this.#send(request, reply, outgoing);
  }

  #send(request: HttpRequest, reply: HttpReply, outgoing: ServerResponse): void {
    const { budget } = this.#options;
    const ownBytes = request.method === "HEAD" ? 0 : (reply.ownBytes ?? 0);
    if (ownBytes === 0) {
      send(outgoing, finishReply(request, reply));
      return;
    }
    if (!budget.take(ownBytes)) {
      this.#note({
        reason: "slow readers hold all the memory that replies may hold",
        limitBytes: budget.limitBytes,
      });
      const busy = "too many slow readers: ask again in a few seconds";
      send(outgoing, finishReply(request, textReply(503, busy, [["retry-after", "3"], ...CORS])));
      return;
    }
    const deadline = systemClock.schedule(replyDeadlineMs(ownBytes), () => outgoing.destroy());
    outgoing.once("close", () => {
      deadline.cancel();
      budget.give(ownBytes);
    });
    send(outgoing, finishReply(request, reply));
  }

  #answer(request: HttpRequest): Promise<HttpReply> | HttpReply {
    if (request.method === "GET" || request.method === "HEAD") return this.#options.handle(request);
    if (request.method === "OPTIONS") return preflight();
    return textReply(405, `this server answers GET, HEAD and OPTIONS here, not ${request.method}`, [
      ["allow", "GET, HEAD, OPTIONS"],
      ...CORS,
    ]);
  }

  #replyToError(caught: unknown, incoming: IncomingMessage): HttpReply {
    const error = asMediaError(caught);
    const path = rawPathOf(incoming);
    if (error !== null) {
      if (error.httpStatus !== 404) {
        this.#failures.add(systemClock.nowUs(), { path, code: error.code, reason: error.message });
      }
      return textReply(error.httpStatus, error.message, [
        ["x-error-code", error.code],
        ["access-control-expose-headers", "x-error-code"],
        ...(error.httpStatus === 503 ? [["retry-after", "2"] as const] : []),
        ...CORS,
      ]);
    }
    this.#options.log.error("HTTP request failed by a fault of the server", {
      path,
      reason: messageOf(caught),
      stack: caught instanceof Error ? caught.stack : undefined,
    });
    return textReply(500, "the server made a mistake; its log says which");
  }
}

/** The path of the request target as it was sent; of an absolute one (RFC 9112 section 3.2.2) what follows the host. */
function rawPathOf(incoming: IncomingMessage): string {
  const target = (incoming.url ?? "/").split("?", 1)[0]!;
  const absolute = /^https?:\/\/[^/]*(\/.*)?$/i.exec(target);
  return absolute === null ? target : (absolute[1] ?? "/");
}

function readRequest(incoming: IncomingMessage, path: string): HttpRequest {
  const target = incoming.url ?? "/";
  const questionMark = target.indexOf("?");
  return {
    method: incoming.method ?? "GET",
    path,
    query: new URLSearchParams(questionMark < 0 ? "" : target.slice(questionMark + 1)),
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    remoteAddress: incoming.socket.remoteAddress ?? "",
  };
}

/**
 * Sends a reply, chunk by chunk as the connection takes them. The chunks are shared by all viewers: what waits in a
 * slow one's socket is a reference, and the idle timeout ends who takes nothing.
 */
function send(outgoing: ServerResponse, reply: ReturnType<typeof finishReply>): void {
  outgoing.writeHead(reply.status, reply.headers);
  const { body } = reply;
  for (let i = 0; i < body.length - 1; i++) outgoing.write(body[i]);
  outgoing.end(body[body.length - 1]);
}

function preflight(): HttpReply {
  return {
    status: 204,
    headers: [
      ["access-control-allow-origin", "*"],
      ["access-control-allow-methods", "GET, HEAD, OPTIONS"],
      ["access-control-allow-headers", "range, authorization, if-none-match"],
      ["access-control-max-age", "86400"],
    ],
    body: [],
  };
}

function statusOfClientError(code: string | undefined): string {
  if (code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "408 Request Timeout";
  return "400 Bad Request";
}
