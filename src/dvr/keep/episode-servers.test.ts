import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { HttpPeerStorage } from "../replicate/storages/http-peer-storage.ts";
import { EpisodeServers } from "./episode-servers.ts";
import type { EpisodeTransport, EpisodesWanted, KeptByServer } from "./episode-servers.ts";

const HOUR_MS = 3_600_000;
const URL_TEXT = "http://key@tv.example/episodes?t=secret";
type Asked = Parameters<EpisodeTransport["get"]>[0];
type Reply = Awaited<ReturnType<EpisodeTransport["get"]>>;

/** Episodes by hours before now, as a server lists them. */
type Listed = readonly { readonly from: number; readonly to: number | null; readonly expires?: number }[];

function ask(options: { readonly maxBytes?: number } = {}) {
  const clock = new FakeClock(Date.UTC(2026, 10, 23, 8) * 1000);
  const nowHour = clock.wallUs() / 1000 / HOUR_MS;
  const asked: Asked[] = [];
  const server = { answer: (_: Asked): Reply | Promise<Reply> => replyOf([]) };
  const servers = new EpisodeServers({
    clock,
    ...options,
    connect: (origin) => {
      assert.equal(origin, "http://tv.example");
      return {
        get: async (request) => {
          asked.push(request);
          return await server.answer(request);
        },
      };
    },
  });
  const replyOf = (listed: Listed, next: string | null = null): Reply => {
    const time = (ago: number): number => (nowHour - ago) * HOUR_MS;
    const episodes = listed.map(({ from, to, expires }) => ({
      ...{ opened_at: time(from), closed_at: to === null ? null : time(to) },
      ...(expires === undefined ? {} : { expires_at: time(expires) }),
    }));
    return jsonOf({ episodes, next });
  };
  const of = (hoursAgo: readonly number[], changes: Partial<EpisodesWanted> = {}): Promise<KeptByServer> =>
    servers.of({
      ...{ url: URL_TEXT, stream: "cam", fromMs: (nowHour - 100) * HOUR_MS },
      hours: hoursAgo.map((ago) => nowHour - ago),
      ...changes,
    });
  /** Which of the hours before now are kept. */
  const kept = (answer: KeptByServer, upTo = 10): number[] =>
    Array.from({ length: upTo }, (_, n) => n + 1).filter((ago) => answer.protects(nowHour - ago));
  return { clock, asked, server, servers, replyOf, of, kept };
}

function jsonOf(value: unknown, status = 200): Reply {
  return { status, body: new TextEncoder().encode(JSON.stringify(value)) };
}

describe("a server of episodes", () => {
  test("is asked for a stream's time, and keeps what it lists", async () => {
    const { asked, server, replyOf, of, kept } = ask();
    server.answer = () =>
      replyOf([
        { from: 5.5, to: 4 },
        { from: 2, to: 1.5 },
      ]);
    const answer = await of([6, 5]);
    assert.deepEqual([kept(answer), answer.failure], [[2, 5, 6], null]);
    const { target, headers, maxBytes } = asked[0]!;
    const from = Date.UTC(2026, 10, 19, 4);
    const to = Date.UTC(2026, 10, 23, 8);
    assert.equal(target, `/episodes?t=secret&name=cam&opened_at_lt=${to}&closed_at_gt=${from}`);
    assert.equal(headers["authorization"], "Bearer key");
    assert.ok(maxBytes <= 2 ** 24);
  });

  test("has pages", async () => {
    const { asked, server, replyOf, of, kept } = ask();
    server.answer = ({ target }) => {
      const cursor = new URLSearchParams(target).get("cursor");
      return cursor === null ? replyOf([{ from: 5, to: 4 }], "more") : replyOf([{ from: 2, to: 1 }]);
    };
    assert.deepEqual(kept(await of([5])), [2, 5]);
    assert.equal(asked.length, 2);
  });

  test("keeps an episode until it expires, by itself or by the configuration", async () => {
    const { clock, server, replyOf, of, kept } = ask();
    server.answer = () =>
      replyOf([
        { from: 9, to: 8 },
        { from: 7, to: 6, expires: -2 },
        { from: 5, to: 4 },
        { from: 3, to: null },
      ]);
    const expirationMs = 5 * HOUR_MS;
    assert.deepEqual(kept(await of([7], { expirationMs })), [1, 2, 3, 5, 7]);
    assert.deepEqual(kept(await of([7])), [1, 2, 3, 5, 7, 9]);
    clock.advance(2 * HOUR_MS);
    assert.deepEqual(kept(await of([7], { expirationMs })), [1, 2, 3]);
  });

  test("that wants nothing deleted says 501", async () => {
    const { server, of, kept } = ask();
    server.answer = () => jsonOf({}, 501);
    const answer = await of([5]);
    assert.deepEqual([kept(answer), answer.failure], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], null]);
  });

  test("is not asked again for a while where all is kept, and always where something is to go", async () => {
    const { clock, asked, server, replyOf, of } = ask();
    server.answer = () => replyOf([{ from: 5, to: 4 }]);
    for (const hours of [[5], [5], [5, 6], [6], [5]]) await of(hours);
    assert.equal(asked.length, 3);
    clock.advance(601_000);
    await of([5]);
    assert.equal(asked.length, 4);
  });

  test("knows nothing of what is older than what it was asked for", async () => {
    const { of, kept } = ask();
    assert.deepEqual(kept(await of([1]), 103), [101, 102, 103]);
  });
});

const LIES: readonly [name: string, reply: Reply | Error, reason: RegExp][] = [
  ["is down", new Error("connect ECONNREFUSED"), /ECONNREFUSED/],
  ["has an error", jsonOf({ episodes: [] }, 500), /answers with 500/],
  ["does not know the stream", jsonOf({}, 404), /answers with 404/],
  ["is somewhere else", jsonOf({}, 302), /answers with 302/],
  ["sends a page for people", { status: 200, body: Buffer.from("<html>") }, /no list of episodes/],
  ["sends nothing", { status: 200, body: new Uint8Array(0) }, /no list of episodes/],
  ["sends an episode that is none", jsonOf({ episodes: [{ opened_at: "x" }] }), /no list of episodes/],
  ["has pages without end", jsonOf({ episodes: [], next: "again" }), /more than 1000 pages/],
  [
    "lists more than anybody has",
    jsonOf({ episodes: Array.from({ length: 60_000 }, () => ({ opened_at: 1 })), next: "again" }),
    /more than 100000 episodes/,
  ],
];

describe("a server of episodes that", () => {
  for (const [name, reply, reason] of LIES) {
    test(`${name} leaves what it said last, and everything before it ever answered`, async () => {
      const { clock, server, replyOf, of, kept } = ask();
      const good = server.answer;
      const bad = (): Reply => {
        if (reply instanceof Error) throw reply;
        return reply;
      };
      server.answer = bad;
      const first = await of([5]);
      assert.equal(first.failure?.code, "DVR_EPISODE_SERVER_FAILED");
      assert.match(first.failure.message, reason);
      assert.ok(first.failure.message.startsWith("http://tv.example/episodes "), "nothing secret");
      assert.deepEqual(kept(first), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      clock.advance(31_000);
      server.answer = () => replyOf([{ from: 5, to: 4 }]);
      assert.deepEqual(kept(await of([5])), [5]);
      server.answer = bad;
      clock.advance(HOUR_MS);
      const last = await of([6]);
      assert.match(last.failure!.message, reason);
      assert.deepEqual(kept(last), [5]);
      const nowHour = Math.floor(clock.wallUs() / 1000 / HOUR_MS);
      assert.ok(last.protects(nowHour - 1), "nobody knows of what came later");
      server.answer = good;
      clock.advance(31_000);
      assert.deepEqual(kept(await of([6])), []);
    });
  }

  test("has failed is left alone for a while, whatever it is asked for", async () => {
    const { clock, asked, server, of } = ask();
    server.answer = () => Promise.reject(new Error("no route"));
    for (const stream of ["a", "b", "c"])
      assert.match((await of([5], { stream })).failure!.message, /no route/);
    assert.equal(asked.length, 1);
    clock.advance(29_000);
    await of([5]);
    assert.equal(asked.length, 1);
    clock.advance(2000);
    await of([5]);
    assert.equal(asked.length, 2);
  });

  test("does not answer is given up, and no timer is left", async () => {
    const { clock, asked, server, of, kept } = ask();
    server.answer = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    const answer = of([5]);
    await eventually(() => assert.equal(asked.length, 1));
    clock.advance(9_900);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(200);
    const { failure, protects } = await answer;
    assert.match(failure!.message, /not answered within 10 s/);
    assert.deepEqual(kept({ failure, protects }, 3), [1, 2, 3]);
    assert.equal(clock.pendingTimers, 0);
  });

  test("does not answer holds up nobody who stops", async () => {
    const { clock, asked, server, servers, of } = ask();
    server.answer = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    const answer = of([5]);
    await eventually(() => assert.equal(asked.length, 1));
    servers.close();
    assert.ok((await answer).failure !== null);
    assert.ok((await of([5], { stream: "late" })).failure !== null);
    assert.equal(clock.pendingTimers, 0);
  });

  test("is asked for many streams is asked for four at a time", async () => {
    const { asked, server, replyOf, of } = ask();
    const waiting: (() => void)[] = [];
    server.answer = async () => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return replyOf([]);
    };
    const all = Array.from({ length: 10 }, (_, n) => of([5], { stream: `s${n}` }));
    let most = 0;
    while (asked.length < 10 || waiting.length > 0) {
      await turn();
      most = Math.max(most, waiting.length);
      waiting.shift()?.();
    }
    await Promise.all(all);
    assert.equal(most, 4);
  });

  test("lists much is remembered within a bound", async () => {
    const { server, servers, replyOf, of } = ask({ maxBytes: 10_000 });
    server.answer = () => replyOf(Array.from({ length: 50 }, () => ({ from: 5, to: 4 })));
    for (let n = 0; n < 20; n++) await of([5], { stream: `s${n}` });
    assert.ok(servers.keptBytes > 3000 && servers.keptBytes <= 10_000);
  });
});

describe("over HTTP, a server of episodes", () => {
  async function serve(t: TestContext, listener: RequestListener): Promise<() => Promise<KeptByServer>> {
    const server = createServer(listener);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    t.after(() => server.closeAllConnections());
    const { port } = server.address() as AddressInfo;
    const clock = new FakeClock();
    const servers = new EpisodeServers({ clock, connect: (origin) => new HttpPeerStorage(origin, clock) });
    const url = `http://me:word@127.0.0.1:${port}/list`;
    return () => servers.of({ url, stream: "tv/one", fromMs: 0, hours: [1] });
  }

  test("is asked, and its answer heeded", async (t) => {
    const of = await serve(t, (request, response) => {
      const url = new URL(request.url!, "http://x");
      assert.equal(url.pathname, "/list");
      assert.equal(url.searchParams.get("name"), "tv/one");
      assert.equal(request.headers.authorization, `Basic ${Buffer.from("me:word").toString("base64")}`);
      response.end(JSON.stringify({ episodes: [{ opened_at: HOUR_MS, closed_at: HOUR_MS + 5 }] }));
    });
    const { protects, failure } = await of();
    assert.deepEqual([failure, protects(0), protects(1), protects(2)], [null, false, true, false]);
  });

  test("that sends without end is not read to it", async (t) => {
    const of = await serve(t, (_, response) => {
      const more = (): void => {
        while (response.write(" ".repeat(65_536)));
        response.once("drain", more);
      };
      more();
    });
    const { protects, failure } = await of();
    assert.match(failure!.message, /longer than 8388608 bytes/);
    assert.ok(protects(1));
  });

  test("that breaks off keeps everything", async (t) => {
    const of = await serve(t, (_, response) => {
      response.writeHead(200, { "content-length": "500" });
      response.write('{"episodes": []}');
      response.socket?.end();
    });
    const { protects, failure } = await of();
    assert.ok(failure !== null && protects(1));
  });
});
