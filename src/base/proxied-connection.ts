/** Connections that a proxy brings, and of which it says by the PROXY protocol whose they are. */

/** What the header in front of a connection said. */
export type ToldConnection = {
  /** Whose it is; `null`: the proxy's own, or it does not know. */
  readonly address: string | null;
  /** What was read behind the header, and is the client's. Valid until the call returns. */
  readonly rest: Uint8Array;
};

/** What becomes of a connection: one of the two is called, once, or none where it closes by itself. */
export type ProxyVisitor = {
  /** It is paused, nothing is left in it, and nobody listens to it; whoever gets it does so before the call returns. */
  onTold(told: ToldConnection): void;
  /** Why the connection was closed. */
  onRefused(reason: string): void;
};

/** Reads the headers of connections that were accepted, of which nothing has been read, and in clear. */
export type ProxyDoor<S> = { admit(accepted: S, visitor: ProxyVisitor): void };

/** From here on the address of this socket is the one that was told. */
export function presentAs(socket: object, told: ToldConnection | null): void {
  if (told === null || told.address === null) return;
  Object.defineProperty(socket, "remoteAddress", { value: told.address, configurable: true });
}

/** What is used of a socket to hand on what was read of it. */
type HandedOn = { unshift(bytes: Uint8Array): void; resume(): unknown };

/**
 * Hands what was read behind the header to who has the connection now, and lets it read on: to `receive` where another
 * socket has taken the accepted one over (see `readInto`), else by its `data` events.
 */
export function handOn<S extends HandedOn>(
  { rest }: ToldConnection,
  { accepted, socket, receive }: { accepted: S; socket: S; receive: (bytes: Uint8Array) => unknown },
): void {
  if (socket === accepted) {
    if (rest.length > 0) accepted.unshift(rest);
    accepted.resume();
  } else if (rest.length > 0) receive(rest);
}
