import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer } from "node:tls";
import type { Server, TLSSocket } from "node:tls";
import type { Clock, Timer } from "../../base/clock.ts";
import type { TlsPlan } from "../../config/plan.ts";
import type { KeyPair } from "./key-pair.ts";

/** What a door is made with. */
export type TlsDoorOptions = Pick<TlsPlan, "minVersion" | "maxVersion"> & {
  readonly clock: Clock;
  /** Of all threads: a ticket is good whichever of them takes the next connection. 48 bytes. */
  readonly ticketKeys: Uint8Array;
  /** What is spoken inside, the preferred one first (ALPN); empty: the client is not asked. */
  readonly protocols: readonly string[];
  readonly maxHandshakes?: number;
  readonly handshakeTimeoutMs?: number;
};

/** What becomes of a connection: one of the two is called, once, or none where it closes by itself. */
export type TlsVisitor = {
  onSecure(socket: TLSSocket): void;
  /** Why the connection was closed. */
  onRefused(reason: string): void;
};

type Handshake = { readonly raw: Socket; readonly visitor: TlsVisitor; readonly deadline: Timer };

/** Handshakes of one listener at a time. Stops a crowd that begins them and never ends: each holds some 60 KB. */
const MAX_HANDSHAKES = 512;
/** From the connection's begin to the end of its handshake, however busy it looks meanwhile. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Any value, the same in all threads: sessions of one are taken by all. */
const SESSION_CONTEXT = "weir";

/**
 * The handshakes of one TLS listener. It listens to no port: connections that another server accepted are handed to it.
 * A new pair is for handshakes that begin from then on; connections that are open stay as they are.
 *
 * Spec: RFC 8446, RFC 7301 (ALPN), RFC 5077 and RFC 8446 section 4.6.1 (tickets).
 */
export class TlsDoor {
  readonly #options: TlsDoorOptions;
  readonly #server: Server;
  /** By the client's address and port. */
  readonly #handshakes = new Map<string, Handshake>();
  #hasPair = false;

  constructor(options: TlsDoorOptions) {
    this.#options = options;
    const { protocols } = options;
    this.#server = createServer({
      ...this.#settings(),
      ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
  }

  /** Handshakes under way. */
  get handshakes(): number {
    return this.#handshakes.size;
  }

  /** From now on this is shown to clients. */
  setPair({ certificate, key, passphrase }: KeyPair): void {
    this.#server.setSecureContext({
      ...this.#settings(),
      cert: certificate,
      key,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    this.#hasPair = true;
  }

  /** Takes an accepted connection of which nothing has been read. While there is no certificate it is closed. */
  admit(raw: Socket, visitor: TlsVisitor): void {
    const { clock, maxHandshakes = MAX_HANDSHAKES } = this.#options;
    const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = this.#options;
    raw.on("error", () => {});
    const client = clientOf(raw);
    const isFull = this.#handshakes.size >= maxHandshakes;
    if (!this.#hasPair || isFull || this.#handshakes.has(client)) {
      visitor.onRefused(
        this.#hasPair ? "too many TLS handshakes at a time" : "there is no certificate yet",
      );
      raw.destroy();
      return;
    }
    const deadline = clock.schedule(handshakeTimeoutMs, () => {
      visitor.onRefused(`the TLS handshake took longer than ${handshakeTimeoutMs} ms`);
      raw.destroy();
    });
    this.#handshakes.set(client, { raw, visitor, deadline });
    raw.once("close", () => this.#take(client, raw));
    this.#server.emit("connection", raw);
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#take(clientOf(socket));
    if (handshake === null) socket.destroy();
    else handshake.visitor.onSecure(socket);
  }

  #failed(error: Error & { code?: string }, socket: TLSSocket): void {
    const handshake = this.#take(clientOf(socket));
    // Who leaves in the middle, as load balancers do that only look whether the port is open, is no failure.
    if (error.code !== "ECONNRESET")
      handshake?.visitor.onRefused(`not TLS: ${error.code ?? error.message}`);
    socket.destroy();
  }

  /** Ends the count of a handshake, once. */
  #take(client: string, raw?: Socket): Handshake | null {
    const handshake = this.#handshakes.get(client);
    if (handshake === undefined || (raw !== undefined && handshake.raw !== raw)) return null;
    this.#handshakes.delete(client);
    handshake.deadline.cancel();
    return handshake;
  }

  #settings(): object {
    const { minVersion, maxVersion, ticketKeys } = this.#options;
    return {
      minVersion,
      maxVersion,
      ticketKeys: Buffer.from(ticketKeys),
      sessionIdContext: SESSION_CONTEXT,
      // A client that asks for one handshake after the other on one connection costs much and gains nothing.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    };
  }
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}
