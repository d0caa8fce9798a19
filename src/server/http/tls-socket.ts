import type { Socket } from "node:net";

/** TCP connections by the TLS connections on them. */
const carriers = new WeakMap<Socket, Socket>();

/** Whether a connection is encrypted, without loading what encrypts. */
export function isTlsSocket(socket: Socket): boolean {
  return "encrypted" in socket;
}

/** Remembers on which TCP connection one of TLS is. */
export function carry(secure: Socket, carrier: Socket): void {
  carriers.set(secure, carrier);
}

/**
 * Resets a connection, so that its client sees that the body is not whole: the end of one in clear would be the end of the
 * body, and many clients of TLS do not look whether it ended in order. Spec: RFC 9112 section 9.8.
 */
export function breakOff(socket: Socket): void {
  const carrier = carriers.get(socket);
  if (carrier !== undefined) carrier.resetAndDestroy();
  else if (isTlsSocket(socket)) socket.destroy();
  else socket.resetAndDestroy();
}
