import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_STREAM_NAME_LENGTH, parseStreamName, trackId } from "./ids.ts";

const good = ["demo", "pub/camera-1", "a.b_c/D9", "x".repeat(MAX_STREAM_NAME_LENGTH), "_x"];
for (const name of good) {
  test(`a stream may be called ${name.slice(0, 20)}`, () => assert.equal(parseStreamName(name), name));
}

const bad = [
  "",
  "/",
  "a/",
  "/a",
  "a//b",
  ".",
  "..",
  "a/../b",
  ".hidden",
  "a b",
  "caf\u00e9",
  "a\u0000",
  "a?b",
  "a%2fb",
  "a\\b",
  "x".repeat(256),
];
for (const name of bad) {
  test(`a stream may not be called ${JSON.stringify(name.slice(0, 20))}`, () =>
    assert.equal(parseStreamName(name), null));
}

test("track ids are a letter of the kind and an ordinal", () => {
  assert.deepEqual([trackId("video", 1), trackId("audio", 2), trackId("text", 1)], ["v1", "a2", "t1"]);
});
