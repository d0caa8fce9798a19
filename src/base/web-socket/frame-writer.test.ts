import assert from "node:assert/strict";
import { test } from "node:test";
import { OPCODE, buildCloseFrame, buildFrame, buildTextFrame, frameHeaderBytes } from "./frame-writer.ts";

const SIZES = [
  { payloadBytes: 0, header: [0x82, 0] },
  { payloadBytes: 125, header: [0x82, 125] },
  { payloadBytes: 126, header: [0x82, 126, 0, 126] },
  { payloadBytes: 65_535, header: [0x82, 126, 0xff, 0xff] },
  { payloadBytes: 65_536, header: [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0] },
];
for (const { payloadBytes, header } of SIZES) {
  test(`a message of ${payloadBytes} bytes has its length in the fewest bytes, and no mask`, () => {
    const frame = buildFrame(OPCODE.binary, new Uint8Array(payloadBytes).fill(9));
    assert.deepEqual([...frame.subarray(0, header.length)], header);
    assert.equal(frame.byteLength, header.length + payloadBytes);
    assert.equal(frameHeaderBytes(payloadBytes), header.length);
    assert.ok(frame.subarray(header.length).every((byte) => byte === 9));
  });
}

test("a text is UTF-8", () => {
  assert.deepEqual([...buildTextFrame("\u20ac")], [0x81, 3, 0xe2, 0x82, 0xac]);
});

test("a close frame has its code and as much of the reason as fits, in whole characters", () => {
  assert.deepEqual([...buildCloseFrame(1001, "bye")], [0x88, 5, 0x03, 0xe9, 0x62, 0x79, 0x65]);
  assert.deepEqual([...buildCloseFrame(1000)], [0x88, 2, 0x03, 0xe8]);
  const long = buildCloseFrame(1000, "\u20ac".repeat(100));
  assert.deepEqual([long[1], long.byteLength], [125, 127]);
  new TextDecoder("utf-8", { fatal: true }).decode(long.subarray(4));
});
