import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { crc32 } from "./crc32.ts";

test("a sum is the one that the standard gives for its check value", () => {
  const bytes = Buffer.from("123456789");
  assert.equal(crc32(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, 9), 0xcbf43926);
});

test("a sum of any part of any bytes is the one that zlib makes", () => {
  const parts = fc.uint8Array({ maxLength: 300 }).chain((bytes) =>
    fc.record({
      bytes: fc.constant(bytes),
      start: fc.nat(bytes.byteLength),
      length: fc.nat(300),
    }),
  );
  fc.assert(
    fc.property(parts, ({ bytes, start, length }) => {
      const end = Math.min(bytes.byteLength, start + length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      assert.equal(crc32(view, start, end), zlib.crc32(bytes.subarray(start, end)));
    }),
  );
});
