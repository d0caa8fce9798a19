import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChunkReader } from "./chunk-reader.ts";
import {
  buildMessage,
  messageBytes,
  writeMessage,
  writtenMessageBytes,
  writtenTimestampMs,
  writtenTypeId,
} from "./chunk-writer.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("a short message is one chunk of form 0", () => {
  const header = { chunkStreamId: 3, timestampMs: 1000, typeId: 20, messageStreamId: 1 };
  assert.equal(hex(buildMessage(header, Uint8Array.of(0xaa, 0xbb), 128)), "030003e80000021401000000aabb");
});

test("a body of exactly one chunk has no second header, one byte more has", () => {
  const header = { chunkStreamId: 6, timestampMs: 0, typeId: 9, messageStreamId: 1 };
  assert.equal(buildMessage(header, new Uint8Array(128), 128).byteLength, 12 + 128);
  const longer = buildMessage(header, new Uint8Array(129), 128);
  assert.equal(longer.byteLength, 12 + 128 + 1 + 1);
  assert.equal(longer[12 + 128], 0xc6);
});

test("a message without body is a header", () => {
  const header = { chunkStreamId: 2, timestampMs: 0, typeId: 8, messageStreamId: 1 };
  assert.equal(buildMessage(header, new Uint8Array(0), 128).byteLength, 12);
});

test("the timestamp is extended from 0xFFFFFF on, in every chunk", () => {
  const at = (timestampMs: number): string => {
    const header = { chunkStreamId: 4, timestampMs, typeId: 9, messageStreamId: 1 };
    return hex(buildMessage(header, Uint8Array.of(1, 2, 3), 2));
  };
  assert.equal(at(0xfffffe), "04fffffe00000309010000000102c403");
  assert.equal(at(0xffffff), "04ffffff000003090100000000ffffff0102c400ffffff03");
  assert.equal(at(2 ** 32 - 1), "04ffffff0000030901000000ffffffff0102c4ffffffff03");
  assert.equal(at(2 ** 32), at(0), "the clock wraps");
  assert.equal(at(-1), at(2 ** 32 - 1));
});

test("a prefix is left free in the first chunk", () => {
  const header = { chunkStreamId: 4, timestampMs: 0, typeId: 9, messageStreamId: 1 };
  const message = new Uint8Array(2 + messageBytes(0, 6, 4)).fill(0xee);
  writeMessage(message, 2, header, Uint8Array.of(7, 8, 9), { chunkSize: 4, prefixBytes: 3 });
  assert.equal(hex(message), "eeee040000000000060901000000eeeeee07c40809");
});

test("what is written is read back, whatever the sizes and times", () => {
  const values = fc.record({
    timestampMs: fc.oneof(fc.nat(2 ** 32 - 1), fc.integer({ min: 0xfffff0, max: 0x100000f })),
    length: fc.nat(1000),
    chunkSize: fc.integer({ min: 1, max: 600 }),
    chunkStreamId: fc.integer({ min: 2, max: 63 }),
  });
  fc.assert(
    fc.property(values, ({ timestampMs, length, chunkSize, chunkStreamId }) => {
      const reader = new ChunkReader();
      const size = Uint8Array.of(0, 0, chunkSize >> 8, chunkSize & 0xff);
      const control = { chunkStreamId: 2, timestampMs: 0, typeId: 1, messageStreamId: 0 };
      reader.feed(buildMessage(control, size, 128));
      assert.equal(reader.next()?.typeId, 1);
      const body = new Uint8Array(length).map((_, index) => index & 0xff);
      const header = { chunkStreamId, timestampMs, typeId: 9, messageStreamId: 5 };
      const written = buildMessage(header, body, chunkSize);
      assert.equal(writtenTimestampMs(written, 0), timestampMs);
      assert.equal(writtenTypeId(written, 0), header.typeId);
      assert.equal(writtenMessageBytes(written, 0, chunkSize), written.byteLength);
      reader.feed(written);
      const message = reader.next();
      assert.deepEqual(message, { typeId: 9, timestampMs, messageStreamId: 5, body, slab: null });
    }),
    { numRuns: 300, seed: 1 },
  );
});
