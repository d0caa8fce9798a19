import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { parseByteRange, sliceBody } from "./byte-range.ts";
import { finishReply } from "./finish-reply.ts";
import { decodePath } from "./request-path.ts";

const paths: [raw: string, decoded: string | RegExp][] = [
  ["/", "/"],
  ["/pub/camera/index.m3u8", "/pub/camera/index.m3u8"],
  ["/vod/caf%C3%A9%20au%20lait.mp4/index.m3u8", "/vod/caf\u00e9 au lait.mp4/index.m3u8"],
  ["/vod/dir/", "/vod/dir/"],
  ["/vod/..%2f..%2fetc/passwd", /encoded slash/],
  ["/vod/%2e%2e/secret", /dot segment/],
  ["/vod/../secret", /dot segment/],
  ["/vod/./x", /dot segment/],
  ["/vod//x", /empty segment/],
  ["/vod/a%00b", /control character/],
  ["/vod/a%5cb", /backslash/],
  ["/vod/%zz", /broken percent/],
  ["/vod/%ff", /broken percent/],
  ["vod", /does not begin/],
  ["http://other.example/x", /does not begin/],
  [`/${"a".repeat(3000)}`, /longer than/],
];
for (const [raw, want] of paths) {
  test(`the path ${raw.slice(0, 40)} is ${typeof want === "string" ? "decoded" : "refused"}`, () => {
    const got = decodePath(raw);
    if (typeof want === "string") assert.equal(got, want);
    else assert.match((got as { problem: string }).problem, want);
  });
}

test("no decoded path ever holds a dot segment, an empty inner segment or a control character", () => {
  const pieces = fc.constantFrom(
    "/",
    "..",
    ".",
    "%2e",
    "%2f",
    "%00",
    "%5c",
    "a",
    "%C3%A9",
    "%",
    "\\",
    "%25",
    "2f",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const got = decodePath(`/${parts.join("")}`);
      if (typeof got !== "string") return;
      const segments = got.slice(1).split("/");
      assert.ok(segments.every((segment) => segment !== "." && segment !== ".."));
      assert.ok(segments.slice(0, -1).every((segment) => segment !== ""));
      assert.equal(got.includes("\\") || got.includes("\0"), false);
    }),
    { seed: 5, numRuns: 3000 },
  );
});

const ranges: [header: string | undefined, want: ReturnType<typeof parseByteRange>][] = [
  ["bytes=0-0", { start: 0, end: 1 }],
  ["bytes=10-", { start: 10, end: 100 }],
  ["bytes=-10", { start: 90, end: 100 }],
  ["bytes=-1000", { start: 0, end: 100 }],
  ["bytes=90-200", { start: 90, end: 100 }],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-4", null],
  ["bytes=0-1,4-5", null],
  ["items=0-1", null],
  ["bytes=a-b", null],
  [undefined, null],
];
for (const [header, want] of ranges) {
  test(`range ${header} of 100 bytes`, () => assert.deepEqual(parseByteRange(header, 100), want));
}

test("a slice of chunks is the slice of what they make together", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), fc.nat(40), fc.nat(40), (body, a, b) => {
      const whole = Buffer.concat(body);
      const range = { start: Math.min(a, b, whole.length), end: Math.min(Math.max(a, b), whole.length) };
      assert.deepEqual(Buffer.concat(sliceBody(body, range)), whole.subarray(range.start, range.end));
    }),
    { seed: 9 },
  );
});

const content = Buffer.from("0123456789".repeat(20));
const plain: HttpReply = {
  status: 200,
  headers: [
    ["content-type", "video/mp4"],
    ["etag", '"v1"'],
  ],
  body: [content.subarray(0, 50), content.subarray(50)],
};
const zipped: HttpReply = { ...plain, gzip: () => gzipSync(content) };

function request(headers: Record<string, string> = {}, method = "GET"): HttpRequest {
  return {
    method,
    path: "/",
    query: new URLSearchParams(),
    header: (name) => headers[name],
    remoteAddress: "",
  };
}

function headersOf(reply: ReturnType<typeof finishReply>): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (let i = 0; i < reply.headers.length; i += 2) pairs[reply.headers[i]!] = reply.headers[i + 1]!;
  return pairs;
}

test("HEAD has the headers of GET and no body", () => {
  const get = finishReply(request(), plain);
  const head = finishReply(request({}, "HEAD"), plain);
  assert.deepEqual(head.headers, get.headers);
  assert.equal(headersOf(head)["content-length"], "200");
  assert.deepEqual(head.body, []);
});

test("a range is a 206 with its place, a range past the end a 416 with the size", () => {
  const part = finishReply(request({ range: "bytes=45-54" }), plain);
  assert.equal(part.status, 206);
  assert.equal(headersOf(part)["content-range"], "bytes 45-54/200");
  assert.deepEqual(Buffer.concat(part.body), content.subarray(45, 55));
  const past = finishReply(request({ range: "bytes=200-" }), plain);
  assert.deepEqual([past.status, headersOf(past)["content-range"]], [416, "bytes */200"]);
  assert.equal(finishReply(request({ range: "bytes=0-1", "if-range": '"old"' }), plain).status, 200);
});

for (const known of ['"v1"', 'W/"v1"', '"x", "v1"', "*"]) {
  test(`a client that has ${known} is told so`, () => {
    const reply = finishReply(request({ "if-none-match": known }), plain);
    assert.deepEqual([reply.status, reply.body.length, headersOf(reply)["etag"]], [304, 0, '"v1"']);
  });
}

const encodings: [accept: string | undefined, gzipped: boolean][] = [
  ["gzip, deflate, br", true],
  ["*", true],
  ["br;q=1, gzip;q=0.5", true],
  ["gzip;q=0", false],
  ["gzip;q=0.000", false],
  ["br", false],
  [undefined, false],
];
for (const [accept, want] of encodings) {
  test(`accept-encoding ${accept}: ${want ? "gzip" : "as it is"}`, () => {
    const reply = finishReply(request(accept === undefined ? {} : { "accept-encoding": accept }), zipped);
    const { "content-encoding": encoding, vary, etag } = headersOf(reply);
    assert.deepEqual([encoding === "gzip", vary], [want, "accept-encoding"]);
    assert.equal(etag, want ? 'W/"v1"' : '"v1"');
    const bytes = Buffer.concat(reply.body);
    assert.deepEqual(want ? gunzipSync(bytes) : bytes, content);
  });
}
