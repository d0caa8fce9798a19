/** What one HTTP/2 connection may cost, and how it ends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { eventually } from "../../../test/support/eventually.ts";
import { ask, http2Client, replyOf } from "../../../test/support/http2-client.ts";
import { startHttps } from "../../../test/support/https-listener.ts";
import { textReply } from "../../base/http-message.ts";
import { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import type { HttpReply } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields } from "../../base/log.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { ReplyBudget } from "./reply-budget.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const SETTINGS = 0x4;
const PING = 0x6;
const HEADERS = 0x1;
const CONTINUATION = 0x9;
const RST_STREAM = 0x3;
const CANCEL = Buffer.of(0, 0, 0, 8);
/** GET, https, "/", and an authority: without any host it would be a broken frame. Spec: RFC 7541 appendix A. */
const GET_ROOT = Buffer.of(0x82, 0x87, 0x84, 0x41, 0x01, 0x61);
const hello = (): HttpReply => textReply(200, "hello");

/** Spec: RFC 9113 section 4.1. */
function frame(type: number, flags: number, streamId: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A client that says what no library would. */
async function rawClient(t: TestContext, port: number): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  assert.equal(socket.alpnProtocol, "h2");
  socket.resume();
  socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]));
  return socket;
}

function collectingLog(): { log: typeof silentLogger; lines: LogFields[] } {
  const lines: LogFields[] = [];
  const log = { ...silentLogger, warn: (_: string, fields: LogFields = {}) => void lines.push(fields) };
  return { log, lines };
}

test("who takes back one request after the other loses the connection, and one line says so", async (t) => {
  const { log, lines } = collectingLog();
  let asked = 0;
  const listener = await startHttps(t, {
    log,
    handle: () => {
      asked++;
      return new Promise<HttpReply>(() => {});
    },
  });
  const socket = await rawClient(t, listener.port);
  for (let i = 0; i < 2000 && socket.writable; i++) {
    socket.write(
      Buffer.concat([frame(HEADERS, 5, i * 2 + 1, GET_ROOT), frame(RST_STREAM, 0, i * 2 + 1, CANCEL)]),
    );
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => assert.ok(socket.destroyed));
  assert.ok(asked < 1000, `the server was asked ${asked} times`);
  await eventually(() => assert.equal(listener.connections, 0));
  assert.ok(lines.length <= 2);
});

test("a proxy's connection is closed for what many clients take back together at once, and not for less", async (t) => {
  const { log, lines } = collectingLog();
  const proxies = new TrustedProxies(["127.0.0.1"]);
  const never = (): Promise<HttpReply> => new Promise(() => {});
  const listener = await startHttps(t, { log, proxies: () => proxies, handle: never });
  const socket = await rawClient(t, listener.port);
  const takeBack = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to && socket.writable; i++) {
      const id = i * 2 + 1;
      socket.write(Buffer.concat([frame(HEADERS, 5, id, GET_ROOT), frame(RST_STREAM, 0, id, CANCEL)]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await takeBack(0, 3000);
  assert.deepEqual([socket.writable, lines], [true, []]);
  await takeBack(3000, 60_000);
  await eventually(() => assert.ok(socket.destroyed));
});

const floods: [name: string, bytes: Buffer][] = [
  ["pings", Buffer.concat(Array.from({ length: 500 }, () => frame(PING, 0, 0, Buffer.alloc(8))))],
  ["settings", Buffer.concat(Array.from({ length: 500 }, () => frame(SETTINGS, 0, 0)))],
  [
    "continuations",
    Buffer.concat([
      frame(HEADERS, 0, 1, Buffer.from([0x82])),
      ...Array.from({ length: 500 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(0))),
    ]),
  ],
  ["frames that are none", Buffer.from("x".repeat(20_000), "latin1")],
  ["a frame that is too long", frame(HEADERS, 4, 1, Buffer.alloc(100_000))],
  ["headers on the stream that is none", frame(HEADERS, 5, 0, Buffer.from([0x82]))],
];
for (const [name, bytes] of floods) {
  test(`a flood closes the connection: ${name}`, async (t) => {
    const listener = await startHttps(t, { handle: hello });
    const socket = await rawClient(t, listener.port);
    const closed = once(socket, "close");
    socket.write(bytes);
    await closed;
    await eventually(() => assert.equal(listener.connections, 0));
  });
}

test("a head of more than 16 KiB is refused, and the connection goes on", async (t) => {
  const listener = await startHttps(t, { handle: hello });
  const client = http2Client(t, listener.port);
  await ask(client, "/first");
  const big = await ask(client, "/x", { x: "y".repeat(20_000) });
  assert.notEqual(big.status, 200);
  assert.notEqual(big.resetCode, constants.NGHTTP2_NO_ERROR);
  assert.equal((await ask(client, "/x")).status, 200);
});

test("a request with two hosts is refused", async (t) => {
  const listener = await startHttps(t, { handle: hello });
  const client = http2Client(t, listener.port);
  assert.equal((await ask(client, "/x", { ":authority": "a.example", host: "b.example" })).status, 400);
  assert.equal((await ask(client, "/x", { ":authority": "a.example", host: "a.example" })).status, 200);
});

test("no more than 256 requests are under way on a connection", async (t) => {
  let most = 0;
  let open = 0;
  const listener = await startHttps(t, {
    handle: async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return textReply(200, "hello");
    },
  });
  const client = http2Client(t, listener.port);
  await ask(client, "/first");
  const replies = await Promise.all(Array.from({ length: 1000 }, () => ask(client, "/x")));
  assert.ok(replies.every(({ status }) => status === 200));
  assert.ok(most <= 256, `${most} at a time`);
});

test("a connection without requests is closed after the idle time, whatever it is sent", async (t) => {
  const listener = await startHttps(t, { handle: hello, idleTimeoutMs: 150 });
  const client = http2Client(t, listener.port);
  const closed = once(client, "close");
  await ask(client, "/x");
  const pings = setInterval(() => client.destroyed || client.ping(() => {}), 20);
  t.after(() => clearInterval(pings));
  await closed;
  const silent = await rawClient(t, listener.port);
  await once(silent, "close");
  await eventually(() => assert.equal(listener.connections, 0));
});

test("a request of which nothing moves for the idle time is reset, and gives back what it held", async (t) => {
  const budget = new ReplyBudget(50_000_000);
  const body = Buffer.alloc(2_000_000, 1);
  const listener = await startHttps(t, {
    budget,
    idleTimeoutMs: 300,
    handle: ({ path }) =>
      path === "/big"
        ? { status: 200, headers: [], body: [body], ownBytes: body.byteLength }
        : textReply(200, "hello"),
  });
  const client = http2Client(t, listener.port);
  const stuck = client.request({ ":path": "/big" });
  stuck.on("error", () => {});
  await once(stuck, "response");
  assert.equal(budget.heldBytes, body.byteLength);
  await eventually(() => assert.equal(budget.heldBytes, 0));
  assert.equal((await ask(client, "/small")).status, 200);
});

test("a body without end whose client takes nothing ends, and its memory is bounded", async (t) => {
  let wasClosed = false;
  const queued: number[] = [];
  const listener = await startHttps(t, {
    idleTimeoutMs: 300,
    handle: () => ({
      status: 200,
      headers: [],
      body: [],
      stream: (sink) => {
        const timer = setInterval(() => {
          if (sink.queuedBytes() < 1_000_000) sink.write(Buffer.alloc(200_000));
          queued.push(sink.queuedBytes());
        }, 5);
        return {
          close: () => {
            wasClosed = true;
            clearInterval(timer);
          },
        };
      },
    }),
  });
  const client = http2Client(t, listener.port);
  const stream = client.request({ ":path": "/live" });
  stream.on("error", () => {});
  await once(stream, "response");
  await eventually(() => assert.ok(wasClosed));
  assert.ok(Math.max(...queued) <= 1_300_000);
});

test("a live body without a word for longer than the idle time goes on", async (t) => {
  let say = (): void => {};
  const listener = await startHttps(t, {
    idleTimeoutMs: 100,
    handle: () => ({
      status: 200,
      headers: [],
      body: [],
      stream: (sink) => {
        sink.write(Buffer.from("a"));
        say = () => {
          sink.write(Buffer.from("b"));
          sink.end();
        };
        return { close: () => {} };
      },
    }),
  });
  const client = http2Client(t, listener.port);
  const stream = client.request({ ":path": "/live" });
  const reply = replyOf(stream);
  await once(stream, "data");
  const before = performance.now();
  await eventually(() => assert.ok(performance.now() - before > 400));
  say();
  assert.equal(String((await reply).body), "ab");
});

test("addresses are counted over TLS too, and given back", async (t) => {
  const addresses = new AddressCounter(2);
  const listener = await startHttps(t, { handle: hello, addresses });
  const clients: ClientHttp2Session[] = [1, 2].map(() => http2Client(t, listener.port));
  for (const client of clients) assert.equal((await ask(client, "/x")).status, 200);
  const third = http2Client(t, listener.port);
  await eventually(() => assert.ok(third.destroyed));
  for (const client of clients) client.close();
  await eventually(() => assert.equal(listener.connections, 0));
  assert.equal((await ask(http2Client(t, listener.port), "/x")).status, 200);
});

test("a drain says GOAWAY: requests under way are answered, the next go elsewhere", async (t) => {
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const listener = await startHttps(t, {
    handle: async ({ path }) => {
      if (path === "/held") await finished;
      return textReply(200, "hello");
    },
  });
  const client = http2Client(t, listener.port);
  await ask(client, "/x");
  const held = ask(client, "/held");
  const told = once(client, "goaway");
  await ask(client, "/y");
  listener.closeAfterReplies();
  await told;
  finish();
  assert.equal((await held).status, 200);
  await eventually(() => assert.ok(client.destroyed));
  // Who comes during the drain is answered, once.
  const next = http2Client(t, listener.port);
  assert.equal((await ask(next, "/z")).status, 200);
  await eventually(() => assert.ok(next.destroyed));
});

test("a stop ends connections that are idle, in a handshake, or held", async (t) => {
  const listener = await startHttps(t, { handle: () => new Promise<HttpReply>(() => {}) });
  const idle = await rawClient(t, listener.port);
  const client = http2Client(t, listener.port);
  const held = ask(client, "/held");
  await eventually(() => assert.equal(listener.connections, 2));
  await listener.stop(100);
  assert.notEqual((await held).status, 200);
  await eventually(() => assert.ok(idle.destroyed && client.destroyed));
  await eventually(() => assert.equal(listener.connections, 0));
});

test("a body that the client breaks off is not taken for a whole one", async (t) => {
  const ends: string[] = [];
  let writes = 0;
  const listener = await startHttps(t, {
    handle: hello,
    takes: () => ({
      status: 200,
      headers: [],
      body: [],
      upload: () => ({
        write: () => void writes++,
        end: () => {
          ends.push("end");
          return textReply(200, "whole");
        },
        close: (reason) => void ends.push(reason),
      }),
    }),
  });
  for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR]) {
    const client = http2Client(t, listener.port);
    const stream = client.request({ ":path": "/x", ":method": "POST" });
    stream.on("error", () => {});
    stream.write(Buffer.alloc(1000));
    const written = writes + 1;
    await eventually(() => assert.equal(writes, written));
    if (code === constants.NGHTTP2_NO_ERROR) client.destroy();
    else stream.destroy(new Error("gone"));
    const count = ends.length + 1;
    await eventually(() => assert.equal(ends.length, count));
  }
  assert.ok(!ends.includes("end"));
});

test("hundreds of connections come and go, and nothing is left of them", async (t) => {
  const addresses = new AddressCounter(10_000);
  const listener = await startHttps(t, { handle: hello, addresses });
  for (let round = 0; round < 10; round++) {
    const clients = Array.from({ length: 20 }, () => http2Client(t, listener.port));
    await Promise.all(clients.map((client) => ask(client, "/x")));
    for (const client of clients) client.destroy();
  }
  await eventually(() => assert.equal(listener.connections, 0));
});
