import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { segmentEntry, timelineOf } from "../../test/support/presentation.ts";
import { concatBytes, totalBytes } from "../base/bytes.ts";
import type { HttpReply } from "../base/http-message.ts";
import { PlaylistReplies, playlistCaching, playlistVersion } from "./playlist-replies.ts";

const snapshot = {};
const textOf = ({ body }: HttpReply): string => new TextDecoder().decode(concatBytes(body));

/** Replies with one playlist of so many addresses, and how often it was rendered. */
function playlistOf(lines: number) {
  const replies = new PlaylistReplies<object>("text/x");
  const counts = { rendered: 0 };
  const ask = (query: string, key = "k", cache = "no-cache"): HttpReply =>
    replies.reply(snapshot, key, {
      render: (carried) => {
        counts.rendered++;
        return Array.from({ length: lines }, (_, line) => `address-${line}${carried}\n`).join("");
      },
      version: "1",
      cache,
      query,
    });
  return { ask, counts };
}

test("a playlist is rendered once for all queries, and without one it is one reply for all", () => {
  const { ask, counts } = playlistOf(2);
  assert.equal(textOf(ask("")), "address-0\naddress-1\n");
  for (const query of ["?token=a", "?token=b"])
    assert.equal(textOf(ask(query)), `address-0${query}\naddress-1${query}\n`);
  assert.equal(ask(""), ask(""));
  assert.notEqual(ask("?token=a"), ask("?token=a"));
  assert.equal(counts.rendered, 1);
});

test("a playlist without a query is zipped once; what a client chose is never zipped", () => {
  const { ask } = playlistOf(20);
  const plain = ask("");
  assert.equal(plain.gzip!(), ask("").gzip!());
  assert.equal(gunzipSync(plain.gzip!()).toString(), textOf(plain));
  assert.equal(ask("?token=a").gzip, undefined);
});

test("queries take no place from others: who asks with thousands of them has nothing rendered again", () => {
  const { ask, counts } = playlistOf(3);
  const kept = ask("");
  for (let n = 0; n < 5000; n++) ask(`?token=${n}`);
  assert.deepEqual([ask(""), counts.rendered], [kept, 1]);
});

test("a long playlist with a query is one chunk, and counts for who holds memory", () => {
  const { ask } = playlistOf(5000);
  const query = `?token=${"x".repeat(500)}`;
  const reply = ask(query);
  assert.equal(textOf(reply), textOf(ask("")).replaceAll("\n", `${query}\n`));
  assert.equal(reply.body.length, 1);
  assert.equal(reply.ownBytes, totalBytes(reply.body));
  assert.equal(playlistOf(5).ask(query).ownBytes, undefined);
});

test("the queries of one playlist together have a bound, and who goes beyond it is told how long one may be", () => {
  const lines = 9000;
  const { ask } = playlistOf(lines);
  const most = Math.floor(PlaylistReplies.MAX_QUERY_BYTES / lines);
  assert.equal(ask("?".repeat(most)).status, 200);
  const refused = ask("?".repeat(most + 1));
  assert.equal(refused.status, 400);
  assert.match(textOf(refused), new RegExp(`up to ${most} bytes`));
});

test("keys of one snapshot, and ways to cache one, are bounded", () => {
  const { ask, counts } = playlistOf(1);
  const first = ask("");
  for (let n = 0; n < PlaylistReplies.MAX_RENDERED; n++) ask("", `k${n}`);
  assert.notEqual(ask(""), first);
  assert.equal(counts.rendered, PlaylistReplies.MAX_RENDERED + 2);
  const kept = ask("");
  for (let n = 0; n < PlaylistReplies.MAX_RENDERED; n++) ask("", "k", `max-age=${n}`);
  assert.notEqual(ask(""), kept);
});

test("what cannot be rendered is not found", () => {
  const replies = new PlaylistReplies<object>("text/x");
  const form = { render: () => null, version: "", cache: "", query: "?token=a" };
  assert.equal(replies.reply(snapshot, "", form).status, 404);
});

test("the places of a query may be anywhere, also where there is nothing between them", () => {
  const replies = new PlaylistReplies<object>("text/x");
  const texts = ["", "Q", "QQ", "aQ", "Qb", "aQbQQc\u00e9Q", "no query"];
  for (const [index, text] of texts.entries()) {
    const form = {
      render: (carried: string) => text.replaceAll("Q", carried),
      version: "1",
      cache: "no-cache",
    };
    const ask = (query: string): string =>
      textOf(replies.reply(snapshot, `places ${index}`, { ...form, query }));
    for (const query of ["", "?a", "", "?bc"]) assert.equal(ask(query), text.replaceAll("Q", query));
  }
});

test("a timeline that is complete has another tag than when it grew, and a file that of its version", () => {
  const segments = [segmentEntry(0), segmentEntry(1)];
  const [growing, complete] = (["event", "static"] as const).map((mutability) =>
    timelineOf({ segments, mutability }),
  );
  const recorded = { version: null };
  assert.notEqual(playlistVersion(recorded, growing!), playlistVersion(recorded, complete!));
  assert.equal(playlistVersion({ version: "7-1" }, complete!), "7-1");
});

test("what changes is kept for a second, a file for a minute, a complete recording for an hour", () => {
  const segments = [segmentEntry(0)];
  for (const [mutability, version, seconds] of [
    ["live", null, 1],
    ["event", null, 1],
    ["static", "7-1", 60],
    ["static", null, 3600],
  ] as const)
    assert.equal(
      playlistCaching({ version }, timelineOf({ segments, mutability })),
      `public, max-age=${seconds}`,
    );
});
