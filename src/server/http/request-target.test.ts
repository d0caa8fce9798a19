import assert from "node:assert/strict";
import { test } from "node:test";
import { readTarget } from "./request-target.ts";

test("a target is a path, decoded, and a query, also behind a host", () => {
  for (const target of ["/a%20b/c?x=1&y=%26", "http://host:80/a%20b/c?x=1&y=%26"]) {
    const { rawPath, path, query } = readTarget(target);
    assert.deepEqual(
      [rawPath, path, [...query]],
      [
        "/a%20b/c",
        "/a b/c",
        [
          ["x", "1"],
          ["y", "&"],
        ],
      ],
    );
  }
  assert.equal(readTarget("http://host").path, "/");
});

test("an encoded slash in an address of the API is one of a stream's name, and is refused elsewhere", () => {
  for (const base of ["/streamer/api/v3", "/flussonic/api/v3", "http://host/streamer/api/v3"]) {
    const { path } = readTarget(`${base}/streams/live%2Fa.b%2fc/dvr/ranges`);
    assert.equal(path, `${base.replace("http://host", "")}/streams/live/a.b/c/dvr/ranges`);
  }
  const refused: [target: string, problem: RegExp][] = [
    ["/live%2Fcam/index.m3u8", /encoded slash/],
    ["/streamer/api/v2/streams/live%2Fcam", /encoded slash/],
    ["/streamer%2Fapi/v3/streams/a", /encoded slash/],
    ["/streamer/api/v3/streams/live%2F..%2Fcam/dvr/ranges", /dot segment/],
    ["/streamer/api/v3/streams/live%2f%2e%2E/dvr/ranges", /dot segment/],
    ["/streamer/api/v3/streams/live%2F%2Fcam/dvr/ranges", /empty segment/],
    ["/streamer/api/v3/streams/live%5Ccam/dvr/ranges", /backslash/],
  ];
  for (const [target, problem] of refused) {
    const { path } = readTarget(target);
    assert.ok(typeof path !== "string", target);
    assert.match(path.problem, problem, target);
  }
  // What is encoded twice is decoded once.
  assert.equal(readTarget("/streamer/api/v3/streams/a%252Fb").path, "/streamer/api/v3/streams/a%2Fb");
});
