import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { HeadMemory } from "./head-memory.ts";
import { PlainRequest, parsePlainHead } from "./plain-request.ts";

const HEAD = "GET /a/b.m3u8?x=1 HTTP/1.1\r\nHost: h\r\nUser-Agent:\t a b \t\r\nX-Empty:\r\n\r\n";

function parse(text: string, start = 0): ReturnType<typeof parsePlainHead> {
  return parsePlainHead(Buffer.from(text, "latin1"), start);
}

test("a plain head is read to its end, wherever it begins", () => {
  const head = parse(`skipped${HEAD}GET /next`, 7);
  assert.ok(head !== null);
  assert.equal(head.endOffset, 7 + HEAD.length);
  assert.deepEqual([head.isHead, head.wantsClose], [false, false]);
  const request = new PlainRequest(head, { remoteAddress: "192.0.2.1" } as Socket, { kept: null });
  assert.deepEqual(
    [request.method, request.path, request.query.get("x"), request.remoteAddress],
    ["GET", "/a/b.m3u8", "1", "192.0.2.1"],
  );
  const values = ["host", "user-agent", "x-empty", "absent"].map((name) => request.header(name));
  assert.deepEqual(values, ["h", "a b", "", undefined]);
});

test("HEAD, and what a connection header says", () => {
  const head = parse("HEAD / HTTP/1.1\r\nhost: h\r\nCONNECTION: Close\r\n\r\n");
  assert.deepEqual([head?.isHead, head?.wantsClose], [true, true]);
  assert.equal(parse("GET / HTTP/1.1\r\nhost: h\r\nconnection: Keep-Alive\r\n\r\n")?.wantsClose, false);
});

test("a head that is not all there is not plain, wherever it is cut", () => {
  for (let cut = 0; cut < HEAD.length; cut++)
    assert.equal(parse(HEAD.slice(0, cut)), null, `cut at ${cut}`);
});

const field = (line: string): string => `GET / HTTP/1.1\r\nHost: h\r\n${line}\r\n\r\n`;
const NOT_PLAIN: [what: string, text: string][] = [
  ["another method", "POST / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a method in small letters", "get / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: h\r\n\r\n"],
  ["an absolute target", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a target of its own kind", "GET * HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["two spaces before the version", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a tab for a space", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a target beyond ASCII", "GET /\xe9 HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a line end before the request", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n"],
  ["an empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"],
  ["two Hosts", field("host: i")],
  ["a length", field("Content-Length: 0")],
  ["chunks", field("Transfer-Encoding: chunked")],
  ["chunks in capitals", field("TRANSFER-ENCODING: chunked")],
  ["an expectation", field("Expect: 100-continue")],
  ["an upgrade", field("Upgrade: websocket")],
  ["a connection option", field("Connection: keep-alive, upgrade")],
  ["a proxy's connection", field("Proxy-Connection: close")],
  ["the same name twice", field("x: 1\r\nX: 2")],
  ["a space before the colon", field("x : 1")],
  ["a name that is empty", field(": 1")],
  ["no colon", field("x")],
  ["a folded line", field("x: 1\r\n y")],
  ["a bare line feed", field("x: 1\ny: 2")],
  ["a bare carriage return", field("x: 1\ry: 2")],
  ["a NUL in a value", field("x: a\0b")],
  ["a NUL in a name", field("x\0: ab")],
  ["a value beyond ASCII", field("x: \xe9")],
  ["line feeds only", "GET / HTTP/1.1\nHost: h\n\n"],
  ["many lines", field(Array.from({ length: 64 }, (_, i) => `x${i}: 1`).join("\r\n"))],
  ["a long head", field(`x: ${"a".repeat(8192)}`)],
  ["a long target", `GET /${"a".repeat(9000)} HTTP/1.1\r\nHost: h\r\n\r\n`],
];
for (const [what, text] of NOT_PLAIN) {
  test(`not plain: ${what}`, () => assert.equal(parse(text), null));
}

test("a name with the hash of another one is not taken for it", () => {
  // 31 x "a" + "t" = 31 x "c" + "6"
  const head = parse(field("at: 1"));
  assert.ok(head !== null);
  assert.deepEqual([head.header("at"), head.header("c6")], ["1", undefined]);
  assert.equal(parse(field("at: 1\r\nc6: 2")), null);
});

test("a head is remembered by all of its bytes", () => {
  const memory = new HeadMemory();
  assert.equal(memory.find(Buffer.from(HEAD)), null);
  const first = memory.read(Buffer.from(HEAD));
  assert.equal(memory.find(Buffer.from(HEAD)), first);
  assert.equal(memory.find(Buffer.from(`${HEAD}${HEAD}`)), null);
  assert.equal(memory.find(Buffer.from(HEAD.slice(0, -1))), null);
  assert.equal(memory.find(Buffer.alloc(4096, HEAD)), null);
  assert.equal(memory.read(Buffer.from(HEAD)), first);
  const other = memory.read(Buffer.from(HEAD.replace("a b", "a c")));
  assert.equal(other?.header("user-agent"), "a c");
  assert.equal(memory.read(Buffer.from(HEAD.slice(0, -1))), null);
  assert.equal(memory.read(Buffer.from(`${HEAD}${HEAD}`))?.endOffset, HEAD.length);
});
