import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clientFrame, clientFrames } from "../../../test/support/web-socket-frames.ts";
import type { ClientFrame } from "../../../test/support/web-socket-frames.ts";
import { asMediaError } from "../errors.ts";
import { CLOSE_CODE, closeCodeOf } from "./errors.ts";
import { MAX_MESSAGE_BYTES, MAX_MESSAGE_FRAGMENTS, WebSocketReader } from "./frame-reader.ts";
import type { WebSocketMessage } from "./frame-reader.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function readAll(reader: WebSocketReader, chunks: readonly Uint8Array[]): WebSocketMessage[] {
  const messages: WebSocketMessage[] = [];
  for (const chunk of chunks) {
    reader.feed(chunk);
    for (let message = reader.next(); message !== null; message = reader.next()) messages.push(message);
  }
  return messages;
}

const read = (...chunks: readonly Uint8Array[]): WebSocketMessage[] =>
  readAll(new WebSocketReader(), chunks);

const long = "x".repeat(300);
const GOOD: readonly { name: string; bytes: Uint8Array; messages: readonly WebSocketMessage[] }[] = [
  {
    // RFC 6455 section 5.7: a single-frame masked text message.
    name: "the standard's own example",
    bytes: bytes(0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58),
    messages: [{ type: "text", text: "Hello" }],
  },
  { name: "an empty text", bytes: clientFrame({ opcode: 1 }), messages: [{ type: "text", text: "" }] },
  {
    name: "a text with a 16-bit length",
    bytes: clientFrame({ opcode: 1, payload: long }),
    messages: [{ type: "text", text: long }],
  },
  {
    name: "two messages behind each other",
    bytes: clientFrames({ opcode: 1, payload: "pause" }, { opcode: 2, payload: bytes(1, 2, 3, 4, 5) }),
    messages: [
      { type: "text", text: "pause" },
      { type: "binary", bytes: bytes(1, 2, 3, 4, 5) },
    ],
  },
  {
    name: "a character of three bytes over two fragments, with a ping between them",
    bytes: clientFrames(
      { opcode: 1, payload: bytes(0xe2, 0x82), isLast: false },
      { opcode: 9, payload: "there?" },
      { opcode: 0, payload: bytes(0xac), isLast: true },
    ),
    messages: [
      { type: "ping", bytes: new TextEncoder().encode("there?") },
      { type: "text", text: "\u20ac" },
    ],
  },
  {
    name: "empty fragments",
    bytes: clientFrames(
      { opcode: 2, isLast: false },
      { opcode: 0, isLast: false },
      { opcode: 0, payload: bytes(7) },
    ),
    messages: [{ type: "binary", bytes: bytes(7) }],
  },
  {
    name: "a pong, and closes without and with a code",
    bytes: clientFrames(
      { opcode: 10, payload: "x" },
      { opcode: 8 },
      { opcode: 8, payload: bytes(0x03, 0xe9, 0x62, 0x79, 0x65) },
    ),
    messages: [
      { type: "pong", bytes: bytes(0x78) },
      { type: "close", code: 1005, reason: "" },
      { type: "close", code: 1001, reason: "bye" },
    ],
  },
];

describe("frames of a client are read", () => {
  for (const { name, bytes: wire, messages } of GOOD) {
    test(name, () => assert.deepEqual(read(wire), messages));
    test(`${name}, cut anywhere`, () => {
      for (let cut = 0; cut <= wire.byteLength; cut++) {
        assert.deepEqual(read(wire.subarray(0, cut), wire.subarray(cut)), messages, `cut at ${cut}`);
      }
      assert.deepEqual(read(...Array.from(wire, (byte) => bytes(byte))), messages, "byte by byte");
    });
  }

  test("the longest message there may be, with a 64-bit length", () => {
    const payload = new Uint8Array(MAX_MESSAGE_BYTES).fill(1);
    assert.deepEqual(read(clientFrame({ opcode: 2, payload })), [{ type: "binary", bytes: payload }]);
  });
});

const BAD: readonly { name: string; frames: readonly ClientFrame[]; code: string; closes: number }[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((reserved) => ({
    name: `reserved bits ${reserved}`,
    frames: [{ opcode: 1, reserved: reserved << 4 }],
    code: "WEBSOCKET_BAD_FRAME",
    closes: CLOSE_CODE.protocolError,
  })),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    name: `opcode ${opcode}`,
    frames: [{ opcode }],
    code: "WEBSOCKET_BAD_FRAME",
    closes: CLOSE_CODE.protocolError,
  })),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) => ({
    name: `close code ${code}`,
    frames: [{ opcode: 8, payload: bytes(code >> 8, code & 255) }],
    code: "WEBSOCKET_BAD_FRAME",
    closes: CLOSE_CODE.protocolError,
  })),
  ...[
    { name: "a frame without a mask", frames: [{ opcode: 1, payload: "x", isMasked: false }] },
    {
      name: "a length of 5 in 16 bits",
      frames: [{ opcode: 1, payload: "hello", lengthBits: 16 as const }],
    },
    {
      name: "a length of 5 in 64 bits",
      frames: [{ opcode: 1, payload: "hello", lengthBits: 64 as const }],
    },
    { name: "a negative length", frames: [{ opcode: 1, lengthBytes: 2n ** 63n }] },
    { name: "a control frame in fragments", frames: [{ opcode: 9, isLast: false }] },
    { name: "a control frame of 126 bytes", frames: [{ opcode: 9, payload: "x".repeat(126) }] },
    { name: "a continuation of nothing", frames: [{ opcode: 0, payload: "x" }] },
    {
      name: "a continuation of a finished message",
      frames: [{ opcode: 1 }, { opcode: 0, payload: "x" }],
    },
    {
      name: "a message within a message",
      frames: [{ opcode: 1, isLast: false }, { opcode: 1 }],
    },
    { name: "half a close code", frames: [{ opcode: 8, payload: bytes(3) }] },
  ].map((bad) => ({ ...bad, code: "WEBSOCKET_BAD_FRAME", closes: CLOSE_CODE.protocolError })),
  ...[
    { name: "a length of 2^63 - 1", frames: [{ opcode: 2, lengthBytes: 2n ** 63n - 1n }] },
    { name: "a length of one byte too many", frames: [{ opcode: 2, lengthBytes: 65_537n }] },
    {
      name: "fragments that are too long together",
      frames: [
        { opcode: 2, payload: new Uint8Array(40_000), isLast: false },
        { opcode: 0, payload: new Uint8Array(40_000) },
      ],
    },
    {
      name: "fragments without end",
      frames: [
        { opcode: 2, isLast: false },
        ...Array.from({ length: MAX_MESSAGE_FRAGMENTS }, () => ({ opcode: 0, isLast: false })),
      ],
    },
  ].map((bad) => ({ ...bad, code: "WEBSOCKET_TOO_BIG", closes: CLOSE_CODE.tooBig })),
  ...[
    { name: "an overlong character", frames: [{ opcode: 1, payload: bytes(0xc0, 0xaf) }] },
    { name: "half a character", frames: [{ opcode: 1, payload: bytes(0xe2, 0x82) }] },
    { name: "a surrogate", frames: [{ opcode: 1, payload: bytes(0xed, 0xa0, 0x80) }] },
    {
      name: "a reason that is no text",
      frames: [{ opcode: 8, payload: bytes(0x03, 0xe8, 0xff) }],
    },
  ].map((bad) => ({ ...bad, code: "WEBSOCKET_BAD_TEXT", closes: CLOSE_CODE.badText })),
];

describe("what no client may send is refused with a close code", () => {
  for (const { name, frames, code, closes } of BAD) {
    const wire = clientFrames(...frames);
    const refused = (error: unknown): boolean => {
      const found = asMediaError(error);
      assert.deepEqual([found?.code, found && closeCodeOf(found)], [code, closes]);
      return true;
    };
    test(name, () => assert.throws(() => read(wire), refused));
    test(`${name}, byte by byte`, () => {
      assert.throws(() => read(...Array.from(wire, (byte) => bytes(byte))), refused);
    });
  }
});

test("a length that is only promised is not allocated", () => {
  const reader = new WebSocketReader();
  const header = clientFrame({ opcode: 2, lengthBytes: 65_536n, payload: "x" });
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 2000 }, () => new WebSocketReader());
  for (const one of [reader, ...readers]) assert.deepEqual(readAll(one, [header]), []);
  const grownBytes = process.memoryUsage().arrayBuffers - before;
  assert.ok(grownBytes < 2000 * 8192, `${grownBytes} bytes for 2000 promises`);
});
