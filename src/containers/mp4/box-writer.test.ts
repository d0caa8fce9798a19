import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxWriter } from "./box-writer.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("boxes nest and know their sizes", () => {
  const boxes = new BoxWriter();
  boxes.box("moov", () =>
    boxes.box("free", () => boxes.u8(1)).fullBox("mvhd", 1, 0x203, () => boxes.u16(7)),
  );
  assert.equal(hex(boxes.finish()), "0000001f6d6f6f760000000966726565010000000e6d766864010002030007");
});

test("every kind of number and text is written big-endian", () => {
  const boxes = new BoxWriter()
    .u8(0x01)
    .u16(0x0203)
    .u24(0x040506)
    .u32(0xfff0_0000)
    .u64(2 ** 32 + 5);
  boxes.fourCc("avc1").cString("hi").zeros(2).raw(Uint8Array.of(9));
  assert.equal(hex(boxes.finish()), "010203040506fff00000000000010000000561766331686900000009");
});

test("the buffer grows over one large write and over many small ones", () => {
  const boxes = new BoxWriter();
  boxes.box("mdat", () => {
    boxes.raw(new Uint8Array(5000).fill(1));
    for (let i = 0; i < 3000; i++) boxes.u16(i);
  });
  const bytes = boxes.finish();
  assert.equal(bytes.length, 8 + 5000 + 6000);
  assert.equal(hex(bytes.subarray(0, 8)), "00002b006d646174");
  assert.equal(hex(bytes.subarray(-2)), "0bb7");
});
