import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { AddressLimit } from "../../base/address-counter.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import { plainAddress } from "../../base/plain-address.ts";
import { handOn, presentAs } from "../../base/proxied-connection.ts";
import type { ProxyDoor, ToldConnection } from "../../base/proxied-connection.ts";
import { READ_BUFFER_BYTES, readInto } from "../../base/reused-reads.ts";
import { SLICE_BYTES } from "../../base/send-queue.ts";
import { SlabAllocator } from "../../base/slab-allocator.ts";
import type { SessionId } from "../../media/ids.ts";
import type { StreamDirectory } from "../../stream/directory.ts";
import type { SendWindow } from "../../stream/rules.ts";
import { RtmpConnection } from "./connection.ts";
import { ReadingRests } from "./reading-rests.ts";
import type { RtmpAdmit, RtmpConnectionOptions, RtmpRecordings } from "./connection.ts";
import { DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";

/** What a listener may be told; everything but the port has a default. */
export type RtmpListenerOptions = {
  /** Address to listen on; all interfaces when absent. */
  readonly host?: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** Other threads listen on the same port, and the system spreads connections over them (SO_REUSEPORT). */
  readonly isShared?: boolean;
  /** How long media is collected for players of streams that do not say it themselves; `auto` unless given. */
  /** Asked for each connection. */
  readonly sendWindow?: () => SendWindow | undefined;
  readonly limits?: Partial<RtmpLimits>;
  /** Asked for each connection; `null`, as when it is left out: it comes in clear. */
  readonly tls?: () => RtmpTls | null;
  /** Asked for each connection: reads in front of it whose it is; `null`, as when it is left out: nothing does. */
  readonly proxyDoor?: () => ProxyDoor<Socket> | null;
};

/** What makes connections of RTMPS: takes those that are accepted, and gives them back when they are encrypted. */
export type RtmpTls = {
  admit(
    accepted: Socket,
    visitor: { onSecure(socket: Socket): void; onRefused(reason: string): void },
  ): void;
};

/** Bounds of what peers may cost. */
export type RtmpLimits = {
  /** Connections at one time. */
  readonly connections: number;
  /** From accepting to `connect`. */
  readonly handshakeTimeoutMs: number;
  /** Connected, but neither publishing nor playing. */
  readonly idleTimeoutMs: number;
  /** A publisher that completes no message of media or data; commands and pings do not count. */
  readonly publishTimeoutMs: number;
  /** A paused player. */
  readonly pauseTimeoutMs: number;
  /** A peer, in practice a player, that takes nothing of what waits for it. */
  readonly stallTimeoutMs: number;
  readonly messageBytes: number;
  readonly chunkStreams: number;
  readonly partialBytes: number;
  /** Unsent bytes over which a connection is not read. */
  readonly maxUnsentBytes: number;
  /** Unsent bytes over which a connection is closed: what the core keeps for a player who joins, and as much again. */
  readonly maxQueuedBytes: number;
  /** For the last words of a closing connection. */
  readonly lingerMs: number;
};

/** The documented limits of RTMP. */
export const DEFAULT_RTMP_LIMITS: RtmpLimits = {
  connections: 20_000,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  publishTimeoutMs: 60_000,
  pauseTimeoutMs: 600_000,
  stallTimeoutMs: 60_000,
  ...DEFAULT_CHUNK_LIMITS,
  maxUnsentBytes: 256 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  lingerMs: 2_000,
};

/** What a listener is given. */
export type RtmpListenerParts = {
  readonly directory: StreamDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Counts, and bounds, connections of one address over all listeners that share it. Behind a Service that hides
   * addresses a node stands for many viewers.
   */
  readonly addresses: AddressLimit;
  /** Names that are played from recordings; none when absent. */
  readonly recordings?: RtmpRecordings;
  /** Who may publish and play; all when absent. */
  readonly admit?: RtmpAdmit;
};

/** Figures of a listener. */
export type RtmpListenerStats = {
  readonly connections: number;
  readonly publishers: number;
  readonly players: number;
  /** Those of them that play recordings. */
  readonly recordingPlayers: number;
  readonly accepted: number;
  readonly refused: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
};

const TICK_MS = 1000;

const TOO_MANY = "too many connections";

/** Gives the socket of a connection, which calls `receive` with what is read, or has `data` events. */
type OpenSocket = (receive: (bytes: Uint8Array) => void) => Socket;

/** An accepted connection on its way in. */
type Visit = {
  readonly accepted: Socket;
  /** Its own, or the one that a proxy told. */
  readonly address: string;
  readonly acceptedUs: number;
  /** What a proxy said of it, and what has been read behind that. */
  readonly told: ToldConnection | null;
};

/** Accepts RTMP connections, and holds those that live. */
export class RtmpListener {
  readonly #options: RtmpListenerOptions;
  #limits: RtmpLimits;
  readonly #parts: RtmpListenerParts;
  readonly #refusals: PerSecondLog;
  readonly #connections = new Set<RtmpConnection>();
  /** In the middle of their PROXY header or their handshake of TLS. */
  readonly #entering = new Set<Socket>();
  readonly #rests: ReadingRests<RtmpConnection>;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #server: Server | null = null;
  #pausedPort: number | null = null;
  #timer: Timer | null = null;
  #onEmpty: (() => void) | null = null;
  #accepted = 0;
  #pastBytesIn = 0;
  #pastBytesOut = 0;

  constructor(options: RtmpListenerOptions, parts: RtmpListenerParts) {
    this.#options = options;
    this.#limits = { ...DEFAULT_RTMP_LIMITS, ...options.limits };
    this.#parts = parts;
    this.#rests = new ReadingRests(parts.clock);
    this.#refusals = new PerSecondLog(parts.logger, "refused RTMP connections");
  }

  /** For connections that come from now on. */
  setLimits(limits: Partial<RtmpLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
  }

  /** Opens the port. Rejects with the system's error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    const options = { noDelay: true, allowHalfOpen: false, highWaterMark: SLICE_BYTES };
    const server = createServer(options, (socket) => this.#accept(socket));
    await this.#listen(server, this.#options.port);
    server.on("error", (error) => this.#parts.logger.error("RTMP listener", { error: error.message }));
    this.#server = server;
    this.#scheduleTick();
  }

  /** Whether connections that come now are encrypted. */
  get isTls(): boolean {
    return (this.#options.tls?.() ?? null) !== null;
  }

  /** The port, also when 0 was asked for. */
  get port(): number {
    return this.address()?.port ?? this.#pausedPort ?? this.#options.port;
  }

  /** Gives the port away and takes no connections until `resume`; those that are open stay as they are. */
  pause(): void {
    this.#pausedPort = this.port;
    this.#server?.close();
  }

  /** After `pause`: takes connections again, on the same port. Rejects with the system's error. */
  async resume(): Promise<void> {
    if (this.#server !== null) await this.#listen(this.#server, this.port);
  }

  /** Where it listens; `null` before `start` and after `stop`. */
  address(): AddressInfo | null {
    const address = this.#server?.address() ?? null;
    return typeof address === "string" ? null : address;
  }

  /** Asks the publishers that can to connect again. Returns: how many were asked. */
  askToReconnect(): number {
    let asked = 0;
    for (const connection of this.#connections) if (connection.askToReconnect()) asked++;
    return asked;
  }

  /** Tells the publishers that the server stops, and closes them; players stay. Returns: how many there were. */
  endPublishers(): number {
    const publishers = [...this.#connections].filter((connection) => connection.role() === "publish");
    for (const connection of publishers) connection.stop();
    return publishers.length;
  }

  /** Closes the port, tells publishers and players, and waits until all are gone, at most the linger time. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    this.#timer?.cancel();
    this.#rests.stop();
    this.#refusals.flush();
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of this.#entering) socket.destroy();
    for (const connection of this.#connections) connection.stop();
    await this.#waitUntilEmpty();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  /** Present and summed figures. */
  stats(): RtmpListenerStats {
    const bytesBefore = { bytesIn: this.#pastBytesIn, bytesOut: this.#pastBytesOut };
    const stats = { publishers: 0, players: 0, recordingPlayers: 0, ...bytesBefore };
    for (const connection of this.#connections) {
      const bytes = connection.bytes();
      stats.bytesIn += bytes.in;
      stats.bytesOut += bytes.out;
      const role = connection.role();
      if (role === "publish") stats.publishers++;
      if (role === "play") stats.players++;
      if (connection.playsRecording) stats.recordingPlayers++;
    }
    const { size } = this.#connections;
    return { connections: size, accepted: this.#accepted, refused: this.#refusals.total, ...stats };
  }

  async #listen(server: Server, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const { host, isShared = false } = this.#options;
      server.listen({ port, host, reusePort: isShared }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  }

  #accept(accepted: Socket): void {
    const address = plainAddress(accepted.remoteAddress ?? "");
    const visit = { accepted, address, acceptedUs: this.#parts.clock.nowUs(), told: null };
    const door = this.#options.proxyDoor?.() ?? null;
    if (door === null) this.#admit(visit);
    else this.#askWhose(visit, door);
  }

  /** The proxy's own address is not counted: it has the connections of all its clients. */
  #askWhose(visit: Visit, door: ProxyDoor<Socket>): void {
    const { accepted } = visit;
    if (this.#isFull) {
      this.#refuse(visit, TOO_MANY);
      return;
    }
    this.#entering.add(accepted);
    const leave = (): void => void this.#entering.delete(accepted);
    accepted.once("close", leave);
    door.admit(accepted, {
      onTold: (told) => {
        accepted.off("close", leave);
        leave();
        this.#admit({ ...visit, address: told.address ?? visit.address, told });
      },
      onRefused: (reason) => this.#note(visit, reason),
    });
  }

  /** Counts a connection and begins it, or says why not. */
  #admit(visit: Visit): void {
    const { accepted, address, told } = visit;
    if (this.#isFull || !this.#parts.addresses.acquire(address)) {
      this.#refuse(visit, this.#isFull ? TOO_MANY : "too many connections from one address");
      return;
    }
    const tls = this.#options.tls?.() ?? null;
    if (tls !== null) {
      this.#secure(visit, tls);
      return;
    }
    let socket = accepted;
    const connection = this.#begin(visit, (receive) => {
      socket = readInto(this.#readBuffer, accepted, receive, { highWaterMark: SLICE_BYTES });
      return socket;
    });
    if (told !== null) handOn(told, { accepted, socket, receive: (bytes) => connection.receive(bytes) });
  }

  get #isFull(): boolean {
    return this.#connections.size + this.#entering.size >= this.#limits.connections;
  }

  #refuse(visit: Visit, reason: string): void {
    this.#note(visit, reason);
    visit.accepted.on("error", () => {});
    visit.accepted.destroy();
  }

  #note({ address }: Visit, reason: string): void {
    this.#refusals.add(this.#parts.clock.nowUs(), { reason, remoteAddress: address });
  }

  #secure(visit: Visit, tls: RtmpTls): void {
    const { accepted, address, told } = visit;
    const leave = (): void => {
      this.#entering.delete(accepted);
      this.#parts.addresses.release(address);
    };
    this.#entering.add(accepted);
    accepted.once("close", leave);
    if (told !== null && told.rest.length > 0) accepted.unshift(told.rest);
    tls.admit(accepted, {
      onSecure: (socket) => {
        accepted.off("close", leave);
        this.#entering.delete(accepted);
        this.#begin(visit, () => socket);
      },
      onRefused: (reason) => this.#note(visit, reason),
    });
  }

  #begin({ address, acceptedUs, told }: Visit, open: OpenSocket): RtmpConnection {
    this.#accepted++;
    const connection = this.#connect(
      address,
      (receive) => {
        const socket = open(receive);
        presentAs(socket, told);
        return socket;
      },
      acceptedUs,
    );
    this.#connections.add(connection);
    return connection;
  }

  #connect(address: string, open: OpenSocket, acceptedUs: number): RtmpConnection {
    const connection: RtmpConnection = new RtmpConnection({
      id: randomBytes(6).toString("hex") as SessionId,
      directory: this.#parts.directory,
      clock: this.#parts.clock,
      rests: this.#rests,
      logger: this.#parts.logger,
      recordings: this.#parts.recordings,
      admit: this.#parts.admit,
      socket: open((bytes) => connection.receive(bytes)),
      acceptedUs,
      options: connectionOptions(this.#limits, this.#options.sendWindow?.() ?? "auto"),
      onGone: () => this.#forget(connection, address),
    });
    return connection;
  }

  #forget(connection: RtmpConnection, address: string): void {
    if (!this.#connections.delete(connection)) return;
    const { in: bytesIn, out: bytesOut } = connection.bytes();
    this.#pastBytesIn += bytesIn;
    this.#pastBytesOut += bytesOut;
    this.#parts.addresses.release(address);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  async #waitUntilEmpty(): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const deadline = this.#parts.clock.schedule(this.#limits.lingerMs, resolve);
      this.#onEmpty = () => {
        deadline.cancel();
        resolve();
      };
    });
  }

  #scheduleTick(): void {
    this.#timer = this.#parts.clock.schedule(TICK_MS, () => {
      const nowUs = this.#parts.clock.nowUs();
      for (const connection of this.#connections) connection.tick(nowUs);
      this.#scheduleTick();
    });
  }
}

function payloadMemory(): SlabAllocator {
  return new SlabAllocator();
}

function connectionOptions(limits: RtmpLimits, sendWindow: SendWindow): RtmpConnectionOptions {
  const { messageBytes, chunkStreams, partialBytes } = limits;
  const { stallTimeoutMs, maxUnsentBytes, maxQueuedBytes, lingerMs } = limits;
  const session = { ...limits, chunkLimits: { messageBytes, chunkStreams, partialBytes }, payloadMemory };
  return { session, stallTimeoutMs, maxUnsentBytes, maxQueuedBytes, lingerMs, sendWindow };
}
