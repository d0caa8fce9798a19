import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { clientFrame, clientFrames } from "../../../test/support/web-socket-frames.ts";
import { asMediaError } from "../errors.ts";
import { MAX_MESSAGE_BYTES, WebSocketReader } from "./frame-reader.ts";

/** The messages of some bytes, fed in pieces of one size, and the code of the error that ended them. */
function readIn(input: Uint8Array, pieceBytes: number): unknown[] {
  const reader = new WebSocketReader();
  const found: unknown[] = [];
  try {
    for (let at = 0; at < input.byteLength; at += pieceBytes) {
      reader.feed(input.subarray(at, at + pieceBytes));
      for (let message = reader.next(); message !== null; message = reader.next()) {
        if ("bytes" in message) assert.ok(message.bytes.byteLength <= MAX_MESSAGE_BYTES);
        found.push("bytes" in message ? { ...message, bytes: [...message.bytes] } : message);
      }
    }
  } catch (caught) {
    const error = asMediaError(caught);
    if (error === null) throw caught;
    found.push(error.code);
  }
  return found;
}

/** What a client sends behind the handshake: read whole and in pieces it means the same. */
export const fuzz: FuzzTarget = {
  name: "web-socket-frames",
  seeds: [
    clientFrame({ opcode: 1, payload: "set_tracks=v1a1" }),
    clientFrame({ opcode: 2, payload: new Uint8Array(300) }),
    clientFrames(
      { opcode: 1, payload: "play_", isLast: false },
      { opcode: 9, payload: "ping" },
      { opcode: 0, payload: "from=1" },
      { opcode: 8, payload: Uint8Array.of(3, 232) },
    ),
    clientFrame({ opcode: 2, lengthBytes: 2n ** 63n - 1n }),
  ],
  dictionary: [Uint8Array.of(0x81, 0x80), Uint8Array.of(0xff, 0xff), Uint8Array.of(0x89, 0xfe)],
  run(input) {
    assert.deepEqual(readIn(input, 1), readIn(input, Math.max(1, input.byteLength)));
  },
};
