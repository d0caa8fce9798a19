import { nodeHttp } from "./node-http.ts";
import type { IncomingMessage, Server } from "node:http";
import { Server as NetServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import type { AddressLimit } from "../../base/address-counter.ts";
import { systemClock } from "../../base/clock.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { LogFields, Logger } from "../../base/log.ts";
import { plainAddress } from "../../base/plain-address.ts";
import { handOn, presentAs } from "../../base/proxied-connection.ts";
import type { ProxyDoor, ToldConnection } from "../../base/proxied-connection.ts";
import { READ_BUFFER_BYTES, readInto } from "../../base/reused-reads.ts";
import { Answers } from "./answers.ts";
import type { HttpHandler, UploadHandler } from "./answers.ts";
import { EndlessBodies } from "./endless-body.ts";
import { HeadMemory } from "./head-memory.ts";
import type { HttpsParts, OpenHttp2 } from "./https-parts.ts";
import { answerNode } from "./node-exchange.ts";
import { PlainConnection } from "./plain-connection.ts";
import type { ConnectionParts } from "./plain-connection.ts";
import { ReadyReplies } from "./ready-replies.ts";
import type { ReplyBudget } from "./reply-budget.ts";
import { readTarget } from "./request-target.ts";
import { carry } from "./tls-socket.ts";
import { WebSockets } from "./web-socket-upgrade.ts";
import { isWebSocketUpgrade } from "../../base/web-socket/handshake.ts";

/** Where an HTTP listener listens, and its limits. */
export type HttpListenerOptions = {
  readonly host: string | undefined;
  readonly port: number;
  /** Other threads listen on the same port, and the system spreads connections over them (SO_REUSEPORT). */
  readonly isShared?: boolean;
  /** Shared by all HTTP listeners of the server. */
  readonly addresses: AddressLimit;
  readonly budget: ReplyBudget;
  /** Asked for each request: proxies that say whose it is; `null`, as everywhere when it is left out: there are none. */
  readonly proxies?: () => TrustedProxies | null;
  /** A connection on which nothing moves for this long is closed: slow senders, readers that stopped reading. */
  readonly idleTimeoutMs: number;
  /** From a connection's begin, or a request's, to the end of its head; 10 s when left out. */
  readonly headTimeoutMs?: number;
  /** `false`: `node:http` reads every request. For tests that compare. */
  readonly readsPlain?: boolean;
  /** Asked for each connection; `null`, as everywhere when it is left out: it comes in clear. */
  readonly tls?: () => HttpsParts | null;
  /** Asked for each connection: reads in front of it whose it is; `null`, as everywhere when it is left out: nothing does. */
  readonly proxyDoor?: () => ProxyDoor<Socket> | null;
  readonly log: Logger;
  /** Answers a request; may throw a `MediaError`, whose status and message become the reply. */
  readonly handle: HttpHandler;
  /**
   * Whether there may be a WebSocket at an address. Elsewhere, and for anything but GET over HTTP/1.1, the header that
   * asks for one is ignored. Everywhere when it is left out.
   */
  readonly mayBeWebSocket?: (path: string) => boolean;
  /** Answers a POST, PUT or DELETE with an `upload`; `null` where nothing is taken, as everywhere when it is left out. */
  readonly takes?: UploadHandler;
};

/** Whole head of a request; RFC 9112 leaves the limit to us, and a media URL with a token fits many times. */
const MAX_HEAD_BYTES = 16 * 1024;
/** A head that takes longer than this comes from a slow-loris. */
const HEAD_TIMEOUT_MS = 10_000;
/** How long replies under way may take when a listener stops. */
const STOP_GRACE_MS = 3000;
/** Sockets of one listener; beyond it new ones are dropped by the kernel's accept. */
const MAX_CONNECTIONS = 50_000;

/** What `node:http` does with a new connection. */
type TakeConnection = (this: Server, socket: Socket) => void;

/**
 * One HTTP port. Plain requests are read and answered here; a connection on which another kind of request comes is
 * `node:http`'s from that request on.
 */
export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #server: Server;
  readonly #takeConnection: TakeConnection;
  /** Of the connections that come from now on. */
  #parts: ConnectionParts;
  #idleTimeoutMs: number;
  readonly #plain = new Set<PlainConnection>();
  /** In the middle of their PROXY header or their handshake. */
  readonly #entering = new Set<Socket>();
  readonly #http2 = new Set<OpenHttp2>();
  /** Plain requests of all connections are read into this. */
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #bodies: EndlessBodies;
  readonly #webSockets: WebSockets;
  readonly #refusals: PerSecondLog;
  #connections = 0;
  #pausedPort: number | null = null;
  /** No connection is kept open behind the reply to its next request. */
  #closesAfterReplies = false;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#refusals = new PerSecondLog(options.log, "HTTP connections refused or closed: see the reason");
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#bodies = new EndlessBodies(options.idleTimeoutMs);
    this.#parts = this.#makeParts();
    this.#webSockets = new WebSockets((address, reason) =>
      this.#note({ address, reason: `a WebSocket was closed: ${reason}` }),
    );
    this.#server = this.#createServer();
    // What the server does with a connection by itself is kept for those that are handed over to it.
    this.#takeConnection = this.#server.listeners("connection")[0] as TakeConnection;
    this.#server.removeAllListeners("connection");
    this.#server.on("connection", (socket) => this.#accept(socket));
  }

  /** Begins to listen. Rejects with the system's error, such as EADDRINUSE. */
  async start(): Promise<void> {
    await this.#listen(this.#options.port);
  }

  /** Gives the port away and takes no connections until `resume`; those that are open stay as they are. */
  pause(): void {
    this.#pausedPort = this.port;
    // Not the HTTP server's own way, which closes idle connections.
    NetServer.prototype.close.call(this.#server);
  }

  /** After `pause`: takes connections again, on the same port. Rejects with the system's error. */
  async resume(): Promise<void> {
    await this.#listen(this.port);
  }

  async #listen(port: number): Promise<void> {
    const { host, isShared = false } = this.#options;
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

  /** Whether connections that come now are encrypted. */
  get isTls(): boolean {
    return (this.#options.tls?.() ?? null) !== null;
  }

  /** The port, also when 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#pausedPort ?? this.#options.port;
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections;
  }

  /** For connections that come from now on; those that are open keep theirs, but for endless bodies. */
  setIdleTimeout(idleTimeoutMs: number): void {
    if (idleTimeoutMs === this.#idleTimeoutMs) return;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#bodies.idleTimeoutMs = idleTimeoutMs;
    this.#parts = this.#makeParts();
    this.#server.keepAliveTimeout = idleTimeoutMs;
    this.#server.setTimeout(idleTimeoutMs);
  }

  /**
   * From now on each connection is closed behind the reply to its next request, which says so: who has more to ask
   * connects again, and the balancer in front sends it elsewhere.
   */
  closeAfterReplies(): void {
    this.#closesAfterReplies = true;
    // HTTP/2 has a word for it that costs no request.
    for (const connection of this.#http2) connection.closeSoon();
  }

  /** Stops accepting, lets replies under way finish for `graceMs`, then closes what is left. */
  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    this.closeAfterReplies();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    this.#webSockets.stop();
    for (const socket of this.#entering) socket.destroy();
    for (const connection of this.#plain) if (connection.isIdle) connection.destroy();
    const timer = setTimeout(() => this.#destroyAll(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  #destroyAll(): void {
    this.#server.closeAllConnections();
    this.#webSockets.destroy();
    this.#bodies.destroy();
    for (const connection of this.#plain) connection.destroy();
    for (const connection of this.#http2) connection.destroy();
  }

  #createServer(): Server {
    const idleTimeoutMs = this.#idleTimeoutMs;
    const { headTimeoutMs = HEAD_TIMEOUT_MS } = this.#options;
    const server = nodeHttp.createServer(
      {
        maxHeaderSize: MAX_HEAD_BYTES,
        headersTimeout: headTimeoutMs,
        // A body that is taken has no end; how long others may take is `boundBody`'s.
        requestTimeout: 0,
        connectionsCheckingInterval: Math.min(1000, headTimeoutMs),
        keepAliveTimeout: idleTimeoutMs,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
        // Any other kind of upgrade is answered as if it had not been asked for. Spec: RFC 9110 section 7.8.
        shouldUpgradeCallback: (incoming) => this.#mayUpgrade(incoming),
      },
      (incoming, outgoing) => {
        if (this.#closesAfterReplies) outgoing.shouldKeepAlive = false;
        answerNode(incoming, outgoing, this.#parts);
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.setTimeout(idleTimeoutMs);
    server.on("upgrade", (incoming, socket, rest: Buffer) =>
      this.#webSockets.upgrade(incoming, socket as Socket, rest, this.#parts),
    );
    server.on("clientError", (error: Error & { code?: string }, socket) =>
      this.#refuse(error.code, socket as Socket),
    );
    return server;
  }

  /** Spec: RFC 6455 section 4.1: GET, and HTTP/1.1 or higher. */
  #mayUpgrade({ method, httpVersion, headers, url = "/" }: IncomingMessage): boolean {
    if (method !== "GET" || httpVersion !== "1.1" || !isWebSocketUpgrade(headers.upgrade)) return false;
    const { mayBeWebSocket } = this.#options;
    if (mayBeWebSocket === undefined) return true;
    const { path } = readTarget(url);
    return typeof path === "string" && mayBeWebSocket(path);
  }

  #makeParts(): ConnectionParts {
    const { handle, takes, log, budget, headTimeoutMs = HEAD_TIMEOUT_MS } = this.#options;
    const { proxies = () => null } = this.#options;
    const idleTimeoutMs = this.#idleTimeoutMs;
    const full = "slow readers hold all the memory that replies may hold";
    return {
      answers: new Answers(handle, log, takes),
      ready: new ReadyReplies(idleTimeoutMs),
      heads: new HeadMemory(),
      budget,
      bodies: this.#bodies,
      idleTimeoutMs,
      headTimeoutMs,
      proxies,
      isStopping: () => this.#closesAfterReplies,
      onBusy: () => this.#note({ reason: full, limitBytes: budget.limitBytes }),
      refuse: (code, socket) => this.#refuse(code, socket),
      handOver: (socket) => this.#takeConnection.call(this.#server, socket),
      onLeft: (connection) => this.#plain.delete(connection),
    };
  }

  #accept(accepted: Socket): void {
    const door = this.#options.proxyDoor?.() ?? null;
    if (door === null) {
      this.#admit(accepted, null);
      return;
    }
    this.#enter(accepted);
    door.admit(accepted, {
      onTold: (told) => {
        this.#entering.delete(accepted);
        this.#admit(accepted, told);
      },
      onRefused: (reason) => this.#note({ address: plainAddress(accepted.remoteAddress ?? ""), reason }),
    });
  }

  /** `told`: what a proxy said of it, and what has been read behind that. */
  #admit(accepted: Socket, told: ToldConnection | null): void {
    const { addresses, readsPlain = true } = this.#options;
    const address = plainAddress(told?.address ?? accepted.remoteAddress ?? "unknown");
    // A proxy has the connections of all its clients.
    const isCounted = this.#parts.proxies()?.trusts(address) !== true;
    if (isCounted && !addresses.acquire(address)) {
      this.#note({ address, reason: `more than ${addresses.limit} connections from one address` });
      accepted.destroy();
      return;
    }
    const https = this.#options.tls?.() ?? null;
    if (https !== null) {
      this.#count(accepted, isCounted ? address : null);
      this.#secure(accepted, told, https);
      return;
    }
    let connection: PlainConnection | null = null;
    const receive = (bytes: Uint8Array): unknown => connection?.receive(bytes);
    const socket = readsPlain ? this.#readShared(accepted, receive) : accepted;
    presentAs(socket, told);
    this.#count(socket, isCounted ? address : null);
    connection = this.#serve(socket);
    if (told !== null) handOn(told, { accepted, socket, receive });
  }

  #enter(accepted: Socket): void {
    this.#entering.add(accepted);
    accepted.once("close", () => this.#entering.delete(accepted));
  }

  /** Until it closes; `address`: of whose connections it is one. */
  #count(socket: Socket, address: string | null): void {
    this.#connections++;
    socket.once("close", () => {
      this.#connections--;
      if (address !== null) this.#options.addresses.release(address);
    });
  }

  /** The connection is answered from here on; `null`: by `node:http`. */
  #serve(socket: Socket): PlainConnection | null {
    if (this.#options.readsPlain === false) {
      this.#takeConnection.call(this.#server, socket);
      return null;
    }
    // A broken connection closes; there is nobody to tell.
    socket.on("error", () => {});
    const connection = new PlainConnection(socket, this.#parts);
    this.#plain.add(connection);
    return connection;
  }

  #secure(accepted: Socket, told: ToldConnection | null, https: HttpsParts): void {
    const address = plainAddress(told?.address ?? accepted.remoteAddress ?? "unknown");
    this.#enter(accepted);
    if (told !== null && told.rest.length > 0) accepted.unshift(told.rest);
    https.door.admit(accepted, {
      onSecure: (socket) => {
        this.#entering.delete(accepted);
        presentAs(socket, told);
        if (socket.alpnProtocol === "h2") this.#serveHttp2(socket, address, https);
        else {
          carry(socket, accepted);
          this.#serve(socket);
        }
      },
      onRefused: (reason) => this.#note({ address, reason }),
    });
  }

  #serveHttp2(socket: TLSSocket, address: string, https: HttpsParts): void {
    const connection: OpenHttp2 = https.openHttp2(socket, {
      ...this.#parts,
      onBroken: (reason) => this.#note({ address, reason }),
      onGone: () => this.#http2.delete(connection),
    });
    this.#http2.add(connection);
  }

  #readShared(accepted: Socket, receive: (bytes: Uint8Array) => unknown): Socket {
    return readInto(this.#readBuffer, accepted, receive, {
      highWaterMark: accepted.writableHighWaterMark,
      isHalfOpen: true,
      isCounted: true,
    });
  }

  /** What is not a request: one status, one closed connection, a line a second at most. */
  #refuse(code: string | undefined, socket: Socket): void {
    if (code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    this.#note({ address: plainAddress(socket.remoteAddress ?? ""), reason: `not a request: ${code}` });
    const status = statusOfClientError(code);
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    socket.destroySoon();
  }

  #note(fields: LogFields): void {
    this.#refusals.add(systemClock.nowUs(), fields);
  }
}

function statusOfClientError(code: string | undefined): string {
  if (code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "408 Request Timeout";
  return "400 Bad Request";
}
