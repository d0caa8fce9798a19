import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../../base/bytes.ts";
import type { RtmpMessage } from "./chunk-reader.ts";
import { amfObject } from "./amf-value.ts";
import {
  MESSAGE,
  buildCommand,
  buildControlNumber,
  buildPeerBandwidth,
  buildUserControl,
  parseCommand,
  parseControlNumber,
  parseUserControl,
  splitAggregate,
} from "./messages.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

function message(typeId: number, body: Uint8Array, timestampMs = 0): RtmpMessage {
  return { typeId, timestampMs, messageStreamId: 1, body, slab: null };
}

const connect = { name: "connect", transactionId: 1, object: amfObject({ app: "pub" }), args: ["extra"] };

test("a command is built and read back", () => {
  assert.deepEqual(parseCommand(message(MESSAGE.commandAmf0, buildCommand(connect))), connect);
});

test("an AMF3 command is read with and without its format byte", () => {
  const body = buildCommand(connect);
  assert.deepEqual(parseCommand(message(MESSAGE.commandAmf3, body)), connect);
  assert.deepEqual(parseCommand(message(MESSAGE.commandAmf3, concatBytes([hex("00"), body]))), connect);
});

test("an AMF3 command whose argument switches to AMF3 is read", () => {
  const body = concatBytes([hex("00"), buildCommand({ ...connect, args: [] }), hex("11 06 03 61")]);
  assert.deepEqual(parseCommand(message(MESSAGE.commandAmf3, body)).args, ["a"]);
});

test("a command that does not begin with a name, or breaks off, is malformed", () => {
  for (const body of [hex(""), hex("05"), hex("020000"), hex("020003 61"), hex("ff")]) {
    assert.throws(() => parseCommand(message(MESSAGE.commandAmf0, body)), {
      code: "RTMP_COMMAND_MALFORMED",
    });
  }
});

test("a transaction id that is no number counts as none", () => {
  const body = concatBytes([hex("020001 61"), hex("00 7ff8000000000000")]);
  assert.equal(parseCommand(message(MESSAGE.commandAmf0, body)).transactionId, 0);
  assert.equal(parseCommand(message(MESSAGE.commandAmf0, hex("020001 61"))).transactionId, 0);
});

test("control messages are built and read back", () => {
  const ping = message(MESSAGE.userControl, buildUserControl(6, 0xfffffffe));
  assert.deepEqual(parseUserControl(ping), { event: 6, value: 0xfffffffe, bufferMs: 0 });
  const buffer = message(MESSAGE.userControl, hex("0003 00000001 00000bb8"));
  assert.deepEqual(parseUserControl(buffer), { event: 3, value: 1, bufferMs: 3000 });
  assert.equal(
    parseControlNumber(message(MESSAGE.windowAckSize, buildControlNumber(2_500_000))),
    2_500_000,
  );
  assert.deepEqual(buildPeerBandwidth(1), hex("00000001 02"));
});

test("control messages that are too short are refused", () => {
  assert.throws(() => parseUserControl(message(MESSAGE.userControl, hex("00"))), {
    code: "RTMP_CONTROL_TRUNCATED",
  });
  assert.throws(() => parseControlNumber(message(MESSAGE.windowAckSize, hex("000001"))), {
    code: "RTMP_CONTROL_TRUNCATED",
  });
});

const aggregate = hex(`
  08 000002 000064 00 000000 aabb 0000000d
  09 000001 000078 00 000000 cc 0000000c
  16 000000 000079 00 000000 0000000b
  12 000000 00007a 00 000000`);

function parts(body: Uint8Array, timestampMs: number): [number, number, number][] {
  const found: [number, number, number][] = [];
  const each = (part: RtmpMessage): unknown =>
    found.push([part.typeId, part.timestampMs, part.body.byteLength]);
  splitAggregate(message(MESSAGE.aggregate, body, timestampMs), each);
  return found;
}

test("an aggregate gives its messages, moved to the aggregate's time; the last back pointer may be missing", () => {
  assert.deepEqual(parts(aggregate, 1000), [
    [8, 1000, 2],
    [9, 1020, 1],
    [18, 1022, 0],
  ]);
  assert.deepEqual(parts(aggregate, 2 ** 32 - 10)[1], [9, 10, 1]);
});

test("an aggregate's high byte of the time counts", () => {
  assert.deepEqual(parts(hex("08 000000 000001 01 000000 00000000 08 000000 000002 01 000000"), 7), [
    [8, 7, 0],
    [8, 8, 0],
  ]);
});

test("an aggregate cut anywhere gives what was whole and says that it breaks", () => {
  const whole = new Set([0, 13, 14, 15, 16, 17, 29, 30, 31, 32, 33, 44, 45, 46, 47, 48]);
  for (let cut = 0; cut < aggregate.byteLength; cut++) {
    const run = (): unknown => parts(aggregate.subarray(0, cut), 0);
    if (whole.has(cut)) assert.doesNotThrow(run, `cut at ${cut}`);
    else assert.throws(run, { code: "RTMP_AGGREGATE_MALFORMED" }, `cut at ${cut}`);
  }
});
