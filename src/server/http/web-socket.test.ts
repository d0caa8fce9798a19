import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { clientFrame, clientFrames } from "../../../test/support/web-socket-frames.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { HttpReply, WebSocketSink } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { OPCODE, buildFrame } from "../../base/web-socket/frame-writer.ts";
import { streamErrors } from "../../stream/errors.ts";
import { HttpListener } from "./listener.ts";
import type { HttpListenerOptions } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";
import { WebSocketConnection } from "./web-socket.ts";

const HANDSHAKE =
  "GET /cam HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n" +
  "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** A WebSocket's other side, which the test moves. */
class Source {
  readonly texts: string[] = [];
  readonly sinks: WebSocketSink[] = [];
  closed = 0;
  /** What waited when it heard that less does. */
  readonly drains: number[] = [];
  readonly reply: HttpReply = {
    status: 101,
    headers: [],
    body: [],
    webSocket: (sink) => {
      this.sinks.push(sink);
      sink.accept();
      return {
        onText: (text) => void this.texts.push(text),
        drained: () => void this.drains.push(sink.queuedBytes()),
        close: () => void this.closed++,
      };
    },
  };

  get sink(): Promise<WebSocketSink> {
    return eventually(
      () => {
        assert.ok(this.sinks[0] !== undefined);
        return this.sinks[0];
      },
      { intervalMs: 5 },
    );
  }
}

async function listen(t: TestContext, options: Partial<HttpListenerOptions> = {}): Promise<HttpListener> {
  const listener = new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses: new AddressCounter(2000),
    budget: new ReplyBudget(1_000_000),
    idleTimeoutMs: 5000,
    log: silentLogger,
    handle: () => jsonReply(200, { ok: true }),
    ...options,
  });
  await listener.start();
  t.after(() => listener.stop(0));
  return listener;
}

/** A client that sends what it likes and keeps what it gets. */
class RawClient {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  hasEnded = false;
  isClosed = false;

  constructor(port: number, first: string | Uint8Array = HANDSHAKE) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => this.socket.write(first));
    this.socket.on("data", (chunk: Buffer) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
    this.socket.on("error", () => {});
    this.socket.on("end", () => (this.hasEnded = true));
    this.socket.on("close", () => (this.isClosed = true));
  }

  get text(): string {
    return this.#bytes.toString("latin1");
  }

  get head(): string {
    return this.text.split("\r\n\r\n")[0]!;
  }

  /** Short frames behind the head: opcode and payload. */
  get frames(): { opcode: number; payload: Buffer }[] {
    const frames = [];
    for (let at = this.head.length + 4; at + 2 <= this.#bytes.length;) {
      const length = this.#bytes[at + 1]!;
      frames.push({
        opcode: this.#bytes[at]! & 15,
        payload: this.#bytes.subarray(at + 2, at + 2 + length),
      });
      at += 2 + length;
    }
    return frames;
  }

  async opened(): Promise<this> {
    await eventually(() => assert.match(this.head, /^HTTP\/1\.1 101 /), { intervalMs: 5 });
    return this;
  }

  /** Waits for the server's end. Returns: the code of its close frame. */
  async closeCode(): Promise<number | undefined> {
    await eventually(() => assert.ok(this.hasEnded || this.isClosed), { intervalMs: 5 });
    const last = this.frames.at(-1);
    return last?.opcode === 8 ? last.payload.readUInt16BE(0) : undefined;
  }
}

/** A client of a connection that has another clock than the machine's. */
async function connectedTo(
  t: TestContext,
  source: Source,
  parts: { readonly clock: FakeClock; onBroken(reason: string): void },
): Promise<RawClient> {
  const server = createServer((socket) => {
    const connection = new WebSocketConnection(socket, {
      head: Buffer.from("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
      start: source.reply.webSocket!,
      instead: () => assert.fail("nothing else is sent"),
      closeTimeoutMs: 1000,
      ...parts,
    });
    connection.open();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return new RawClient((server.address() as AddressInfo).port, "").opened();
}

test("who has written more than the client takes hears when it has taken some", async (t) => {
  const source = new Source();
  const { port } = await listen(t, { handle: () => source.reply });
  const client = await new RawClient(port).opened();
  client.socket.pause();
  const sink = await source.sink;
  const lengthBytes = 8 * 1024 * 1024;
  sink.write(buildFrame(OPCODE.binary, new Uint8Array(lengthBytes)));
  assert.ok(sink.queuedBytes() > 0);
  client.socket.resume();
  await eventually(() => assert.equal(sink.queuedBytes(), 0), { intervalMs: 5 });
  await eventually(() => assert.ok(source.drains.length > 1), { intervalMs: 5 });
  assert.ok(source.drains[0]! < lengthBytes);
  client.socket.destroy();
});

test("a client of the platform is understood, and understands", async (t) => {
  const source = new Source();
  const { port } = await listen(t, { handle: () => source.reply });
  const client = new WebSocket(`ws://127.0.0.1:${port}/cam?token=x`);
  client.binaryType = "arraybuffer";
  const got: unknown[] = [];
  client.addEventListener("message", ({ data }) =>
    got.push(data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data),
  );
  await once(client, "open");
  client.send("resume");
  client.send("x".repeat(5000));
  await eventually(() => assert.deepEqual(source.texts, ["resume", "x".repeat(5000)]));
  const sink = await source.sink;
  sink.sendText("hello \u20ac");
  sink.write(buildFrame(OPCODE.binary, Uint8Array.of(1, 2, 3)));
  sink.write(buildFrame(OPCODE.binary, new Uint8Array(70_000).fill(7)));
  await eventually(() => assert.equal(got.length, 3));
  assert.deepEqual(got.slice(0, 2), ["hello \u20ac", [1, 2, 3]]);
  assert.equal((got[2] as number[]).length, 70_000);
  const closed = once(client, "close");
  sink.close(1013, "later");
  const [event] = (await closed) as [CloseEvent];
  assert.deepEqual([event.code, event.reason, event.wasClean], [1013, "later", true]);
  assert.equal(source.closed, 0, "who closes is not told of it");
});

test("a client that closes is answered, and its source is told once", async (t) => {
  const source = new Source();
  const listener = await listen(t, { handle: () => source.reply });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}/cam`);
  await once(client, "open");
  const closed = once(client, "close");
  client.close(3001, "done");
  const [event] = (await closed) as [CloseEvent];
  assert.deepEqual([event.code, event.wasClean], [3001, true]);
  await eventually(() => assert.equal(listener.connections, 0));
  assert.equal(source.closed, 1);
});

test("the handshake is answered as the standard's example says", async (t) => {
  const source = new Source();
  const { port } = await listen(t, { handle: () => source.reply });
  const { head } = await new RawClient(port).opened();
  const lines = head
    .split("\r\n")
    .filter((line) => !line.startsWith("Date: "))
    .toSorted();
  assert.deepEqual(lines, [
    "Connection: Upgrade",
    "HTTP/1.1 101 Switching Protocols",
    "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "upgrade: websocket",
  ]);
});

test("frames that come with the handshake are read", async (t) => {
  const source = new Source();
  const { port } = await listen(t, { handle: () => source.reply });
  const frames = clientFrames({ opcode: 1, payload: "early" }, { opcode: 9, payload: "p" });
  const client = new RawClient(port, Buffer.concat([Buffer.from(HANDSHAKE), frames]));
  await eventually(() => assert.deepEqual(source.texts, ["early"]));
  await eventually(() => assert.equal(client.frames[0]?.opcode, OPCODE.pong));
  assert.equal(client.frames[0]!.payload.toString(), "p");
});

describe("what is no handshake is answered in HTTP", () => {
  const source = new Source();
  const refusals: readonly [what: string, request: string, answer: RegExp, reply?: HttpReply][] = [
    ["another version", HANDSHAKE.replace(": 13", ": 8"), /^HTTP\/1\.1 426 [^]*sec-websocket-version: 13/],
    ["no key", HANDSHAKE.replace(/sec-websocket-key.*\r\n/, ""), /^HTTP\/1\.1 400 [^]*BAD_HANDSHAKE/],
    ["HEAD", HANDSHAKE.replace("GET", "HEAD"), /^HTTP\/1\.1 400 /],
    ["a path with dot segments", HANDSHAKE.replace("/cam", "/a/../b"), /^HTTP\/1\.1 400 /],
    ["what may be a WebSocket and is none", HANDSHAKE, /^HTTP\/1\.1 400 [^]*plainly/, jsonReply(200, {})],
    ["a refusal", HANDSHAKE, /^HTTP\/1\.1 403 [^]*"a":1/, jsonReply(403, { a: 1 })],
    ["HTTP/1.0", HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"), /^HTTP\/1\.1 400 [^]*GET over HTTP\/1\.1/],
    [
      "an address of a body without end",
      HANDSHAKE,
      /^HTTP\/1\.1 400 [^]*ask plainly/,
      { status: 200, headers: [], body: [], stream: () => ({ close: () => {} }) },
    ],
    [
      "no header that asks the connection to change",
      HANDSHAKE.replace("keep-alive, Upgrade", "close"),
      /^HTTP\/1\.1 400 [^]*Connection: Upgrade/,
    ],
    [
      "another protocol to change to",
      HANDSHAKE.replace("websocket\r", "h2c\r").replace("keep-alive, Upgrade", "Upgrade, close"),
      /^HTTP\/1\.1 200 [^]*"a":1/,
      jsonReply(200, { a: 1 }),
    ],
  ];
  for (const [what, request, answer, reply = source.reply] of refusals) {
    test(what, async (t) => {
      const listener = await listen(t, { handle: () => reply });
      const client = new RawClient(listener.port, request);
      await eventually(() => assert.ok(client.hasEnded));
      client.socket.end();
      assert.match(client.text, answer);
      await eventually(() => assert.equal(listener.connections, 0));
    });
  }

  test("a start that fails, or closes before it has accepted", async (t) => {
    const error = streamErrors.error("STREAM_NOT_ON_AIR", { name: "x", reason: "nobody publishes it" });
    const failing = await listen(t, {
      handle: () => ({
        ...source.reply,
        webSocket: () => {
          throw error;
        },
      }),
    });
    const turning = await listen(t, {
      handle: () => ({
        ...source.reply,
        webSocket: (sink) => {
          sink.close(1000, "", jsonReply(503, { later: true }));
          return { close: () => assert.fail("who closes is not told of it") };
        },
      }),
    });
    for (const [{ port }, answer] of [
      [failing, /^HTTP\/1\.1 404 [^]*not on air/],
      [turning, /^HTTP\/1\.1 503 [^]*"later":true/],
    ] as const) {
      const client = new RawClient(port);
      await eventually(() => assert.ok(client.hasEnded));
      client.socket.end();
      assert.match(client.text, answer);
    }
  });
});

const HOSTILE: readonly [what: string, bytes: Uint8Array, code: number][] = [
  ["a frame without a mask", clientFrame({ opcode: 1, payload: "x", isMasked: false }), 1002],
  ["a length of 2^63", clientFrame({ opcode: 2, lengthBytes: 2n ** 63n }), 1002],
  ["a length of 2^62", clientFrame({ opcode: 2, lengthBytes: 2n ** 62n }), 1009],
  ["a ping in fragments", clientFrame({ opcode: 9, isLast: false }), 1002],
  ["a text that is none", clientFrame({ opcode: 1, payload: Uint8Array.of(0xff) }), 1007],
  [
    "fragments without end",
    clientFrames(
      { opcode: 1, isLast: false },
      ...Array.from({ length: 300 }, () => ({ opcode: 0, payload: "x", isLast: false })),
    ),
    1009,
  ],
];
for (const [what, bytes, code] of HOSTILE) {
  test(`${what} closes the connection with ${code} and one line in the log`, async (t) => {
    const source = new Source();
    const log = new RecordingLog();
    const listener = await listen(t, { handle: () => source.reply, log });
    const client = await new RawClient(listener.port).opened();
    client.socket.write(bytes);
    client.socket.write(bytes);
    assert.equal(await client.closeCode(), code);
    client.socket.destroy();
    await eventually(() => assert.equal(listener.connections, 0));
    assert.equal(source.closed, 1);
    assert.equal(log.lines.length, 1, log.text);
  });
}

test("a client that is told to close and does not is cut off", async (t) => {
  const source = new Source();
  const listener = await listen(t, { handle: () => source.reply, idleTimeoutMs: 1000 });
  const client = await new RawClient(listener.port).opened();
  (await source.sink).close(1000, "");
  assert.equal(await client.closeCode(), 1000);
  await eventually(() => assert.equal(listener.connections, 0));
  client.socket.destroy();
});

test("a client that vanishes, in either way, ends its source", async (t) => {
  for (const leave of ["end", "destroy"] as const) {
    const source = new Source();
    const listener = await listen(t, { handle: () => source.reply });
    const client = await new RawClient(listener.port).opened();
    client.socket[leave]();
    await eventually(() => assert.equal(source.closed, 1));
    await eventually(() => assert.equal(listener.connections, 0));
    (await source.sink).sendText("late");
    client.socket.destroy();
  }
});

test("one who takes nothing is ended, and one with nothing to take stays", async (t) => {
  const source = new Source();
  const listener = await listen(t, { handle: () => source.reply, idleTimeoutMs: 1500 });
  const idle = await new RawClient(listener.port).opened();
  const stuck = await new RawClient(listener.port).opened();
  stuck.socket.pause();
  const sink = source.sinks[1]!;
  sink.write(buildFrame(OPCODE.binary, new Uint8Array(20_000_000)));
  await eventually(() => assert.equal(source.closed, 1));
  await eventually(() => assert.equal(listener.connections, 1));
  assert.equal(sink.queuedBytes(), 0);
  idle.socket.write(clientFrame({ opcode: 9, payload: "still" }));
  await eventually(() => assert.equal(idle.frames[0]?.payload.toString(), "still"));
  for (const client of [idle, stuck]) client.socket.destroy();
});

for (const [what, opcode] of [
  ["pings", 9],
  ["pongs", 10],
] as const) {
  test(`${what} without end cost the connection, and one line in the log`, async (t) => {
    const source = new Source();
    const log = new RecordingLog();
    const listener = await listen(t, { handle: () => source.reply, log });
    const client = await new RawClient(listener.port).opened();
    const flood = Array.from({ length: 10_000 }, () => clientFrame({ opcode, payload: "x".repeat(125) }));
    client.socket.write(Buffer.concat(flood));
    assert.equal(await client.closeCode(), 1008);
    const answers = client.frames.length - 1;
    // So many at once, and the few more that a slow machine gives time for.
    assert.ok(opcode === 9 ? answers >= 100 && answers < 5000 : answers === 0, `${answers} pongs`);
    assert.equal(source.closed, 1);
    client.socket.destroy();
    await listener.stop(0);
    const told = log.lines.filter(({ fields }) => JSON.stringify(fields).includes("pings and pongs"));
    assert.equal(told.length, 1, "what is counted by the second is said when the listener stops");
  });
}

test("pings without end, from one who reads no pongs, hold little memory", async (t) => {
  const source = new Source();
  const { port } = await listen(t, { handle: () => source.reply });
  const client = await new RawClient(port).opened();
  client.socket.pause();
  const sink = await source.sink;
  sink.write(buildFrame(OPCODE.binary, new Uint8Array(32 * 1024 * 1024)));
  const beforeBytes = sink.queuedBytes();
  assert.ok(beforeBytes > 1024 * 1024);
  const pings = Array.from({ length: 90 }, () => clientFrame({ opcode: 9, payload: "x".repeat(125) }));
  client.socket.write(Buffer.concat([...pings, clientFrame({ opcode: 1, payload: "behind" })]));
  await eventually(() => assert.deepEqual(source.texts, ["behind"]), { timeoutMs: 30_000 });
  assert.ok(sink.queuedBytes() <= beforeBytes, "where so much waits no pong is added");
  client.socket.destroy();
});

test("who pings now and then may do so for ever", async (t) => {
  const source = new Source();
  const clock = new FakeClock();
  const client = await connectedTo(t, source, { clock, onBroken: (reason) => assert.fail(reason) });
  let sent = 0;
  for (let round = 0; round < 20; round++) {
    clock.advance(5000);
    client.socket.write(
      Buffer.concat(Array.from({ length: 50 }, () => clientFrame({ opcode: 9, payload: "" }))),
    );
    sent += 50;
    await eventually(() => assert.equal(client.frames.length, sent), { intervalMs: 2 });
  }
  assert.ok(client.frames.every(({ opcode }) => opcode === 10));
  client.socket.destroy();
});

test("a listener that stops says so to all, in a close frame with code 1001", async (t) => {
  const source = new Source();
  const listener = await listen(t, { handle: () => source.reply });
  const clients = [1, 2, 3].map(() => new WebSocket(`ws://127.0.0.1:${listener.port}/cam`));
  await Promise.all(clients.map((client) => once(client, "open")));
  const closed = clients.map((client) => once(client, "close") as Promise<[CloseEvent]>);
  await listener.stop(10_000);
  assert.deepEqual(
    (await Promise.all(closed)).map(([{ code }]) => code),
    [1001, 1001, 1001],
  );
  assert.equal(source.closed, 3);
});

test("hundreds come and go, and nothing is left of them", async (t) => {
  const source = new Source();
  const listener = await listen(t, { handle: () => source.reply });
  for (let round = 0; round < 4; round++) {
    const clients = await Promise.all(
      Array.from({ length: 100 }, () => new RawClient(listener.port).opened()),
    );
    for (const client of clients) client.socket.destroy();
    await eventually(() => assert.equal(listener.connections, 0));
  }
  assert.deepEqual([source.sinks.length, source.closed], [400, 400]);
});

describe("where there is no WebSocket, the wish for one is ignored", () => {
  const upgrade = "connection: Upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";
  const mayBeWebSocket = (path: string): boolean => path === "/cam";

  test("a file is sent as to anybody else: whole, in ranges, and not to who has it", async (t) => {
    const bytes = Buffer.from("0123456789");
    const { port } = await listen(t, {
      mayBeWebSocket,
      handle: () => ({
        status: 200,
        headers: [["etag", '"1"']],
        body: [],
        file: {
          sizeBytes: bytes.length,
          read: (at, most) => Promise.resolve(bytes.subarray(at, at + most)),
        },
      }),
    });
    for (const [more, answer] of [
      ["", /^HTTP\/1\.1 200 [^]*\r\n\r\n0123456789$/],
      ["range: bytes=2-4\r\n", /^HTTP\/1\.1 206 [^]*\r\n\r\n234$/],
      ['if-none-match: "1"\r\n', /^HTTP\/1\.1 304 [^]*\r\n\r\n$/],
    ] as const) {
      const client = new RawClient(port, `GET /a.mp4 HTTP/1.1\r\nhost: x\r\n${upgrade}${more}\r\n`);
      await eventually(() => assert.ok(client.hasEnded));
      client.socket.end();
      assert.match(client.text, answer);
    }
  });

  test("a body is taken, even where there are WebSockets", async (t) => {
    const taken: string[] = [];
    const { port } = await listen(t, {
      mayBeWebSocket,
      takes: () => ({
        status: 200,
        headers: [],
        body: [],
        upload: () => ({
          write: (chunk) => void taken.push(Buffer.from(chunk).toString()),
          end: () => jsonReply(200, { taken: taken.join("") }),
          close: () => {},
        }),
      }),
    });
    for (const method of ["POST", "PUT"]) {
      taken.length = 0;
      const head = `${method} /cam HTTP/1.1\r\nhost: x\r\n${upgrade}content-length: 5\r\n\r\n`;
      const client = new RawClient(port, `${head}hello`);
      await eventually(() => assert.ok(client.hasEnded));
      client.socket.end();
      assert.match(client.text, /^HTTP\/1\.1 200 [^]*"taken":"hello"/);
    }
  });
});

test("who waits for a reply when the listener stops is cut off, and stop ends", async (t) => {
  const asked = Promise.withResolvers<void>();
  const listener = await listen(t, {
    handle: () => {
      asked.resolve();
      return new Promise<HttpReply>(() => {});
    },
  });
  const client = new RawClient(listener.port);
  await asked.promise;
  await listener.stop(0);
  await eventually(() => assert.ok(client.isClosed || client.hasEnded));
  assert.equal(listener.connections, 0);
});

test("silence is answered with pings after 20 s, and with the end after 60 s", async (t) => {
  const source = new Source();
  const clock = new FakeClock();
  const broken: string[] = [];
  const client = await connectedTo(t, source, { clock, onBroken: (reason) => broken.push(reason) });
  const pings = (count: number): Promise<void> =>
    eventually(() =>
      assert.deepEqual(
        client.frames.map(({ opcode }) => opcode),
        Array(count).fill(9),
      ),
    );
  clock.advance(19_000);
  await pings(0);
  clock.advance(1000);
  await pings(1);
  client.socket.write(clientFrames({ opcode: 10, payload: "" }, { opcode: 1, payload: "here" }));
  await eventually(() => assert.deepEqual(source.texts, ["here"]));
  clock.advance(20_000);
  await pings(2);
  clock.advance(39_000);
  await pings(3);
  assert.equal(source.closed, 0);
  clock.advance(1000);
  assert.equal(await client.closeCode(), 1013);
  assert.deepEqual([source.closed, broken], [1, []]);
  client.socket.destroy();
  await eventually(() => assert.equal(clock.pendingTimers, 0));
});

test("who says more than anybody hears is closed with code 1008", async (t) => {
  const payload = "x".repeat(4096);
  for (const [peer, opcode] of [
    ["hears texts", 2],
    ["hears nothing", 2],
    ["hears nothing", 1],
  ] as const) {
    const source = new Source();
    const log = new RecordingLog();
    const reply: HttpReply = {
      ...source.reply,
      webSocket: (sink) => {
        const opened = source.reply.webSocket!(sink);
        return { close: () => opened.close() };
      },
    };
    const { port } = await listen(t, {
      log,
      handle: () => (peer === "hears texts" ? source.reply : reply),
    });
    const client = await new RawClient(port).opened();
    for (let i = 0; i < 17; i++) client.socket.write(clientFrame({ opcode, payload }));
    assert.equal(await client.closeCode(), 1008, peer);
    assert.match(log.text, /nobody here wants/);
    client.socket.destroy();
  }
});
