import assert from "node:assert/strict";
import { ChunkReader } from "./chunk-reader.ts";
import { buildMessage } from "./chunk-writer.ts";

const LIMITS = { messageBytes: 100_000, chunkStreams: 8, partialBytes: 400_000 };
const header = { chunkStreamId: 4, typeId: 9, messageStreamId: 1 };
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

/** Chunks in pieces; the last byte says how long they are. */
export const fuzz = {
  name: "rtmp-chunks",
  seeds: [
    buildMessage({ ...header, timestampMs: 0 }, new Uint8Array(300), 128),
    buildMessage({ ...header, timestampMs: 0x1000000 }, new Uint8Array(300), 128),
    hex("040003e8000002090100 0000aabb44000028000001 08cc84000014ddc4ee".replaceAll(" ", "")),
    hex("020000000000040100000000000000c8"),
    hex("020000000000040200000000 00000004".replaceAll(" ", "")),
    hex("0000000001000001090100000 0aa0100010000020000010901000000bb".replaceAll(" ", "")),
  ],
  run(input: Uint8Array): void {
    const reader = new ChunkReader(LIMITS);
    const stepBytes = Math.max(1, input.at(-1) ?? 1);
    let bodyBytes = 0;
    for (let at = 0; at < input.byteLength; at += stepBytes) {
      reader.feed(input.subarray(at, at + stepBytes));
      for (let message = reader.next(); message !== null; message = reader.next()) {
        bodyBytes += message.body.byteLength;
        assert.ok(message.timestampMs >= 0 && message.timestampMs < 2 ** 32);
      }
      assert.ok(reader.partialBytes <= LIMITS.partialBytes);
    }
    assert.ok(bodyBytes <= input.byteLength);
  },
};
