import assert from "node:assert/strict";
import { test } from "node:test";
import * as bytes from "./bytes.ts";

const table = [
  { width: 2, value: 0xfffe, read: bytes.readU16, write: bytes.writeU16 },
  { width: 3, value: 0xfffefd, read: bytes.readU24, write: bytes.writeU24 },
  { width: 4, value: 0xfffefdfc, read: bytes.readU32, write: bytes.writeU32 },
  { width: 8, value: 2 ** 53 - 1, read: bytes.readU64, write: bytes.writeU64 },
];
for (const { width, value, read, write } of table) {
  test(`${width}-byte integers are written big-endian at their place and read back`, () => {
    const buffer = new Uint8Array(width + 4).fill(0xaa);
    write(buffer, 2, value);
    assert.equal(read(buffer, 2), value);
    assert.deepEqual([buffer[1], buffer[width + 2]], [0xaa, 0xaa]);
    const view = new DataView(buffer.buffer);
    if (width === 8) assert.equal(view.getBigUint64(2), BigInt(value));
    if (width === 4) assert.equal(view.getUint32(2), value);
  });
}

test("signed reads are two's complement", () => {
  const ones = new Uint8Array(8).fill(0xff);
  assert.deepEqual([bytes.readI24(ones, 0), bytes.readI32(ones, 0), bytes.readI64(ones, 0)], [-1, -1, -1]);
});

test("four-character codes, joining and comparing", () => {
  const box = new Uint8Array(4);
  bytes.writeFourCc(box, 0, "moov");
  assert.equal(bytes.readFourCc(box, 0), "moov");
  const joined = bytes.concatBytes([Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)]);
  assert.deepEqual(joined, Uint8Array.of(1, 2, 3));
  assert.equal(bytes.totalBytes([joined, joined]), 6);
  assert.equal(bytes.equalBytes(joined, Uint8Array.of(1, 2, 3)), true);
  assert.equal(bytes.equalBytes(joined, Uint8Array.of(1, 2, 4)), false);
});
