/** The same bytes to a listener that reads plain requests itself and to one where `node:http` reads all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { AddressCounter } from "../../base/address-counter.ts";
import { jsonReply, textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import { HttpListener } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

const IDLE_MS = 400;
const content = Buffer.from("0123456789".repeat(10_000));
const segment: HttpReply = {
  status: 200,
  headers: [
    ["content-type", "video/mp4"],
    ["etag", '"v1"'],
  ],
  body: [content.subarray(0, 10), content.subarray(10, 60_000), content.subarray(60_000)],
};
const NEW_YEAR = "Thu, 01 Jan 2026 00:00:00 GMT";
/** The same as a file, which gives no more than 30 000 bytes at a time. */
const file: HttpReply = {
  status: 200,
  headers: [...segment.headers, ["last-modified", NEW_YEAR]],
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

function handle(request: HttpRequest): HttpReply | Promise<HttpReply> {
  if (request.path === "/segment") return segment;
  if (request.path === "/list") return list;
  if (request.path === "/file") return file;
  if (request.path === "/late") return sleep(5).then(() => textReply(200, "late"));
  if (request.path === "/off") throw streamErrors.error("STREAM_NOT_FOUND", { name: "off" });
  if (request.path === "/fault") return Promise.reject(new TypeError("secret"));
  if (request.path === "/split") return { status: 200, headers: [["x", "a\r\nb: c"]], body: [] };
  const names = ["host", "x", "y", "cookie", "accept", "connection"];
  const headers = names.map((name) => request.header(name) ?? null);
  return jsonReply(200, [request.method, request.path, String(request.query), headers]);
}

type Both = { readonly mixed: number; readonly node: number };

async function listenBoth(t: TestContext): Promise<Both> {
  const ports = [true, false].map(async (readsPlain) => {
    const listener = new HttpListener({
      host: "127.0.0.1",
      port: 0,
      addresses: new AddressCounter(10_000),
      budget: new ReplyBudget(1_000_000),
      idleTimeoutMs: IDLE_MS,
      log: silentLogger,
      handle,
      readsPlain,
    });
    await listener.start();
    t.after(() => listener.stop(0));
    return listener.port;
  });
  const [mixed, node] = await Promise.all(ports);
  return { mixed: mixed!, node: node! };
}

/**
 * Sends pieces, each when something has come back for the one before, or after a pause where one is given; gives what
 * came until the connection closed, without the time of day.
 */
async function exchange(port: number, pieces: readonly string[], pauseMs?: number): Promise<string> {
  const got: Buffer[] = [];
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  socket.on("data", (chunk) => got.push(chunk));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await (pauseMs === undefined ? once(socket, "data") : sleep(pauseMs));
    if (socket.writable) socket.write(piece, "latin1");
  }
  await closed;
  return Buffer.concat(got)
    .toString("latin1")
    .replace(
      /\r\nDate: [A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT\r\n/g,
      "\r\nDate: now\r\n",
    );
}

const get = (target: string, lines = ""): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n${lines}\r\n`;
const END = get("/end", "Connection: close\r\n");

const PLAIN: [what: string, request: string][] = [
  ["what a browser sends", get("/a/b?x=1&y", "Accept: */*\r\nCookie: a=b; c=d\r\nX: \t spaced \t\r\n")],
  ["HEAD", "HEAD /segment HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a segment", get("/segment")],
  ["a range", get("/segment", "Range: bytes=59990-60009\r\n")],
  ["a suffix", get("/segment", "Range: bytes=-5\r\n")],
  ["a range past the end", get("/segment", "Range: bytes=100000-\r\n")],
  ["a range of an old version", get("/segment", 'Range: bytes=0-1\r\nIf-Range: "old"\r\n')],
  ["a range of this version", get("/segment", 'Range: bytes=0-1\r\nIf-Range: "v1"\r\n')],
  ["a known segment", get("/segment", 'If-None-Match: "v1"\r\n')],
  ["another version", get("/segment", 'If-None-Match: "v0"\r\n')],
  ["a file", get("/file")],
  ["the head of a file", "HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a range of a file", get("/file", "Range: bytes=59990-60009\r\n")],
  ["a large range of a file", get("/file", "Range: bytes=10-\r\n")],
  ["the end of a file", get("/file", "Range: bytes=-5\r\n")],
  ["a range past the end of a file", get("/file", "Range: bytes=100000-\r\n")],
  ["a range of an old file", get("/file", 'Range: bytes=0-1\r\nIf-Range: "old"\r\n')],
  ["a range of a file of that day", get("/file", `Range: bytes=0-1\r\nIf-Range: ${NEW_YEAR}\r\n`)],
  ["a known file", get("/file", 'If-None-Match: "v1"\r\n')],
  ["a file that has not changed", get("/file", `If-Modified-Since: ${NEW_YEAR}\r\n`)],
  ["two files and a list", get("/file") + get("/file", "Range: bytes=0-0\r\n") + get("/list")],
  ["a list", get("/list")],
  ["a list zipped", get("/list", "Accept-Encoding: gzip, br\r\n")],
  ["a list not zipped", get("/list", "Accept-Encoding: gzip;q=0\r\n")],
  ["the head of a zipped list", "HEAD /list HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n"],
  ["a reply that comes later", get("/late")],
  ["an error", get("/off")],
  ["a fault", get("/fault")],
  ["a reply with a line end in a header", get("/split")],
  ["a path that means two things", get("/a/%2e%2e/b")],
  ["keep-alive said aloud", get("/x", "Connection: Keep-Alive\r\n")],
  ["an empty value", get("/x", "X:\r\nY: \r\n")],
];

const ODD: [what: string, request: string][] = [
  ["OPTIONS", "OPTIONS /x HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["POST with a body", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"],
  ["GET with no length", get("/x", "Content-Length: 0\r\n")],
  ["GET with a body that is a request", get("/x", `Content-Length: ${END.length}\r\n`) + END],
  ["GET in chunks", `${get("/x", "Transfer-Encoding: chunked\r\n")}3\r\nabc\r\n0\r\n\r\n`],
  ["length and chunks", `${get("/x", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")}0\r\n\r\n`],
  ["chunks and length", `${get("/x", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")}0\r\n\r\n`],
  ["two lengths", `${get("/x", "Content-Length: 1\r\nContent-Length: 2\r\n")}ab`],
  ["the same length twice", `${get("/x", "Content-Length: 1\r\nContent-Length: 1\r\n")}a`],
  ["a length list", `${get("/x", "Content-Length: 1, 1\r\n")}a`],
  ["a signed length", `${get("/x", "Content-Length: +1\r\n")}a`],
  ["chunks by another name", `${get("/x", "Transfer-Encoding: xchunked\r\n")}0\r\n\r\n`],
  ["chunks with a tab", `${get("/x", "Transfer-Encoding:\tchunked\r\n")}0\r\n\r\n`],
  ["chunks twice", `${get("/x", "Transfer-Encoding: identity, chunked\r\n")}0\r\n\r\n`],
  ["a space before the colon", `${get("/x", "Transfer-Encoding : chunked\r\n")}0\r\n\r\n`],
  ["a bare line feed hides a length", `${get("/x", "X: a\nContent-Length: 1\r\n")}a`],
  ["a bare carriage return hides a length", `${get("/x", "X: a\rContent-Length: 1\r\n")}a`],
  ["a folded line hides a length", get("/x", "X: a\r\n Content-Length: 1\r\n")],
  ["line feeds only", "GET /x HTTP/1.1\nHost: h\n\n"],
  ["a NUL in a value", get("/x", "X: a\0b\r\n")],
  ["a NUL in a name", get("/x", "X\0: b\r\n")],
  ["a byte over 127", get("/x", "X: \xe9\r\n")],
  ["no name", get("/x", ": b\r\n")],
  ["no Host", "GET /x HTTP/1.1\r\n\r\n"],
  ["two Hosts", get("/x", "Host: i\r\n")],
  ["cookies in two lines", get("/x", "Cookie: a\r\nCookie: b\r\n")],
  ["a header twice", get("/x", "X: a\r\nx: b\r\n")],
  ["an absolute target", "GET http://other/x HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["an empty line first", `\r\n${get("/x")}`],
  ["HTTP/1.0", "GET /x HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"],
  ["HTTP/2.0", "GET /x HTTP/2.0\r\nHost: h\r\n\r\n"],
  ["no version", "GET /x\r\n\r\n"],
  ["two spaces", "GET  /x HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a fragment", get("/x#y")],
  ["a target with a control character", get("/x\x01")],
  ["a target beyond ASCII", get("/\xe9")],
  ["an expectation", get("/x", "Expect: 100-continue\r\n")],
  ["another expectation", get("/x", "Expect: wonders\r\n")],
  ["an upgrade", get("/x", "Connection: upgrade\r\nUpgrade: websocket\r\n")],
  ["several connection options", get("/x", "Connection: keep-alive, x\r\n")],
  ["a proxy's connection", get("/x", "Proxy-Connection: close\r\n")],
  ["a trailer", get("/x", "Trailer: x\r\nTE: trailers\r\n")],
  ["a long head", get("/x", `X: ${"a".repeat(9000)}\r\n`)],
  ["a head that is too long", get("/x", `X: ${"a".repeat(20_000)}\r\n`)],
  ["many headers", get("/x", Array.from({ length: 100 }, (_, i) => `h${i}: 1\r\n`).join(""))],
  ["an unknown method", "BREW /x HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
];

for (const [kind, cases] of Object.entries({ plain: PLAIN, odd: ODD })) {
  test(`both paths answer ${kind} requests with the same bytes, alone and behind another`, async (t) => {
    const { mixed, node } = await listenBoth(t);
    const compare = async ([what, request]: [string, string]): Promise<void> => {
      const want = await exchange(node, [get("/first"), request + END]);
      assert.ok(want.startsWith("HTTP/1.1 200 OK\r\n"), what);
      assert.equal(await exchange(mixed, [get("/first"), request + END]), want, what);
      assert.equal(await exchange(mixed, [get("/first") + request + END]), want, `${what}, all at once`);
      assert.equal(await exchange(mixed, [request + END]), await exchange(node, [request + END]), what);
    };
    await Promise.all(cases.map(compare));
  });
}

for (const [what, request] of [PLAIN[0]!, ["a body", ODD[1]![1]] as const]) {
  test(`a request is the same wherever it is cut: ${what}`, async (t) => {
    const { mixed, node } = await listenBoth(t);
    const bytes = `${get("/list")}${request}${END}`;
    const want = await exchange(node, [bytes]);
    const cuts = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
    const answers = cuts.map(async (cut) => {
      assert.equal(
        await exchange(mixed, [bytes.slice(0, cut), bytes.slice(cut)], 30),
        want,
        `cut at ${cut}`,
      );
    });
    await Promise.all(answers);
    assert.equal(await exchange(mixed, Array.from(bytes), 1), want, "byte by byte");
  });
}

test("pipelined requests are answered in order, plain and odd mixed", async (t) => {
  const { mixed, node } = await listenBoth(t);
  const kinds = [get("/late"), get("/list"), "OPTIONS /x HTTP/1.1\r\nHost: h\r\n\r\n", ODD[1]![1]];
  for (const count of [1, 2, 50]) {
    for (const firstOdd of [0, 1, 20, 50]) {
      const requests = Array.from({ length: count }, (_, i) =>
        i % 7 === 3 || i === firstOdd ? kinds[i >= firstOdd ? i % 4 : i % 2]! : get(`/${i}`),
      );
      const bytes = requests.join("") + END;
      assert.equal(await exchange(mixed, [bytes]), await exchange(node, [bytes]), `${count}, ${firstOdd}`);
    }
  }
});

test("thousands of pipelined requests are all answered, in order", async (t) => {
  const { mixed } = await listenBoth(t);
  const count = 5000;
  const requests = Array.from({ length: count }, (_, i) => get(`/${i}`)).join("") + END;
  const got = await exchange(mixed, [requests]);
  const paths = [...got.matchAll(/\["GET","\/(\d+)"/g)].map((match) => Number(match[1]));
  assert.deepEqual(
    paths,
    Array.from({ length: count }, (_, i) => i),
  );
});

test("bytes that chance has changed are answered alike", async (t) => {
  const { mixed, node } = await listenBoth(t);
  // What comes in pieces may be cut off by an error behind it, at another piece here than there.
  const seeds = [...PLAIN, ...ODD]
    .map(([, request]) => request)
    .filter((request) => request.length < 400 && !request.includes("/file"));
  const words = [
    "\r\n",
    "\n",
    "\r",
    " ",
    ":",
    "\0",
    "\t",
    "Content-Length: 3\r\n",
    "\x80",
    ",",
    "HTTP/1.1",
    "chunked",
  ];
  let state = 20_261_122;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const mutants = Array.from({ length: 400 }, () => {
    let text = seeds[random(seeds.length)]!;
    for (let i = random(3) + 1; i > 0; i--) {
      const at = random(text.length);
      text = text.slice(0, at) + words[random(words.length)]! + text.slice(at + random(3));
    }
    return text;
  });
  for (let i = 0; i < mutants.length; i += 100) {
    const compare = async (mutant: string): Promise<void> => {
      const pieces = [get("/first"), mutant + END];
      let [want, got] = await Promise.all([exchange(node, pieces), exchange(mixed, pieces)]);
      // A connection that is closed with bytes unread is reset, and that throws away what a slow client has not read.
      for (let again = 0; again < 3 && got !== want; again++) {
        if (!got.startsWith(want) && !want.startsWith(got)) break;
        [want, got] = await Promise.all([exchange(node, pieces), exchange(mixed, pieces)]);
      }
      assert.equal(got, want, JSON.stringify(mutant));
    };
    await Promise.all(mutants.slice(i, i + 100).map(compare));
  }
});
