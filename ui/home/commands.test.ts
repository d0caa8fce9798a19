import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { embedCode, playlistAddress, publishWords, readAbout } from "./commands.js";

test("the usual server is told in the shortest form", () => {
  assert.deepEqual(publishWords("localhost", 1935, "pub"), {
    command: "ffmpeg -re -i FILE -c copy -f flv rtmp://localhost/pub/my-stream",
    server: "rtmp://localhost/pub",
    key: "my-stream",
    name: "pub/my-stream",
  });
});

test("another port is named, an empty prefix needs an application all the same", () => {
  const words = publishWords("[::1]", 11935, "");
  assert.equal(words.server, "rtmp://[::1]:11935/static");
  assert.equal(words.name, "my-stream");
});

test("a prefix that means something to a shell is put in quotes", () => {
  const { command } = publishWords("host", 1935, "a'b;rm");
  assert.equal(command, `ffmpeg -re -i FILE -c copy -f flv 'rtmp://host/a'\\''b;rm/my-stream'`);
});

test("addresses are encoded", () => {
  assert.equal(
    playlistAddress("http://host:8080", "vod/a b.mp4"),
    "http://host:8080/vod/a%20b.mp4/index.m3u8",
  );
});

test("nothing in a name gets out of the embed code's address", () => {
  assert.equal(
    embedCode("https://host", "pub/camera"),
    '<iframe src="https://host/pub/camera/embed.html" width="640" height="360" allow="autoplay; fullscreen" frameborder="0"></iframe>',
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (name) => {
      assert.match(
        embedCode("https://host", name),
        /^<iframe src="https:\/\/host\/[^"'<>\s]*" width="640" [^<>]*><\/iframe>$/,
      );
    }),
    { seed: 51 },
  );
});

test("what the server says about itself is checked", () => {
  const about = {
    version: "0.1.0",
    rtmpPorts: [1935, "x", 0, 70_000],
    publishPrefixes: ["pub", 7],
    loopbackOnly: true,
  };
  assert.deepEqual(readAbout(about), {
    version: "0.1.0",
    rtmpPorts: [1935],
    publishPrefixes: ["pub"],
    isLoopbackOnly: true,
  });
  const nothing = { version: "", rtmpPorts: [], publishPrefixes: [], isLoopbackOnly: false };
  for (const reply of [null, [], "x", {}, { rtmpPorts: {}, publishPrefixes: null, version: 1 }]) {
    assert.deepEqual(readAbout(reply), nothing);
  }
});
