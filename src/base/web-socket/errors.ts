import { defineErrors } from "../errors.ts";
import type { MediaError } from "../errors.ts";

/** Errors of WebSocket connections: what a client may not send. */
export const webSocketErrors = defineErrors({
  WEBSOCKET_BAD_HANDSHAKE: {
    disposition: "reject",
    httpStatus: 400,
    message: "not a WebSocket handshake: {reason}",
    doc: "The request asks for a WebSocket in a way that RFC 6455 does not allow. Use a WebSocket client, version 13, and let proxies pass `Upgrade` and `Connection` on.",
  },
  WEBSOCKET_BAD_FRAME: {
    disposition: "close-session",
    message: "a frame that no client may send: {reason}",
    doc: "The client breaks RFC 6455; the connection is closed with code 1002. Report it to the player's makers.",
  },
  WEBSOCKET_TOO_BIG: {
    disposition: "close-session",
    message: "a message of more than {limitBytes} bytes or {limitFragments} fragments",
    doc: "Clients have nothing to say here but short commands; the connection is closed with code 1009.",
  },
  WEBSOCKET_BAD_TEXT: {
    disposition: "close-session",
    message: "a text that is not UTF-8",
    doc: "The client breaks RFC 6455 section 8.1; the connection is closed with code 1007.",
  },
});

/** Why a WebSocket is closed, as the peer is told. Spec: RFC 6455 section 7.4.1. */
export const CLOSE_CODE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  badText: 1007,
  policy: 1008,
  tooBig: 1009,
  internalError: 1011,
  tryAgainLater: 1013,
} as const;

const CLOSE_CODES: Readonly<Record<string, number>> = {
  WEBSOCKET_BAD_FRAME: CLOSE_CODE.protocolError,
  WEBSOCKET_TOO_BIG: CLOSE_CODE.tooBig,
  WEBSOCKET_BAD_TEXT: CLOSE_CODE.badText,
};

/** The code with which a connection is closed after an error. */
export function closeCodeOf(error: MediaError): number {
  return CLOSE_CODES[error.code] ?? CLOSE_CODE.policy;
}
