import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { asMediaError, messageOf } from "../../base/errors.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import { finishReply } from "./finish-reply.ts";
import { decodePath } from "./request-path.ts";

/** Where an HTTP listener listens, and its limits. */
export type HttpListenerOptions = {
  readonly host: string | undefined;
  readonly port: number;
  readonly maxConnectionsPerAddress: number;
  /** A connection on which nothing moves for this long is closed: slow senders, readers that stopped reading. */
  readonly idleTimeoutMs: number;
  readonly log: Logger;
  /** Answers a request; may throw a `MediaError`, whose status and message become the reply. */
  handle(request: HttpRequest): Promise<HttpReply> | HttpReply;
};

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
  readonly #perAddress = new Map<string, number>();

  constructor(options: HttpListenerOptions) {
    this.#options = options;
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
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, ...(host === undefined ? {} : { host }), backlog: 1024 }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /** The port, also when 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  /** Open connections. */
  get connections(): number {
    let sum = 0;
    for (const count of this.#perAddress.values()) sum += count;
    return sum;
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
    const address = socket.remoteAddress ?? "unknown";
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    if (count > this.#options.maxConnectionsPerAddress) {
      this.#options.log.info("HTTP connection refused: too many from one address", {
        address,
        limit: this.#options.maxConnectionsPerAddress,
      });
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, count);
    socket.once("close", () => {
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left <= 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
  }

  /** What `node:http` could not read as a request: one line, one status, one closed connection. */
  #refuse(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const address = socket.remoteAddress;
    this.#options.log.info("HTTP connection closed: not a request", { address, reason: error.code });
    const status = statusOfClientError(error.code);
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    socket.destroySoon();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = decodePath(rawPathOf(incoming));
    const request = readRequest(incoming, typeof path === "string" ? path : "/");
    let reply: HttpReply;
    try {
      reply = typeof path === "string" ? await this.#answer(request) : textReply(400, path.problem);
    } catch (caught) {
      reply = this.#replyToError(caught, incoming);
    }
    if (!outgoing.destroyed) send(outgoing, finishReply(request, reply));
  }

  #answer(request: HttpRequest): Promise<HttpReply> | HttpReply {
    if (request.method === "GET" || request.method === "HEAD") return this.#options.handle(request);
    if (request.method === "OPTIONS") return preflight();
    return textReply(405, `this server answers GET, HEAD and OPTIONS here, not ${request.method}`, [
      ["allow", "GET, HEAD, OPTIONS"],
    ]);
  }

  #replyToError(caught: unknown, incoming: IncomingMessage): HttpReply {
    const error = asMediaError(caught);
    const path = rawPathOf(incoming);
    if (error !== null) {
      if (error.httpStatus !== 404) {
        this.#options.log.info("HTTP request failed", { path, code: error.code, reason: error.message });
      }
      return textReply(error.httpStatus, error.message, [
        ["access-control-allow-origin", "*"],
        ["access-control-expose-headers", "x-error-code"],
        ["x-error-code", error.code],
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

function rawPathOf(incoming: IncomingMessage): string {
  return (incoming.url ?? "/").split("?", 1)[0]!;
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
