import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { concatBytes, readU32 } from "../../../base/bytes.ts";
import { ServerHandshake, findDigest } from "./handshake.ts";

const CLIENT_NAME = Buffer.from("Genuine Adobe Flash Player 001");
const SERVER_NAME = Buffer.from("Genuine Adobe Flash Media Server 001");
const COMMON = Buffer.from("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae", "hex");

function simpleClient(): Uint8Array {
  const bytes = new Uint8Array(3073).map((_, index) => (index * 7) & 0xff);
  bytes.set([3, 0, 0, 0, 9, 0, 0, 0, 0]);
  return bytes;
}

/** C0 and C1 with a digest that the four bytes at `offsetAt` place, then any C2. */
function digestClient(offsetAt: number, base: number): Uint8Array {
  const bytes = simpleClient();
  const c1 = bytes.subarray(1, 1537);
  c1.set([9, 0, 124, 2], 4);
  const sum = c1[offsetAt]! + c1[offsetAt + 1]! + c1[offsetAt + 2]! + c1[offsetAt + 3]!;
  const place = base + (sum % 728);
  const rest = concatBytes([c1.subarray(0, place), c1.subarray(place + 32)]);
  c1.set(createHmac("sha256", CLIENT_NAME).update(rest).digest(), place);
  return bytes;
}

test("a simple handshake is answered with the client's own bytes", () => {
  const client = simpleClient();
  const handshake = new ServerHandshake();
  const { consumed, reply } = handshake.feed(client, 1234);
  assert.equal(consumed, 3073);
  assert.ok(handshake.isDone);
  assert.equal(reply?.byteLength, 3073);
  assert.equal(reply[0], 3);
  assert.equal(readU32(reply, 1), 1234);
  assert.equal(readU32(reply, 5), 0);
  assert.deepEqual(reply.subarray(1537), client.subarray(1, 1537));
});

for (const [scheme, offsetAt, base] of [
  ["first", 8, 12],
  ["second", 772, 776],
] as const) {
  test(`a digest in the ${scheme} place is answered with digests that the client can check`, () => {
    const client = digestClient(offsetAt, base);
    const { reply } = new ServerHandshake().feed(client, 0);
    assert.ok(reply !== null);
    const s1 = reply.subarray(1, 1537);
    const s2 = reply.subarray(1537);
    assert.ok(findDigest(s1, SERVER_NAME) !== null, "S1 holds a digest");
    const clientDigest = findDigest(client.subarray(1, 1537), CLIENT_NAME)!.digest;
    const key = createHmac("sha256", Buffer.concat([SERVER_NAME, COMMON]))
      .update(clientDigest)
      .digest();
    const signature = createHmac("sha256", key).update(s2.subarray(0, 1504)).digest();
    assert.deepEqual(Buffer.from(s2.subarray(1504)), signature);
  });
}

test("ffmpeg's digest handshake is recognised", () => {
  const path = new URL("../../../../test/vectors/rtmp/ffmpeg-play.bin", import.meta.url);
  const recorded = Uint8Array.from(readFileSync(path));
  assert.ok(findDigest(recorded.subarray(1, 1537), CLIENT_NAME) !== null);
});

test("a digest with one wrong bit counts as none", () => {
  const client = digestClient(8, 12);
  client[700]! ^= 1;
  const { reply } = new ServerHandshake().feed(client, 0);
  assert.deepEqual(reply?.subarray(1537), client.subarray(1, 1537));
});

test("every cut of the bytes gives the same reply, and what follows is left alone", () => {
  const client = concatBytes([simpleClient(), Uint8Array.of(1, 2, 3)]);
  for (let cut = 0; cut <= client.byteLength; cut++) {
    const handshake = new ServerHandshake();
    const first = handshake.feed(client.subarray(0, cut), 0);
    const second = handshake.feed(client.subarray(cut), 0);
    assert.equal(first.consumed + second.consumed, 3073, `cut at ${cut}`);
    const replies = [first.reply, second.reply].filter((reply) => reply !== null);
    assert.equal(replies.length, 1, `cut at ${cut}`);
    assert.deepEqual(replies[0]!.subarray(1537), client.subarray(1, 1537), `cut at ${cut}`);
  }
});

test("the reply comes with the last byte of C1, before C2", () => {
  const handshake = new ServerHandshake();
  const client = simpleClient();
  assert.equal(handshake.feed(client.subarray(0, 1536), 0).reply, null);
  assert.notEqual(handshake.feed(client.subarray(1536, 1537), 0).reply, null);
  assert.equal(handshake.isDone, false);
});

for (const [what, byte] of [
  ["HTTP", 0x47],
  ["TLS", 0x16],
  ["encrypted RTMP", 0x06],
  ["zeros", 0x00],
] as const) {
  test(`${what} on the port is refused at its first byte`, () => {
    assert.throws(() => new ServerHandshake().feed(Uint8Array.of(byte), 0), {
      code: "RTMP_HANDSHAKE_VERSION",
    });
  });
}
