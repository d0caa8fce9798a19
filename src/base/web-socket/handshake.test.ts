import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest } from "../http-message.ts";
import { acceptHandshake, isWebSocketUpgrade } from "./handshake.ts";

const GOOD = { upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };

function request(headers: Readonly<Record<string, string>>, method = "GET"): HttpRequest {
  const query = new URLSearchParams();
  return { method, path: "/a", query, header: (name) => headers[name], remoteAddress: "192.0.2.1" };
}

test("the key of the standard's example has the answer of the standard", () => {
  // RFC 6455 section 1.3.
  assert.equal(acceptHandshake(request(GOOD)), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

const BAD: readonly [what: string, request: HttpRequest][] = [
  ["no key", request({ upgrade: "websocket" })],
  ["a key of 15 bytes", request({ ...GOOD, "sec-websocket-key": "dGhlIHNhbXBsZSBub24=" })],
  ["a key that is not base64", request({ ...GOOD, "sec-websocket-key": "dGhlIHNhbXBsZSBub25j!!==" })],
  ["two keys", request({ ...GOOD, "sec-websocket-key": `${GOOD["sec-websocket-key"]}, x` })],
  ["another method", request(GOOD, "POST")],
  ["a body", request({ ...GOOD, "content-length": "5" })],
  ["a body of chunks", request({ ...GOOD, "transfer-encoding": "chunked" })],
];
for (const [what, bad] of BAD) {
  test(`a handshake with ${what} is refused`, () => {
    assert.throws(() => acceptHandshake(bad), { code: "WEBSOCKET_BAD_HANDSHAKE", httpStatus: 400 });
  });
}

test("only websocket is an upgrade to one", () => {
  const asked = ["websocket", "WebSocket", "h2c, websocket", "h2c", "websocketx", "", undefined];
  assert.deepEqual(asked.map(isWebSocketUpgrade), [true, true, true, false, false, false, false]);
});
