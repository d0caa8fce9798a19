import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { episodeAddress, episodeServerName, parseEpisodePage } from "./episode-listing.ts";
import type { EpisodePage } from "./episode-listing.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const page = (value: unknown): EpisodePage | null =>
  parseEpisodePage(bytesOf(JSON.stringify(value)), "tv/one");
const ONE = { fromMs: 1000, toMs: 2000, expiresAtMs: null };

describe("a list of episodes", () => {
  const good: readonly [name: string, value: unknown, expected: EpisodePage][] = [
    ["none", { episodes: [] }, { episodes: [], next: null }],
    ["one", { episodes: [{ opened_at: 1000, closed_at: 2000 }] }, { episodes: [ONE], next: null }],
    [
      "one as the API shows it",
      {
        episodes: [
          {
            ...{
              episode_id: "e1",
              name: "tv/one",
              opened_at: 1000,
              closed_at: null,
              updated_at: 5,
              title: "News",
            },
            expires_at: 9000,
          },
        ],
        estimated_count: 1,
        next: null,
      },
      { episodes: [{ fromMs: 1000, toMs: Infinity, expiresAtMs: 9000 }], next: null },
    ],
    [
      "one of a moment",
      { episodes: [{ opened_at: 7, closed_at: 7 }] },
      {
        episodes: [{ fromMs: 7, toMs: 8, expiresAtMs: null }],
        next: null,
      },
    ],
    ["another page", { episodes: [], next: "b2Zmc2V0" }, { episodes: [], next: "b2Zmc2V0" }],
    ["no other page", { episodes: [], next: "" }, { episodes: [], next: null }],
    [
      "those of other streams among them",
      {
        episodes: [
          { name: "tv/two", opened_at: 1 },
          { media: "tv/one", opened_at: 1000, closed_at: 2000 },
        ],
      },
      { episodes: [ONE], next: null },
    ],
  ];
  for (const [name, value, expected] of good) test(name, () => assert.deepEqual(page(value), expected));

  const bad: readonly [name: string, value: unknown][] = [
    ["no object", [{ opened_at: 1 }]],
    ["nothing", null],
    ["no list", { streams: [] }],
    ["a list of numbers", { episodes: [1000] }],
    ["no beginning", { episodes: [{ closed_at: 2000 }] }],
    ["a beginning in words", { episodes: [{ opened_at: "1000" }] }],
    ["a beginning in half milliseconds", { episodes: [{ opened_at: 1.5 }] }],
    ["a beginning before 1970", { episodes: [{ opened_at: -1 }] }],
    ["a time after the year 9999", { episodes: [{ opened_at: 1, closed_at: 1e18 }] }],
    ["an end before the beginning", { episodes: [{ opened_at: 2000, closed_at: 1000 }] }],
    [
      "an end that is none, though the stream is another one",
      { episodes: [{ name: "x", opened_at: 1, closed_at: "" }] },
    ],
    ["a stream that is no name", { episodes: [{ name: 7, opened_at: 1 }] }],
    ["an expiry that is none", { episodes: [{ opened_at: 1, expires_at: true }] }],
    ["a page that is none", { episodes: [], next: 2 }],
    ["a page of a long name", { episodes: [], next: "x".repeat(1001) }],
    ["too many", { episodes: Array.from({ length: 100_001 }, () => ({ opened_at: 1 })) }],
  ];
  for (const [name, value] of bad) test(`is none with ${name}`, () => assert.equal(page(value), null));

  test("that is cut off anywhere is none", () => {
    const whole = bytesOf(JSON.stringify({ episodes: [{ opened_at: 1000, closed_at: 2000 }], next: "ä" }));
    for (let cut = 0; cut < whole.byteLength; cut++)
      assert.equal(parseEpisodePage(whole.subarray(0, cut), "tv/one"), null, `cut at ${cut}`);
    assert.ok(parseEpisodePage(whole, "tv/one") !== null);
  });

  test("has to be text", () => {
    const text = Buffer.from('{"episodes": [{"opened_at": 1, "name": "tv/\u00e9"}]}', "latin1");
    assert.equal(parseEpisodePage(text, "tv/\u00e9"), null);
  });
});

describe("the address of a server of episodes", () => {
  const question = { stream: "tv/one", fromMs: 1000, toMs: 2000, cursor: null };

  test("has the stream and the time in it, behind what it had", () => {
    const { origin, target, headers } = episodeAddress("http://tv.example:81/keep?t=x&name=y", question);
    assert.equal(origin, "http://tv.example:81");
    assert.equal(target, "/keep?t=x&name=tv%2Fone&opened_at_lt=2000&closed_at_gt=1000");
    assert.deepEqual(headers, { accept: "application/json" });
  });

  test("of a next page has that, too", () => {
    const { target } = episodeAddress("https://tv.example", { ...question, cursor: "a b&c" });
    assert.equal(target, "/?name=tv%2Fone&opened_at_lt=2000&closed_at_gt=1000&cursor=a+b%26c");
  });

  test("has no secrets in it, but in what is sent", () => {
    const bearer = episodeAddress("http://k%20ey@tv.example/keep", question);
    assert.equal(bearer.headers["authorization"], "Bearer k ey");
    const basic = episodeAddress("http://user:pass@tv.example/keep", question);
    assert.equal(basic.headers["authorization"], `Basic ${Buffer.from("user:pass").toString("base64")}`);
    assert.equal(basic.origin, "http://tv.example");
    assert.equal(episodeServerName("http://user:pass@tv.example:81/keep?t=x"), "http://tv.example:81/keep");
  });
});
