import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../../base/bytes.ts";
import { ChunkReader, DEFAULT_CHUNK_LIMITS } from "./chunk-reader.ts";
import type { ChunkLimits, RtmpMessage } from "./chunk-reader.ts";
import { buildMessage } from "./chunk-writer.ts";

type Expected = { typeId: number; timestampMs: number; messageStreamId: number; length: number };

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const body = (length: number): Uint8Array => new Uint8Array(length).map((_, index) => (index * 31) & 0xff);

function readAll(reader: ChunkReader, bytes: Uint8Array): RtmpMessage[] {
  const messages: RtmpMessage[] = [];
  reader.feed(bytes);
  for (let message = reader.next(); message !== null; message = reader.next()) messages.push(message);
  return messages;
}

function read(bytes: Uint8Array, limits: Partial<ChunkLimits> = {}): RtmpMessage[] {
  return readAll(new ChunkReader({ ...DEFAULT_CHUNK_LIMITS, ...limits }), bytes);
}

const facts = ({ typeId, timestampMs, messageStreamId, body: bytes }: RtmpMessage): Expected => ({
  typeId,
  timestampMs,
  messageStreamId,
  length: bytes.byteLength,
});

const header = { chunkStreamId: 4, typeId: 9, messageStreamId: 1 };

const cases: { name: string; bytes: Uint8Array; value: Expected[] }[] = [
  {
    name: "form 0 carries everything",
    bytes: hex("04 0003e8 000003 09 01000000 aabbcc"),
    value: [{ typeId: 9, timestampMs: 1000, messageStreamId: 1, length: 3 }],
  },
  {
    name: "the message stream id is little-endian and 32 bits wide",
    bytes: hex("04 000000 000001 08 010203f4 aa"),
    value: [{ typeId: 8, timestampMs: 0, messageStreamId: 0xf4030201, length: 1 }],
  },
  {
    name: "forms 1, 2 and 3 take over what they leave out and add their delta",
    bytes: hex("04 0003e8 000002 09 01000000 aabb 44 000028 000001 08 cc 84 000014 dd c4 ee"),
    value: [
      { typeId: 9, timestampMs: 1000, messageStreamId: 1, length: 2 },
      { typeId: 8, timestampMs: 1040, messageStreamId: 1, length: 1 },
      { typeId: 8, timestampMs: 1060, messageStreamId: 1, length: 1 },
      { typeId: 8, timestampMs: 1080, messageStreamId: 1, length: 1 },
    ],
  },
  {
    name: "form 3 after form 0 takes its timestamp as the delta",
    bytes: hex("04 000064 000001 09 01000000 aa c4 bb"),
    value: [
      { typeId: 9, timestampMs: 100, messageStreamId: 1, length: 1 },
      { typeId: 9, timestampMs: 200, messageStreamId: 1, length: 1 },
    ],
  },
  {
    name: "chunk stream ids of two and three bytes",
    bytes: hex(
      "00 00 000001 000001 09 01000000 aa 01 0001 000002 000001 09 01000000 bb c0 00 cc c1 0001 dd",
    ),
    value: [1, 2, 2, 4].map((timestampMs) => ({ typeId: 9, timestampMs, messageStreamId: 1, length: 1 })),
  },
  {
    name: "librtmp's first ping, in form 1 on a new chunk stream",
    bytes: hex("42 000000 000006 04 000300000000"),
    value: [{ typeId: 4, timestampMs: 0, messageStreamId: 0, length: 6 }],
  },
  {
    name: "a message of no bytes",
    bytes: hex("04 000005 000000 08 01000000 04 000006 000000 08 01000000"),
    value: [5, 6].map((timestampMs) => ({ typeId: 8, timestampMs, messageStreamId: 1, length: 0 })),
  },
  {
    name: "messages of two chunk streams interleave",
    bytes: concatBytes([
      hex("04 000000 000081 09 01000000"),
      body(128),
      hex("05 000007 000001 08 01000000 aa c4 bb"),
    ]),
    value: [
      { typeId: 8, timestampMs: 7, messageStreamId: 1, length: 1 },
      { typeId: 9, timestampMs: 0, messageStreamId: 1, length: 129 },
    ],
  },
  {
    name: "a changed chunk size holds from the next chunk on",
    bytes: concatBytes([
      hex("02 000000 000004 01 00000000 000000c8"),
      buildMessage({ ...header, timestampMs: 3 }, body(300), 200),
    ]),
    value: [
      { typeId: 1, timestampMs: 0, messageStreamId: 0, length: 4 },
      { typeId: 9, timestampMs: 3, messageStreamId: 1, length: 300 },
    ],
  },
  {
    name: "an abort drops the begun message",
    bytes: concatBytes([
      hex("04 000000 0000ff 09 01000000"),
      body(128),
      hex("02 000000 000004 02 00000000 00000004 04 000009 000001 09 01000000 aa"),
    ]),
    value: [
      { typeId: 2, timestampMs: 0, messageStreamId: 0, length: 4 },
      { typeId: 9, timestampMs: 9, messageStreamId: 1, length: 1 },
    ],
  },
  ...[0xfffffe, 0xffffff, 0x1000000, 0xffffffff].map((timestampMs) => ({
    name: `timestamp ${timestampMs} over three chunks, extended where it must be`,
    bytes: buildMessage({ ...header, timestampMs }, body(300), 128),
    value: [{ typeId: 9, timestampMs, messageStreamId: 1, length: 300 }],
  })),
  {
    name: "the extended timestamp left out of form 3, as older librtmp does",
    bytes: concatBytes([
      hex("04 ffffff 000082 09 01000000 01000000"),
      body(128),
      hex("c4 aabb"),
      hex("04 000001 000001 09 01000000 cc"),
    ]),
    value: [
      { typeId: 9, timestampMs: 0x1000000, messageStreamId: 1, length: 130 },
      { typeId: 9, timestampMs: 1, messageStreamId: 1, length: 1 },
    ],
  },
  {
    name: "payload that begins like the left-out extended timestamp, and is over before it differs",
    bytes: concatBytes([
      hex("04 ffffff 000082 09 01000000 01000000"),
      body(128),
      hex("c4 0100"),
      hex("04 000001 000001 09 01000000 cc"),
    ]),
    value: [
      { typeId: 9, timestampMs: 0x1000000, messageStreamId: 1, length: 130 },
      { typeId: 9, timestampMs: 1, messageStreamId: 1, length: 1 },
    ],
  },
  {
    name: "an extended delta, and a new message in form 3 with the field repeated",
    bytes: hex("04 000001 000001 09 01000000 aa 84 ffffff 01000000 bb c4 01000000 cc"),
    value: [1, 0x1000001, 0x2000001].map((timestampMs) => ({
      typeId: 9,
      timestampMs,
      messageStreamId: 1,
      length: 1,
    })),
  },
  {
    name: "a delta over the wrap of the clock",
    bytes: hex("04 ffffff 000001 09 01000000 fffffffe aa 84 000003 bb"),
    value: [0xfffffffe, 1].map((timestampMs) => ({
      typeId: 9,
      timestampMs,
      messageStreamId: 1,
      length: 1,
    })),
  },
];

for (const { name, bytes, value } of cases) {
  test(`reads: ${name}`, () => {
    assert.deepEqual(read(bytes).map(facts), value);
  });

  test(`reads the same cut at every byte: ${name}`, () => {
    const expected = read(bytes);
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      const reader = new ChunkReader();
      const got = [...readAll(reader, bytes.subarray(0, cut)), ...readAll(reader, bytes.subarray(cut))];
      assert.deepEqual(got, expected, `cut at ${cut}`);
    }
    const single = new ChunkReader();
    const got = [...bytes].flatMap((byte) => readAll(single, Uint8Array.of(byte)));
    assert.deepEqual(got, expected, "byte by byte");
  });
}

test("payload bytes come out as they went in, for messages longer than the first allocation", () => {
  for (const length of [1, 127, 128, 129, 65_535, 65_536, 65_537, 700_000, 2_000_000]) {
    const [message] = read(buildMessage({ ...header, timestampMs: 0 }, body(length), 128));
    assert.ok(Buffer.from(message!.body).equals(body(length)), `${length} bytes`);
  }
});

test("bytes that are fed before all messages were taken are not lost", () => {
  const reader = new ChunkReader();
  const one = hex("04 000001 000001 09 01000000 aa");
  reader.feed(concatBytes([one, one]));
  assert.ok(reader.next() !== null);
  reader.feed(one);
  assert.ok(reader.next() !== null);
  assert.ok(reader.next() !== null);
  assert.equal(reader.next(), null);
});

test("a big claim without bytes costs one step of memory, not the claim", () => {
  const reader = new ChunkReader();
  reader.feed(hex("04 000000 f00000 09 01000000 aa"));
  assert.equal(reader.next(), null);
  assert.equal(reader.partialBytes, 64 * 1024);
});

test("memory that is held for unfinished messages returns to zero", () => {
  const reader = new ChunkReader();
  readAll(reader, buildMessage({ ...header, timestampMs: 0 }, body(200_000), 128));
  assert.equal(reader.partialBytes, 0);
});

const refused: { name: string; bytes: Uint8Array; code: string; limits?: Partial<ChunkLimits> }[] = [
  {
    name: "a message over the limit",
    bytes: hex("04 000000 000065 09 01000000"),
    code: "RTMP_MESSAGE_TOO_BIG",
    limits: { messageBytes: 100 },
  },
  { name: "form 2 on a new chunk stream", bytes: hex("84 000000"), code: "RTMP_CHUNK_HEADER" },
  { name: "form 3 on a new chunk stream", bytes: hex("c4"), code: "RTMP_CHUNK_HEADER" },
  {
    name: "a new header in the middle of a message",
    bytes: concatBytes([
      hex("04 000000 0000ff 09 01000000"),
      body(128),
      hex("04 000000 000001 09 01000000"),
    ]),
    code: "RTMP_CHUNK_INTERRUPTED",
  },
  {
    name: "a chunk size of zero",
    bytes: hex("02 000000 000004 01 00000000 00000000"),
    code: "RTMP_CHUNK_SIZE",
  },
  {
    name: "a chunk size with the top bit",
    bytes: hex("02 000000 000004 01 00000000 80000001"),
    code: "RTMP_CHUNK_SIZE",
  },
  {
    name: "a chunk size of three bytes",
    bytes: hex("02 000000 000003 01 00000000 000001"),
    code: "RTMP_CONTROL_TRUNCATED",
  },
  {
    name: "one chunk stream too many",
    bytes: hex("04 000000 000000 09 01000000 05 000000 000000 09 01000000 06 000000 000000 09 01000000"),
    code: "RTMP_CHUNK_STREAM_LIMIT",
    limits: { chunkStreams: 2 },
  },
];
for (const { name, bytes, code, limits = {} } of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(() => read(bytes, limits), { code });
  });
}

test("refuses many big messages that are begun at once and not finished", () => {
  const reader = new ChunkReader({ ...DEFAULT_CHUNK_LIMITS, partialBytes: 200_000 });
  const begin = (id: number): Uint8Array =>
    concatBytes([Uint8Array.of(id), hex("000000 0f0000 09 01000000"), body(128)]);
  for (const id of [3, 4, 5]) readAll(reader, begin(id));
  assert.equal(reader.partialBytes, 3 * 64 * 1024);
  assert.throws(() => readAll(reader, begin(6)), { code: "RTMP_PARTIAL_LIMIT" });
});
