import { createHash } from "node:crypto";
import type { HttpRequest } from "../http-message.ts";
import { webSocketErrors } from "./errors.ts";

/** Spec: RFC 6455 section 1.3. */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64: the last digit before the padding has four bits of them. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
/** The only version there is; what `Sec-WebSocket-Version` must say. Spec: RFC 6455 section 4.1. */
export const WEB_SOCKET_VERSION = "13";

/** Whether a value of the `Upgrade` header asks for a WebSocket. */
export function isWebSocketUpgrade(upgrade: string | undefined): boolean {
  if (upgrade === undefined) return false;
  return upgrade.split(",").some((protocol) => protocol.trim().toLowerCase() === "websocket");
}

/** Whether a request asks for a WebSocket; that it does so rightly is looked at when one is opened. */
export function asksForWebSocket(request: HttpRequest): boolean {
  return isWebSocketUpgrade(request.header("upgrade"));
}

/**
 * Reads a request that asks for a WebSocket of the right version. Any origin is welcome: what is played here is as open as over HTTP.
 *
 * Returns: the value of `Sec-WebSocket-Accept`. Throws: WEBSOCKET_BAD_HANDSHAKE.
 * Spec: RFC 6455 sections 4.2.1, 4.2.2.
 */
export function acceptHandshake(request: HttpRequest): string {
  const key = request.header("sec-websocket-key");
  if (request.method !== "GET") throw bad(`the method is ${request.method}`);
  if (key === undefined || !KEY.test(key)) throw bad("Sec-WebSocket-Key is not 16 bytes in base64");
  const hasBody =
    request.header("transfer-encoding") !== undefined || (request.header("content-length") ?? "0") !== "0";
  if (hasBody) throw bad("it has a body");
  return createHash("sha1").update(`${key}${ACCEPT_GUID}`, "latin1").digest("base64");
}

function bad(reason: string): Error {
  return webSocketErrors.error("WEBSOCKET_BAD_HANDSHAKE", { reason });
}
