import type { TLSSocket } from "node:tls";
import type { TlsDoor } from "../tls/tls-door.ts";
import type { ConnectionParts } from "./plain-connection.ts";

/** What an HTTP/2 connection needs of its listener. */
export type Http2Parts = Pick<
  ConnectionParts,
  "answers" | "budget" | "bodies" | "idleTimeoutMs" | "headTimeoutMs" | "proxies" | "isStopping" | "onBusy"
> & {
  /** The client did what no client does that only wants to watch: the connection was closed. */
  onBroken(reason: string): void;
  /** The connection is gone. */
  onGone(): void;
};

/** An HTTP/2 connection as its listener sees it. */
export type OpenHttp2 = {
  /** Takes no more requests, tells the client so, and closes behind those under way. */
  closeSoon(): void;
  /** Ends the connection at once. */
  destroy(): void;
};

/** What makes an HTTP listener one of HTTPS. It is handed in, for what it is made of is loaded where it is needed. */
export type HttpsParts = {
  readonly door: TlsDoor;
  openHttp2(socket: TLSSocket, parts: Http2Parts): OpenHttp2;
};
