import assert from "node:assert/strict";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { jsonReply, textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpUpload } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import { HttpListener } from "./listener.ts";
import type { HttpListenerOptions } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

const CHUNKED = "POST /cam HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";

/** Takes a body as the test says. */
class Taker {
  text = "";
  ends = 0;
  readonly closes: string[] = [];
  upload: HttpUpload | null = null;
  onWrite: () => void = () => {};
  end: () => HttpReply | Promise<HttpReply> = () => textReply(200, `${this.text.length} bytes`);
  readonly reply: HttpReply = {
    status: 200,
    headers: [],
    body: [],
    upload: (upload) => {
      this.upload = upload;
      return {
        write: (bytes) => {
          this.text += Buffer.from(bytes).toString();
          this.onWrite();
        },
        end: () => {
          this.ends++;
          return this.end();
        },
        close: (reason) => void this.closes.push(reason),
      };
    },
  };
}

async function listen(
  t: TestContext,
  taker: Taker,
  options: Partial<HttpListenerOptions> = {},
): Promise<HttpListener> {
  const listener = new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses: new AddressCounter(100),
    budget: new ReplyBudget(1_000_000),
    idleTimeoutMs: 5000,
    log: silentLogger,
    handle: () => jsonReply(200, { ok: true }),
    takes: ({ path }) => (path === "/cam" ? taker.reply : null),
    ...options,
  });
  await listener.start();
  t.after(() => listener.stop(0));
  return listener;
}

/** A connection on which a test writes, and what came back. */
function open(t: TestContext, port: number, first: string): { socket: Socket; got: () => string } {
  let got = "";
  const socket = connect(port, "127.0.0.1");
  socket.write(first);
  socket.on("data", (chunk: Buffer) => (got += chunk.toString("latin1")));
  socket.on("error", () => {});
  t.after(() => void socket.destroy());
  return { socket, got: () => got };
}

for (const method of ["POST", "PUT", "DELETE"]) {
  test(`the body of a ${method} is taken as it comes, and answered at its end`, async (t) => {
    const taker = new Taker();
    const { port } = await listen(t, taker);
    const { socket, got } = open(t, port, CHUNKED.replace("POST", method));
    socket.write("3\r\none\r\n");
    await eventually(() => assert.equal(taker.text, "one"));
    assert.equal(got(), "");
    socket.write("3\r\ntwo\r\n0\r\n\r\n");
    await eventually(() => assert.match(got(), /^HTTP\/1\.1 200 [^]*6 bytes/));
    assert.deepEqual([taker.ends, taker.closes], [1, []]);
    socket.write("GET /other HTTP/1.1\r\nhost: x\r\n\r\n");
    await eventually(() => assert.match(got(), /"ok":true/));
  });
}

test("where nothing is taken, all are refused", async (t) => {
  const { port } = await listen(t, new Taker());
  for (const method of ["POST", "PUT", "DELETE"]) {
    const { status, headers } = await fetch(`http://127.0.0.1:${port}/a`, { method, body: "x" });
    assert.deepEqual([status, headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  }
});

test("a reply that is long in coming is sent when it is there, and so is an error instead of one", async (t) => {
  for (const isError of [false, true]) {
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
    const taker = new Taker();
    taker.end = () => promise;
    const { port } = await listen(t, taker);
    const { socket, got } = open(t, port, `${CHUNKED}3\r\none\r\n0\r\n\r\n`);
    await eventually(() => assert.equal(taker.ends, 1));
    // Whatever the connection says of the body's end meanwhile does not count.
    const other = await fetch(`http://127.0.0.1:${port}/other`);
    assert.equal(other.status, 200);
    assert.deepEqual([got(), taker.closes], ["", []]);
    if (isError) reject(streamErrors.error("STREAM_LIMIT", { limit: 3 }));
    else resolve(textReply(200, "at last"));
    await eventually(() => assert.match(got(), isError ? /STREAM_LIMIT/ : /^HTTP\/1\.1 200 [^]*at last/));
    socket.write("GET /other HTTP/1.1\r\nhost: x\r\n\r\n");
    await eventually(() => assert.match(got(), /"ok":true/));
  }
});

test("a client that leaves before its reply is there costs nothing", async (t) => {
  const { promise, resolve } = Promise.withResolvers<HttpReply>();
  const taker = new Taker();
  taker.end = () => promise;
  const listener = await listen(t, taker);
  const { socket } = open(t, listener.port, `${CHUNKED}3\r\none\r\n0\r\n\r\n`);
  await eventually(() => assert.equal(taker.ends, 1));
  socket.destroy();
  await eventually(() => assert.equal(listener.connections, 0));
  resolve(textReply(200, "nobody is there"));
  await promise;
  assert.equal((await fetch(`http://127.0.0.1:${listener.port}/other`)).status, 200);
});

test("a client that leaves is told to the taker once", async (t) => {
  const taker = new Taker();
  const listener = await listen(t, taker);
  const { socket } = open(t, listener.port, `${CHUNKED}3\r\none\r\n`);
  await eventually(() => assert.equal(taker.text, "one"));
  socket.destroy();
  await eventually(() => assert.equal(taker.closes.length, 1));
  await eventually(() => assert.equal(listener.connections, 0));
  assert.equal(taker.ends, 0);
  taker.upload!.finish(jsonReply(200, {}));
});

test("a body that stands still is ended by the idle timeout", async (t) => {
  const taker = new Taker();
  const listener = await listen(t, taker, { idleTimeoutMs: 1000 });
  open(t, listener.port, `${CHUNKED}3\r\none\r\n`);
  await eventually(() => assert.equal(taker.closes.length, 1));
  await eventually(() => assert.equal(listener.connections, 0));
});

test("an error while it is taken is answered, though the body goes on", async (t) => {
  const taker = new Taker();
  taker.onWrite = () => {
    throw streamErrors.error("STREAM_BAD_NAME", { reason: "of a test" });
  };
  const { port } = await listen(t, taker);
  const { socket, got } = open(t, port, `${CHUNKED}3\r\none\r\n`);
  for (let i = 0; i < 20; i++) socket.write(`2710\r\n${"x".repeat(10_000)}\r\n`);
  await eventually(() => assert.match(got(), /^HTTP\/1\.1 400 [^]*STREAM_BAD_NAME/));
  assert.deepEqual([taker.text, taker.closes.length], ["one", 1]);
});

test("a start that fails is answered", async (t) => {
  const taker = new Taker();
  const failing = {
    ...taker.reply,
    upload: () => {
      throw streamErrors.error("STREAM_LIMIT", { limit: 3 });
    },
  };
  const { port } = await listen(t, taker, { takes: () => failing });
  const reply = await fetch(`http://127.0.0.1:${port}/cam`, { method: "POST", body: "x" });
  assert.deepEqual([reply.status, reply.headers.get("x-error-code")], [503, "STREAM_LIMIT"]);
});

test("a taker that has enough answers early, and hears nothing more", async (t) => {
  const taker = new Taker();
  const { port } = await listen(t, taker);
  const { socket, got } = open(t, port, `${CHUNKED}3\r\none\r\n`);
  await eventually(() => assert.equal(taker.text, "one"));
  taker.upload!.finish(textReply(409, "taken away"));
  taker.upload!.fail(new Error("again"));
  socket.write("3\r\ntwo\r\n0\r\n\r\n");
  await eventually(() => assert.match(got(), /^HTTP\/1\.1 409 [^]*Connection: close[^]*taken away/i));
  assert.deepEqual([taker.text, taker.ends, taker.closes], ["one", 0, []]);
});

test("a taker that pauses is given nothing until it resumes", async (t) => {
  const taker = new Taker();
  taker.onWrite = () => taker.upload!.pause();
  const { port } = await listen(t, taker);
  const { socket } = open(t, port, `${CHUNKED}3\r\none\r\n`);
  await eventually(() => assert.equal(taker.text, "one"));
  const before = socket.bytesWritten;
  const piece = `f4240\r\n${"x".repeat(1_000_000)}\r\n`;
  for (let i = 0; i < 30; i++) socket.write(piece);
  await eventually(() => assert.ok(socket.bytesWritten - before > 0));
  assert.equal(taker.text, "one");
  taker.onWrite = () => {};
  taker.upload!.resume();
  await eventually(() => assert.equal(taker.text.length, 30_000_003), { timeoutMs: 30_000 });
});

test("a publisher that is ended by a stop reads why, is told to close, and does not hold the stop up", async (t) => {
  const taker = new Taker();
  const listener = await listen(t, taker);
  const { socket, got } = open(t, listener.port, `${CHUNKED}3\r\none\r\n`);
  await eventually(() => assert.equal(taker.text, "one"));
  taker.upload!.fail(streamErrors.error("STREAM_DRAINING"));
  // It goes on sending, as encoders do that do not read replies; far longer than it is let.
  await listener.stop(600_000);
  await eventually(() => assert.ok(socket.closed || socket.readableEnded));
  assert.match(got(), /^HTTP\/1\.1 503 /);
  assert.match(got(), /retry-after: 2/i);
  assert.match(got(), /connection: close/i);
  assert.equal(listener.connections, 0);
});

test("a page of another site may not send a body, its own site and what is no browser may", async (t) => {
  const cases: readonly [origin: string | null, host: string, status: number][] = [
    [null, "media.example:8080", 200],
    ["http://media.example:8080", "media.example:8080", 200],
    ["https://media.example", "Media.Example", 200],
    ["http://evil.example", "media.example:8080", 403],
    ["http://media.example", "media.example:8080", 403],
    ["http://media.example:8080.evil.example", "media.example:8080", 403],
    ["null", "media.example", 403],
    ["", "media.example", 403],
  ];
  for (const [origin, host, status] of cases) {
    const taker = new Taker();
    const { port } = await listen(t, taker);
    const line = origin === null ? "" : `origin: ${origin}\r\n`;
    const head = `POST /cam HTTP/1.1\r\nhost: ${host}\r\n${line}content-length: 3\r\n\r\n`;
    const { got } = open(t, port, `${head}one`);
    await eventually(() => assert.match(got(), new RegExp(`^HTTP/1\\.1 ${status} [^]*\\n$`), `${origin}`));
    assert.equal(taker.text, status === 200 ? "one" : "", `${origin}`);
  }
});
