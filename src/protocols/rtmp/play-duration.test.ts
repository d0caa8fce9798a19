import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes } from "../../base/bytes.ts";
import { SENT_CHUNK_BYTES } from "./from-stream.ts";
import { PlayDuration, playDurationMs } from "./play-duration.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { buildMessage } from "./wire/chunk-writer.ts";
import { MESSAGE } from "./wire/messages.ts";

const message = (timestampMs: number, lengthBytes = 10, typeId: number = MESSAGE.video): Uint8Array =>
  buildMessage(
    { chunkStreamId: 6, timestampMs, typeId, messageStreamId: 1 },
    new Uint8Array(lengthBytes),
    SENT_CHUNK_BYTES,
  );

const durations: readonly { name: string; args: readonly AmfValue[]; ms: number | null }[] = [
  { name: "ffmpeg: none", args: ["x", -2000], ms: null },
  { name: "rtmpdump --live --stop 5", args: ["x", -1000, 5000], ms: 5000 },
  { name: "rtmpdump --stop 5", args: ["x", 0, 5000], ms: 5000 },
  { name: "rtmpdump --start 2 --stop 5", args: ["x", 2000, 3000], ms: 3000 },
  { name: "the specification's live, in seconds", args: ["x", -1, 5], ms: 5000 },
  { name: "the specification's live or recorded, in seconds", args: ["x", -2, 1.5], ms: 1500 },
  { name: "the whole stream", args: ["x", -2000, -1], ms: null },
  { name: "zero", args: ["x", -2000, 0], ms: null },
  { name: "no number", args: ["x", -2000, "5"], ms: null },
  { name: "not a number", args: ["x", -2000, Number.NaN], ms: null },
  { name: "endless", args: ["x", -2000, Infinity], ms: null },
  { name: "no arguments", args: [], ms: null },
];
for (const { name, args, ms } of durations) {
  test(`duration of play: ${name}`, () => assert.equal(playDurationMs(args), ms));
}

test("messages before the end pass, the first at it or behind does not", () => {
  const duration = new PlayDuration(100);
  const first = concatBytes([message(5000), message(5040)]);
  assert.equal(duration.take(first), first.byteLength);
  const second = concatBytes([message(5080), message(5099), message(5100), message(5140)]);
  assert.equal(duration.take(second), message(0).byteLength * 2);
  assert.equal(duration.isOver, true);
  assert.equal(duration.take(message(5000)), 0, "over is over");
});

test("metadata, whose time is 0 wherever it stands, is no step of time", () => {
  const metadata = message(0, 10, MESSAGE.dataAmf0);
  const duration = new PlayDuration(100);
  const joined = concatBytes([metadata, message(5000), message(5060), metadata, message(5099)]);
  assert.equal(duration.take(joined), joined.byteLength);
  assert.equal(duration.isOver, false);
  assert.equal(duration.take(concatBytes([metadata, message(5100)])), metadata.byteLength);
  assert.equal(duration.take(metadata), 0, "over is over");
});

test("messages of several chunks, empty ones and extended timestamps are stepped over", () => {
  const pieces = [0, 1, SENT_CHUNK_BYTES, SENT_CHUNK_BYTES + 1, 5 * SENT_CHUNK_BYTES].map((length) =>
    message(0x1000000, length),
  );
  const duration = new PlayDuration(10);
  const fitting = concatBytes(pieces);
  assert.equal(duration.take(concatBytes([fitting, message(0x100000a)])), fitting.byteLength);
});

test("the wrap of the clock and a track that lags behind do not end it", () => {
  const duration = new PlayDuration(1000);
  for (const timestampMs of [2 ** 32 - 500, 2 ** 32 - 520, 2 ** 32 - 100, 300, 280, 499]) {
    assert.ok(duration.take(message(timestampMs)) > 0, `${timestampMs}`);
  }
  assert.equal(duration.take(message(500)), 0);
});

test("the time of a pause does not count", () => {
  const duration = new PlayDuration(1000);
  duration.take(concatBytes([message(0), message(600)]));
  duration.interrupt();
  assert.ok(duration.take(concatBytes([message(90_000), message(90_399)])) > 0);
  assert.equal(duration.isOver, false);
  assert.equal(duration.take(message(90_400)), 0);
});

test("however the messages are joined, the cut is the same", () => {
  const messages = fc.array(fc.tuple(fc.nat(50), fc.nat(70_000)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(messages, fc.nat(2 ** 32 - 1), fc.integer({ min: 1, max: 400 }), (parts, start, ms) => {
      let atMs = start;
      const pieces = parts.map(([stepMs, length]) => message((atMs += stepMs), length));
      const single = new PlayDuration(ms);
      const one = pieces.reduce((sum, piece) => sum + single.take(piece), 0);
      const joined = new PlayDuration(ms);
      assert.equal(joined.take(concatBytes(pieces)), one);
      assert.equal(joined.isOver, single.isOver);
    }),
    { numRuns: 200, seed: 11 },
  );
});
