import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BitReader } from "../base/bits.ts";
import { BitWriter } from "./bit-writer.ts";

test("fields are written most significant bit first, and the last byte is filled with zeros", () => {
  const bytes = new BitWriter().write(0b101, 3).write(0xffff_ffff, 32).write(0, 0).finish();
  assert.equal(Buffer.from(bytes).toString("hex"), "bfffffffe0");
});

test("whatever is written is read back, beyond the first buffer too", () => {
  const field = fc
    .nat({ max: 32 })
    .chain((count) => fc.tuple(fc.constant(count), fc.nat({ max: 2 ** count - 1 })));
  fc.assert(
    fc.property(fc.array(field, { maxLength: 100 }), (fields) => {
      const writer = new BitWriter();
      for (const [count, value] of fields) writer.write(value, count);
      const reader = new BitReader(writer.finish());
      for (const [count, value] of fields) assert.equal(reader.read(count), value);
      assert.equal(reader.isExhausted, false);
    }),
    { seed: 3 },
  );
});
