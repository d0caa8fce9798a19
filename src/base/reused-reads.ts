/** Bytes of a buffer for `readInto`: what the system hands over in one read, and more only costs cache. */
export const READ_BUFFER_BYTES = 64 * 1024;

/** What is used of a socket that a server of `node:net` has accepted. */
export type AcceptedSocket = { destroy(): unknown };

/** The fields of an accepted socket that are no documented API. */
type Undocumented = { _handle?: { readonly useUserBuffer?: unknown } | null; _server?: unknown };

/** How the socket is to be that takes the connection over. */
export type ReusedReadOptions = {
  /** Bytes that the socket takes to send before it wants to drain first. */
  readonly highWaterMark: number;
  /** A peer that sends no more is still sent to; else its end closes the connection. */
  readonly isHalfOpen?: boolean;
  /** The connection stays one of its server's, which counts it and waits for it when it closes. */
  readonly isCounted?: boolean;
};

/**
 * Reads an accepted socket into a buffer that all sockets of the thread share, in place of 64 KiB of fresh memory for
 * every read. Call it in the turn in which the socket was accepted, before anything listens to it.
 *
 * Node offers this (`onread`) for sockets that connect, not for those that a server accepts; there it takes the
 * connection over from the accepted socket with a field that is not documented. Where that is missing nothing changes.
 * `receive` gives `false` to stop the reading until the socket is read or resumed, as `Readable.push` does.
 * Returns: the socket to use from now on; `socket` itself, which gives its bytes as `data` events, when it cannot be.
 * Ownership: bytes are valid until `receive` returns.
 */
export function readInto<S extends AcceptedSocket>(
  buffer: Uint8Array,
  socket: S,
  receive: (bytes: Uint8Array) => unknown,
  { highWaterMark, isHalfOpen = false, isCounted = false }: ReusedReadOptions,
): S {
  const accepted = socket as AcceptedSocket & Undocumented;
  const handle = accepted._handle;
  if (typeof handle?.useUserBuffer !== "function") return socket;
  const onread = {
    buffer,
    callback: (lengthBytes: number): boolean => receive(buffer.subarray(0, lengthBytes)) !== false,
  };
  const { _server: server } = accepted;
  // The empty shell goes by itself; its server counts the connection as closed, unless it knows nothing of it any more.
  if (isCounted) accepted._server = null;
  accepted._handle = null;
  socket.destroy();
  const SocketOfServer = socket.constructor as new (options: object) => S & Undocumented;
  const next = new SocketOfServer({ handle, onread, allowHalfOpen: isHalfOpen, highWaterMark });
  if (isCounted) next._server = server;
  return next;
}
