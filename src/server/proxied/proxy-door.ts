import type { Socket } from "node:net";
import { readProxyHeader } from "../../auth/proxies/proxy-header.ts";
import type { ProxyHeader } from "../../auth/proxies/proxy-header.ts";
import type { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { ProxyDoor, ProxyVisitor } from "../../base/proxied-connection.ts";

/** What a door is made with. */
export type ProxyDoorOptions = {
  readonly clock: Clock;
  /** Asked for each connection; `null`: there are none, and every connection is refused. */
  readonly proxies: () => TrustedProxies | null;
  readonly maxWaiting?: number;
  readonly headerTimeoutMs?: number;
};

/** Connections of one thread whose header is not there yet. A proxy sends it at once: so many wait only for a broken one. */
const MAX_WAITING = 4096;
/** From the connection's begin to the end of its header. */
const HEADER_TIMEOUT_MS = 5000;

/**
 * Stands in front of the listeners of a thread that take the PROXY protocol. A connection of a trusted proxy has to begin
 * with a header; of anybody else none is taken: who could write one would choose who they are.
 *
 * Spec: haproxy's doc/proxy-protocol.txt sections 2 and 5.
 */
export class TrustedProxyDoor implements ProxyDoor<Socket> {
  readonly #options: ProxyDoorOptions;
  #waiting = 0;

  constructor(options: ProxyDoorOptions) {
    this.#options = options;
  }

  /** Connections whose header is not there yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes an accepted connection of which nothing has been read. */
  admit(accepted: Socket, visitor: ProxyVisitor): void {
    const { proxies, maxWaiting = MAX_WAITING } = this.#options;
    accepted.on("error", () => {});
    const isTrusted = proxies()?.trusts(accepted.remoteAddress ?? "") === true;
    if (!isTrusted || this.#waiting >= maxWaiting) {
      visitor.onRefused(
        isTrusted
          ? "too many connections wait for their PROXY header"
          : "proxy_protocol is for connections of trusted_proxies alone",
      );
      accepted.destroy();
      return;
    }
    this.#read(accepted, visitor);
  }

  #read(accepted: Socket, visitor: ProxyVisitor): void {
    const { clock, headerTimeoutMs = HEADER_TIMEOUT_MS } = this.#options;
    let read: Uint8Array = new Uint8Array(0);
    const leave = (): void => {
      this.#waiting--;
      deadline.cancel();
      accepted.off("data", take).off("end", end).off("close", leave);
    };
    const refuse = (reason: string): void => {
      visitor.onRefused(reason);
      accepted.destroy();
    };
    const take = (chunk: Buffer): void => {
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
      const header = tryRead(read);
      if (header === null) return;
      if (typeof header === "string") {
        refuse(header);
        return;
      }
      leave();
      accepted.pause();
      visitor.onTold({ address: header.address, rest: read.subarray(header.endOffset) });
    };
    const end = (): void => {
      // A balancer that only looks whether the port is open is no failure.
      if (read.length > 0) refuse("the connection ended within its PROXY header");
      else accepted.destroy();
    };
    const deadline = clock.schedule(headerTimeoutMs, () =>
      refuse(`no PROXY header within ${headerTimeoutMs} ms`),
    );
    this.#waiting++;
    accepted.on("data", take).on("end", end).on("close", leave);
  }
}

/** The header, or why it is none; `null`: there is more to come. */
function tryRead(read: Uint8Array): ProxyHeader | string | null {
  try {
    return readProxyHeader(read);
  } catch (caught) {
    return messageOf(caught);
  }
}
