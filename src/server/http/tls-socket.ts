import type { Socket } from "node:net";

/** Whether a connection is encrypted, without loading what encrypts. */
export function isTlsSocket(socket: Socket): boolean {
  return "encrypted" in socket;
}

/**
 * Ends a connection so that its client sees that the body is not whole. A TCP connection is reset; one of TLS is closed
 * without the alert that would say that all has been sent. Spec: RFC 8446 section 6.1.
 */
export function breakOff(socket: Socket): void {
  if (isTlsSocket(socket)) socket.destroy();
  else socket.resetAndDestroy();
}
