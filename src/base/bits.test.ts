import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BitReader } from "./bits.ts";

test("fixed-length fields come most significant bit first", () => {
  const bits = new BitReader(Uint8Array.of(0b1010_0110, 0xff, 0x00, 0x12, 0x34, 0x56, 0x78));
  assert.deepEqual([bits.read(1), bits.read(3), bits.read(4)], [1, 2, 6]);
  assert.equal(bits.read(12), 0xff0);
  bits.align();
  assert.equal(bits.read(32), 0x12345678);
  assert.equal(bits.isExhausted, false);
  assert.equal(bits.remaining, 0);
});

test("Exp-Golomb codes of ITU-T H.264 table 9-2 and 9-3", () => {
  const codes = ["1", "010", "011", "00100", "00101", "00110", "00111", "0001000"];
  const text = codes.join("").padEnd(40, "0");
  const bytes = Uint8Array.from(text.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
  const unsigned = new BitReader(bytes);
  assert.deepEqual(
    codes.map(() => unsigned.ue()),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  const signed = new BitReader(bytes);
  assert.deepEqual(
    codes.map(() => signed.se()),
    [0, 1, -1, 2, -2, 3, -3, 4],
  );
});

test("reading past the end gives zeros and says so, whatever is read", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 8 }),
      fc.array(fc.constantFrom("read", "ue", "se", "skip", "align"), { maxLength: 60 }),
      (bytes, calls) => {
        const bits = new BitReader(bytes);
        for (const call of calls) {
          if (call === "read") bits.read(17);
          else if (call === "skip") bits.skip(5);
          else if (call === "align") bits.align();
          else bits[call]();
          assert.ok(bits.position <= bytes.byteLength * 8);
        }
      },
    ),
    { seed: 3 },
  );
  const empty = new BitReader(new Uint8Array(0));
  assert.equal(empty.ue(), 0);
  assert.equal(empty.isExhausted, true);
});
