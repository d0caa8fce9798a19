/** The same requests in clear, over TLS with HTTP/1.1, and over HTTP/2: the replies are the same. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { eventually } from "../../../test/support/eventually.ts";
import { startHttps } from "../../../test/support/https-listener.ts";
import { ask, http2Client } from "../../../test/support/http2-client.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { jsonReply, textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import { HttpListener } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

/** Shared memory, as segments of live streams are. */
const content = Buffer.from(new SharedArrayBuffer(400_000)).fill("0123456789");
const segment: HttpReply = {
  status: 200,
  headers: [
    ["content-type", "video/mp4"],
    ["etag", '"v1"'],
  ],
  body: [content.subarray(0, 10), content.subarray(10, 60_000), content.subarray(60_000)],
};
const file: HttpReply = {
  status: 200,
  headers: [...segment.headers, ["last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"]],
  body: [],
  file: {
    sizeBytes: content.byteLength,
    read: (offset, maxBytes) =>
      Promise.resolve(content.subarray(offset, offset + Math.min(maxBytes, 30_000))),
  },
};
const list: HttpReply = {
  status: 200,
  headers: [["content-type", "text/plain"]],
  body: [content.subarray(0, 500)],
  gzip: () => gzipSync(content.subarray(0, 500)),
};

function endless(isChunked: boolean): HttpReply {
  return {
    status: 200,
    headers: [["content-type", "video/mp2t"]],
    body: [],
    isChunked,
    stream: (sink) => {
      sink.write(content.subarray(0, 100_000));
      void sleep(5).then(() => {
        sink.write(content.subarray(100_000, 150_000));
        sink.end();
        return null;
      });
      return { close: () => {} };
    },
  };
}

function handle(request: HttpRequest): HttpReply | Promise<HttpReply> {
  switch (request.path) {
    case "/segment":
      return segment;
    case "/file":
      return file;
    case "/list":
      return list;
    case "/late":
      return sleep(5).then(() => textReply(200, "late"));
    case "/chunked":
      return endless(true);
    case "/endless":
      return endless(false);
    case "/none":
      return { status: 204, headers: [], body: [] };
    case "/off":
      throw streamErrors.error("STREAM_NOT_FOUND", { name: "off" });
    case "/fault":
      return Promise.reject(new TypeError("secret"));
    case "/split":
      return { status: 200, headers: [["x", "a\r\nb: c"]], body: [] };
    case "/instead":
      return {
        ...endless(false),
        stream: (sink) => {
          sink.end(textReply(503, "not now"));
          return { close: () => {} };
        },
      };
    default: {
      const names = ["x", "cookie", "accept", "range", "authorization"];
      const headers = names.map((name) => request.header(name) ?? null);
      return jsonReply(200, [request.method, request.path, String(request.query), headers]);
    }
  }
}

/** Takes what comes and says how much it was. */
function takes(request: HttpRequest): HttpReply | null {
  if (!request.path.startsWith("/take")) return null;
  return {
    status: 200,
    headers: [],
    body: [],
    upload: (upload) => {
      let bytes = 0;
      return {
        write: (chunk) => {
          bytes += chunk.byteLength;
          if (request.path === "/take/little" && bytes > 1000) upload.finish(textReply(413, "too much"));
        },
        end: () => textReply(200, `${request.method} ${bytes}`),
        close: () => {},
      };
    },
  };
}

type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
};
type Got = { readonly status: number; readonly headers: object; readonly body: string };
type Ports = { readonly plain: number; readonly tls: number };

async function listen(t: TestContext): Promise<Ports> {
  const plain = new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses: new AddressCounter(10_000),
    budget: new ReplyBudget(100_000_000),
    idleTimeoutMs: 60_000,
    log: silentLogger,
    handle,
    takes,
  });
  await plain.start();
  t.after(() => plain.stop(0));
  return { plain: plain.port, tls: (await startHttps(t, { handle, takes })).port };
}

function overHttp1(port: number, { method, path, headers, body }: Asked, isTls: boolean): Promise<Got> {
  const options = { host: "127.0.0.1", port, method, path, headers, agent: false };
  return new Promise((resolve, reject) => {
    const take = (incoming: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const sent = Buffer.concat(chunks).toString("latin1");
        resolve({ status: incoming.statusCode!, headers: own(incoming.headers), body: sent });
      });
    };
    const asking = isTls
      ? requestHttps({ ...options, rejectUnauthorized: false }, take)
      : requestHttp(options, take);
    asking.on("error", reject);
    asking.end(body);
  });
}

/** Headers but for those that belong to a connection, and the time. */
function own(headers: object): object {
  const dropped = new Set([":status", "connection", "keep-alive", "transfer-encoding", "date"]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

async function assertSame(t: TestContext, ports: Ports, asked: Asked): Promise<Got> {
  const plain = await overHttp1(ports.plain, asked, false);
  const tls = await overHttp1(ports.tls, asked, true);
  const { method, path, headers, body } = asked;
  const client = http2Client(t, ports.tls);
  const got = await ask(client, path, { ":method": method, ...headers }, body);
  client.close();
  const http2 = { status: got.status, headers: own(got.headers), body: got.body.toString("latin1") };
  assert.deepEqual(tls, plain);
  assert.deepEqual(http2, plain);
  return plain;
}

const rows: [name: string, asked: Partial<Asked> & { path: string }, status: number][] = [
  ["a segment", { path: "/segment" }, 200],
  ["a range of it", { path: "/segment", headers: { range: "bytes=5-70000" } }, 206],
  ["a range that there is not", { path: "/segment", headers: { range: "bytes=900000-" } }, 416],
  ["what the client has", { path: "/segment", headers: { "if-none-match": '"v1"' } }, 304],
  ["its head", { path: "/segment", method: "HEAD" }, 200],
  ["a file", { path: "/file" }, 200],
  ["a range of a file", { path: "/file", headers: { range: "bytes=-50000" } }, 206],
  ["a file's head", { path: "/file", method: "HEAD" }, 200],
  ["a gzipped list", { path: "/list", headers: { "accept-encoding": "gzip" } }, 200],
  ["a late reply", { path: "/late" }, 200],
  ["a body in chunks", { path: "/chunked" }, 200],
  ["a body without end", { path: "/endless" }, 200],
  ["a body that is another reply", { path: "/instead" }, 503],
  ["nothing", { path: "/none" }, 204],
  ["what is not there", { path: "/off" }, 404],
  ["a fault of the server", { path: "/fault" }, 500],
  ["a header that would be two", { path: "/split" }, 500],
  ["a dot segment", { path: "/a/../b" }, 400],
  ["a preflight", { path: "/segment", method: "OPTIONS" }, 204],
  ["a method that nobody has", { path: "/segment", method: "PATCH" }, 405],
  ["a body that nobody takes", { path: "/x", method: "POST", body: Buffer.alloc(5000) }, 405],
  ["a body that is taken", { path: "/take", method: "POST", body: Buffer.alloc(300_000) }, 200],
  ["a body of nothing", { path: "/take", method: "PUT", body: Buffer.alloc(0) }, 200],
  ["a query and headers", { path: "/q%20x?a=1&b=%2F", headers: { x: "y", cookie: "a=b; c=d" } }, 200],
];
describe("in clear, over TLS and over HTTP/2 the same is answered", () => {
  for (const [name, asked, status] of rows) {
    test(name, async (t) => {
      const ports = await listen(t);
      const got = await assertSame(t, ports, { method: "GET", headers: {}, ...asked });
      assert.equal(got.status, status);
    });
  }
});

test("any mixture of path, method, range and conditions is answered the same", async (t) => {
  const ports = await listen(t);
  const requests = fc.record({
    method: fc.constantFrom("GET", "HEAD"),
    path: fc.constantFrom("/segment", "/file", "/list", "/late", "/chunked", "/x?y=z"),
    headers: fc.dictionary(
      fc.constantFrom("range", "if-none-match", "if-range", "accept-encoding", "x"),
      fc.constantFrom("bytes=0-99", "bytes=100-", "bytes=-5", '"v1"', "*", "gzip", "gzip;q=0", "bytes=9-1"),
    ),
  });
  const runs = fc.asyncProperty(requests, async (asked) => void (await assertSame(t, ports, asked)));
  await fc.assert(runs, { numRuns: 60 });
});

test("a body that is refused before its end gets its reply, and the connection goes on", async (t) => {
  const { tls } = await listen(t);
  const client = http2Client(t, tls);
  const post = { ":method": "POST" };
  const refused = await ask(client, "/take/little", post, Buffer.alloc(200_000));
  assert.equal(refused.status, 413);
  assert.equal(refused.body.toString(), "too much\n");
  assert.equal((await ask(client, "/late")).status, 200);
});

test("two hundred requests are held on one connection at a time", async (t) => {
  let wake = (): void => {};
  const woken = new Promise<void>((resolve) => (wake = resolve));
  let held = 0;
  const listener = await startHttps(t, {
    handle: async () => {
      if (++held === 200) wake();
      await woken;
      return textReply(200, "now");
    },
  });
  const client = http2Client(t, listener.port);
  const replies = await Promise.all(Array.from({ length: 200 }, () => ask(client, "/held")));
  assert.ok(replies.every(({ status }) => status === 200));
});

test("a handler knows that it is TLS, and who left", async (t) => {
  const left = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<HttpRequest>();
  const listener = await startHttps(t, {
    handle: (request) => {
      request.onLeave?.(() => left.resolve(request.path));
      asked.resolve(request);
      return new Promise<HttpReply>(() => {});
    },
  });
  const client = http2Client(t, listener.port);
  const stream = client.request({ ":path": "/held" });
  stream.on("error", () => {});
  const request = await asked.promise;
  assert.equal(request.isTls, true);
  assert.equal(request.remoteAddress, "127.0.0.1");
  assert.equal(request.header("host"), `127.0.0.1:${listener.port}`);
  stream.close(8);
  assert.equal(await left.promise, "/held");
});

test("a body that breaks off is no whole one: HTTP/2 says so with a code", async (t) => {
  const reply: HttpReply = {
    ...endless(false),
    stream: (sink) => {
      sink.write(content.subarray(0, 1000));
      void sleep(20).then(() => sink.abort());
      return { close: () => {} };
    },
  };
  const listener = await startHttps(t, { handle: () => reply });
  const got = await ask(http2Client(t, listener.port), "/broken");
  assert.equal(got.resetCode, 2);
  const first = { method: "GET", path: "/broken", headers: {} };
  await assert.rejects(overHttp1(listener.port, { ...first }, true));
});

test("a WebSocket is opened over TLS with HTTP/1.1, and refused over HTTP/2", async (t) => {
  const reply: HttpReply = {
    status: 200,
    headers: [],
    body: [],
    webSocket: (sink) => {
      sink.accept();
      sink.sendText("hello");
      return { close: () => {} };
    },
  };
  const listener = await startHttps(t, { handle: () => reply });
  const socket = connectTls({ host: "127.0.0.1", port: listener.port, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  let seen = "";
  socket.setEncoding("latin1").on("data", (text: string) => (seen += text));
  const key = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
  socket.write(`GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`);
  await eventually(() => assert.ok(seen.includes("\r\n\r\n\x81\x05hello"), seen));
  assert.match(seen, /^HTTP\/1\.1 101 /);
  assert.equal((await ask(http2Client(t, listener.port), "/x")).status, 400);
});

test("a lent body is given back when all of it has left, or its client has", async (t) => {
  const memory = Buffer.alloc(300_000, "a");
  let lent = 0;
  let released = 0;
  const listener = await startHttps(t, {
    handle: () => {
      lent++;
      return { status: 200, headers: [], body: [memory], release: () => void released++ };
    },
  });
  const client = http2Client(t, listener.port);
  const whole = await ask(client, "/x");
  assert.ok(whole.body.equals(memory));
  await eventually(() => assert.equal(released, 1));
  const stream = client.request({ ":path": "/x" });
  stream.on("error", () => {});
  await once(stream, "response");
  stream.close(8);
  await eventually(() => assert.equal(released, 2));
  const asked = { method: "GET", path: "/x", headers: {} };
  const { body } = await overHttp1(listener.port, asked, true);
  assert.equal(body.length, memory.byteLength);
  await eventually(() => assert.equal(released, lent));
});
