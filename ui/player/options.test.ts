import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseOptions, playlistUrl } from "./options.js";

const DEFAULTS = { autoplay: true, muted: true, volume: 1, token: null };

const queries: [query: string, options: object][] = [
  ["", {}],
  ["?autoplay=true&mute=true", {}],
  ["?autoplay=false", { autoplay: false }],
  ["?autoplay=0&mute=No", { autoplay: false, muted: false }],
  ["?mute=off", { muted: false }],
  ["?volume=0.5", { volume: 0.5 }],
  ["?volume=50", { volume: 0.5 }],
  ["?volume=0", { volume: 0 }],
  ["?volume=1", { volume: 1 }],
  ["?volume=900", { volume: 1 }],
  ["?volume=-1", {}],
  ["?volume=loud", {}],
  ["?volume=", {}],
  ["?token=a%26b", { token: "a&b" }],
  ["?proto=hls&dvr=true&realtime=true&unknown=1", {}],
];

for (const [query, options] of queries) {
  test(`the query "${query}" is understood`, () =>
    assert.deepEqual(parseOptions(query), { ...DEFAULTS, ...options }));
}

test("any query gives usable options", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { volume } = parseOptions(`?volume=${text}&${text}`);
      assert.ok(volume >= 0 && volume <= 1);
    }),
    { seed: 21 },
  );
});

test("the playlist stands beside the page, with the token and nothing else of the query", () => {
  const page = "http://host:8080/pub/a%20b/embed.html?mute=0&token=x#here";
  assert.equal(playlistUrl(page, null), "http://host:8080/pub/a%20b/index.m3u8");
  assert.equal(playlistUrl(page, "a&b"), "http://host:8080/pub/a%20b/index.m3u8?token=a%26b");
});
