import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { ReadyReplies } from "./ready-replies.ts";

const reply: HttpReply = {
  status: 200,
  headers: [["content-type", "text/plain"]],
  body: [new Uint8Array(Buffer.from("hello"))],
  gzip: () => Buffer.from("zipped"),
};
const plain = { isConditional: false, acceptsGzip: false };

function request(method: string, encoding?: string): HttpRequest {
  const header = (name: string): string | undefined => (name === "accept-encoding" ? encoding : undefined);
  return { method, path: "/", query: new URLSearchParams(), header, remoteAddress: "" };
}

test("a reply that is given again is the same bytes again, as long as its Date is right", async () => {
  const ready = new ReadyReplies(60_000);
  let first = ready.form(request("GET"), plain, reply, true);
  // At most one of two forms made in a row falls into the next second.
  if (ready.form(request("GET"), plain, reply, true) !== first) {
    first = ready.form(request("GET"), plain, reply, true);
  }
  assert.equal(ready.form(request("GET"), plain, reply, true), first);
  const date = (form: { first: Buffer }): string =>
    /Date: (.*)\r\n/.exec(form.first.toString("latin1"))![1]!;
  assert.equal(Date.parse(date(first)), first.second * 1000);
  await new Promise((resolve) => setTimeout(resolve, 1010 - (Date.now() % 1000)));
  const later = ready.form(request("GET"), plain, reply, true);
  assert.equal(Date.parse(date(later)), later.second * 1000);
  assert.ok(later.second > first.second);
});

test("each form of a reply is its own", () => {
  const ready = new ReadyReplies(60_000);
  const text = (method: string, acceptsGzip: boolean, keepsOpen: boolean): string =>
    ready
      .form(request(method, acceptsGzip ? "gzip" : undefined), { ...plain, acceptsGzip }, reply, keepsOpen)
      .first.toString("latin1");
  assert.match(text("GET", false, true), /Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n\r\nhello$/);
  assert.match(text("GET", false, false), /Connection: close\r\n\r\nhello$/);
  assert.match(text("GET", true, true), /content-encoding: gzip\r\n[^]*\r\n\r\nzipped$/);
  assert.match(text("HEAD", false, true), /content-length: 5\r\n[^]*\r\n\r\n$/);
  assert.match(text("HEAD", true, false), /content-length: 6\r\n[^]*\r\n\r\n$/);
});

test("a long body is sent as it is, views of the same bytes, shared memory too", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(100_000));
  const form = new ReadyReplies(60_000).form(
    request("GET"),
    plain,
    { status: 200, headers: [], body: [shared] },
    true,
  );
  assert.equal(form.rest.length, 1);
  assert.equal(form.rest[0]!.buffer, shared.buffer);
});

test("a header that would begin another is refused", () => {
  const bad: HttpReply = { status: 200, headers: [["x", "a\r\nset-cookie: b"]], body: [] };
  assert.throws(() => new ReadyReplies(1000).form(request("GET"), plain, bad, true), RangeError);
});
