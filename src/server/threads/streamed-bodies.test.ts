import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpBodySink, HttpBodySource, HttpReply, HttpStream } from "../../base/http-message.ts";
import { apiErrors } from "../../api/errors.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { GivenBodies, TakenBodies } from "./streamed-bodies.ts";
import type { BodyPiece } from "./streamed-bodies.ts";

type Given = { sink: HttpBodySink; closed: number; drained: number };
type Client = {
  text: string;
  queued: number;
  end: string | null;
  instead: number | null;
  source: HttpBodySource;
};

/** Both ends, as if a message took no time, and one body that a test gives. */
function setUp(stream?: HttpStream): {
  clock: FakeClock;
  given: GivenBodies;
  taken: TakenBodies;
  body: Given;
  reply: () => HttpReply;
  begin: (reply: HttpReply) => Client;
} {
  const clock = new FakeClock();
  const pieces: BodyPiece[] = [];
  const given: GivenBodies = new GivenBodies(clock, (piece) => {
    pieces.push(structuredClone(piece));
    taken.take(pieces.at(-1)!);
  });
  const taken: TakenBodies = new TakenBodies((wish) => given.take(structuredClone(wish)));
  const body: Given = { sink: undefined as never, closed: 0, drained: 0 };
  const own: HttpStream = (sink) => {
    body.sink = sink;
    return { close: () => void body.closed++, drained: () => void body.drained++ };
  };
  const reply = (): HttpReply => {
    const whole: HttpReply = { status: 200, headers: [["a", "b"]], body: [], stream: stream ?? own };
    return taken.unpack(structuredClone(given.pack(whole)));
  };
  const begin = (one: HttpReply): Client => {
    const client: Client = { text: "", queued: 0, end: null, instead: null, source: { close: () => {} } };
    client.source = one.stream!({
      write: (bytes) => {
        client.text += Buffer.from(bytes).toString();
        client.queued += bytes.byteLength;
      },
      queuedBytes: () => client.queued,
      end: (instead) => {
        client.end = "end";
        client.instead = instead?.status ?? null;
      },
      abort: () => void (client.end = "abort"),
    });
    return client;
  };
  return { clock, given, taken, body, reply, begin };
}

test("bytes cross, and what the client has not taken is known on the other side", () => {
  const { body, reply, begin } = setUp();
  const client = begin(reply());
  body.sink.write(Buffer.from("hello"));
  assert.equal(client.text, "hello");
  assert.equal(body.sink.queuedBytes(), 5);
  client.queued = 2;
  client.source.drained!();
  assert.equal(body.sink.queuedBytes(), 2);
  assert.ok(body.drained > 0);
});

test("either side may end it, once, and nothing is left", () => {
  for (const how of ["left", "end", "abort", "thread"] as const) {
    const { clock, given, taken, body, reply, begin } = setUp();
    const client = begin(reply());
    if (how === "left") client.source.close();
    else if (how === "thread") given.close();
    else body.sink[how]();
    body.sink.write(Buffer.from("late"));
    assert.equal(client.text, "", how);
    assert.equal(body.closed, how === "left" || how === "thread" ? 1 : 0, how);
    assert.equal(client.end, how === "end" || how === "abort" ? how : null);
    assert.deepEqual([given.size, taken.size, clock.pendingTimers], [0, how === "thread" ? 1 : 0, 0], how);
  }
});

test("a body that cannot begin becomes the reply that says why", () => {
  const { given, taken, reply, begin } = setUp(() => {
    throw apiErrors.error("API_NOT_FOUND");
  });
  assert.equal(begin(reply()).instead, 404);
  assert.deepEqual([given.size, taken.size], [0, 0]);
});

test("a body that nobody asks for is forgotten, and asked for later it is broken off", () => {
  const { clock, given, reply, begin } = setUp();
  const late = reply();
  clock.advance(10_000);
  assert.equal(given.size, 0);
  assert.equal(begin(late).end, "abort");
});

test("so many wait, and the oldest of them goes", () => {
  const { clock, given, reply, begin } = setUp();
  const first = reply();
  for (let n = 0; n < 1000; n++) reply();
  assert.equal(given.size, 1000);
  assert.equal(begin(first).end, "abort");
  given.close();
  assert.equal(clock.pendingTimers, 0);
});

test("a reply with an end crosses as it did", () => {
  const { given, taken } = setUp();
  const packed = given.pack({ status: 204, headers: [], body: [] });
  assert.equal(packed.streamId, undefined);
  assert.deepEqual(taken.unpack(packed), { status: 204, headers: [], body: [] });
});
