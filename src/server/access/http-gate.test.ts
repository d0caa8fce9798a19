/** Who may play over HTTP: whose request is whose session, what is asked, and what follows from the answers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeSessions } from "../../../test/support/fake-sessions.ts";
import type { Verdict } from "../../auth/claim.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { AccessRules } from "../../auth/rules.ts";
import type { HttpBodySink, HttpReply, HttpRequest, RequestMemory } from "../../base/http-message.ts";
import { AccessGate } from "./gate.ts";
import { HttpGate } from "./http-gate.ts";
import type { Wanted } from "./viewer.ts";

const GUARDED: AccessRules = { ...OPEN_RULES, authorizer: { kind: "nobody" } };
const HLS: Wanted = { name: "cam", proto: "hls", also: [], isTold: false, isDvr: false };
const SEGMENT: Wanted = { ...HLS, also: ["dash"] };
const DASH: Wanted = { ...HLS, proto: "dash" };
const TOLD: Wanted = { ...HLS, proto: "api", also: ["hls", "dash"], isTold: true };
const FLV: Wanted = { ...HLS, proto: "flv" };

type Asked = {
  readonly ip?: string;
  readonly query?: string;
  readonly agent?: string;
  readonly memory?: RequestMemory;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

function ask({
  ip = "192.0.2.1",
  query = "",
  agent = "player",
  memory,
  method = "GET",
  headers = {},
}: Asked = {}): HttpRequest {
  const all: Record<string, string> = { "user-agent": agent, ...headers };
  return {
    ...{ method, path: "/cam/index.m3u8", query: new URLSearchParams(query), remoteAddress: ip },
    header: (name) => all[name],
    ...(memory === undefined ? {} : { memory }),
  };
}

function setUp(rules: AccessRules = OPEN_RULES, salt = "salt") {
  const clock = new FakeClock();
  const sessions = new FakeSessions();
  const config = { rules, tokenKey: "token" };
  const gate = new AccessGate({ clock, control: sessions, rulesOf: () => config.rules, salt });
  const http = new HttpGate({ gate, tokenKey: () => config.tokenKey });
  const shared: HttpReply = {
    status: 200,
    headers: [["cache-control", "public, max-age=1"]],
    body: [new Uint8Array(100)],
  };
  const carried: string[] = [];
  const play = (request: HttpRequest, wanted = HLS, reply: HttpReply = shared) =>
    http.play(request, wanted, (query) => {
      carried.push(query);
      return reply;
    });
  return { clock, sessions, config, gate, http, shared, carried, play };
}

function code(expected: string): (caught: unknown) => boolean {
  return (caught) => (caught as { code?: string }).code === expected;
}

describe("a name without rules", () => {
  test("is served at once, with the same reply, and its session only told of", () => {
    const { play, shared, sessions, clock } = setUp();
    assert.equal(play(ask()), shared);
    assert.equal(play(ask()), shared);
    assert.deepEqual([sessions.claims.length, sessions.begunSessions.length], [0, 1]);
    const [begun] = sessions.begunSessions;
    assert.match(begun!.id, /^[0-9a-f]{32}$/);
    assert.deepEqual(begun!.claim, {
      ...{ kind: "play", name: "cam", proto: "hls", ip: "192.0.2.1", userAgent: "player" },
      ...{ extraKeys: "", isDvr: false, isTls: false },
    });
    assert.equal(sessions.reports.length, 0);
    clock.advance(1000);
    const told = { id: begun!.id, bytes: 200, hasNoMedia: true, seenUs: clock.wallUs() };
    assert.deepEqual(sessions.reports, [[told]]);
    clock.advance(30_000);
    assert.equal(sessions.reports.length, 1, "nothing new is nothing said");
  });

  test("viewers are told by address, user agent, protocol and token, on any connection and in any thread", () => {
    const { play, sessions } = setUp();
    const memory = { kept: null };
    const viewers: [Asked, Wanted][] = [
      [{}, HLS],
      [{ ip: "192.0.2.2" }, HLS],
      [{ agent: "another" }, HLS],
      [{}, DASH],
      [{ query: "token=a" }, HLS],
      [{ query: "token=b" }, HLS],
      [{}, { ...HLS, name: "other" }],
    ];
    for (const round of [1, 2]) {
      for (const [asked, wanted] of viewers) {
        void play(ask(asked), wanted);
        // As through a proxy, whose one connection has many viewers.
        void play(ask({ ...asked, memory }), wanted);
      }
      assert.equal(sessions.begunSessions.length, viewers.length, `round ${round}`);
    }
    const ids = sessions.begunSessions.map(({ id }) => id);
    assert.equal(new Set(ids).size, viewers.length);
    const sibling = setUp();
    for (const [asked, wanted] of viewers) void sibling.play(ask(asked), wanted);
    assert.deepEqual(
      sibling.sessions.begunSessions.map(({ id }) => id),
      ids,
      "threads agree",
    );
    const other = setUp(OPEN_RULES, "another process");
    void other.play(ask());
    assert.notEqual(other.sessions.begunSessions[0]!.id, ids[0]);
  });

  test("addresses carry on the token that was given, and no other", () => {
    const { play, carried, config, http } = setUp();
    void play(ask());
    void play(ask({ query: "token=a%2Fb" }));
    config.tokenKey = "key";
    http.configure();
    void play(ask({ query: "token=a&key=c" }));
    assert.deepEqual(carried, ["", "?token=a%2Fb", "?key=c"]);
  });

  test("segments that protocols share are of the protocol that plays", () => {
    const { play, sessions, clock } = setUp();
    void play(ask(), DASH);
    void play(ask(), SEGMENT);
    const memory = { kept: null };
    void play(ask({ memory }), DASH);
    void play(ask({ memory }), SEGMENT);
    clock.advance(1000);
    assert.deepEqual(Object.values(sessions.bytes()), [400]);
  });

  test("what fails, and what only tells of it, is no session", async () => {
    const { play, http, sessions } = setUp();
    void play(ask(), HLS, { status: 404, headers: [], body: [] });
    void play(ask(), TOLD);
    assert.throws(() => http.play(ask(), HLS, () => assert.fail("not there")), /not there/);
    await assert.rejects(
      async () => await http.play(ask(), HLS, () => Promise.reject(new Error("gone"))),
      /gone/,
    );
    assert.deepEqual([sessions.begunSessions, http.size], [[], 0]);
  });

  test("an ended session is refused as long as it is said, here and in a thread that has not seen it", () => {
    const [one, other] = [setUp(), setUp()];
    void one.play(ask());
    const end = [{ id: one.sessions.begunSessions[0]!.id, reason: "kicked", forMs: 5000 }];
    for (const { gate, play, clock, sessions } of [one, other]) {
      gate.end(end);
      assert.throws(() => play(ask()), code("ACCESS_DENIED"));
      assert.equal(play(ask({ ip: "192.0.2.9" })) instanceof Promise, false);
      gate.configure();
      clock.advance(4999);
      assert.throws(() => play(ask()), code("ACCESS_DENIED"), "a reload lifts no ban");
      clock.advance(2);
      void play(ask());
      assert.equal(sessions.begunSessions.at(-1)!.id, end[0]!.id);
    }
  });

  test("more viewers than fit: the oldest is forgotten, and begun anew", () => {
    const { play, http, sessions, gate } = setUp();
    for (let i = 0; i <= 50_000; i++) void play(ask({ agent: `viewer ${i}` }));
    assert.deepEqual([http.size, gate.served.size], [50_000, 50_000]);
    void play(ask({ agent: "viewer 50000" }));
    assert.equal(sessions.begunSessions.length, 50_001);
    void play(ask({ agent: "viewer 0" }));
    assert.equal(sessions.begunSessions.length, 50_002);
  });
});

describe("a name with rules", () => {
  test("is asked about once a viewer, whoever asks meanwhile and after, and the verdict counts for all", async () => {
    const { play, sessions, shared, clock } = setUp(GUARDED);
    const answer = Promise.withResolvers<Verdict>();
    sessions.verdict = () => answer.promise;
    const replies = [1, 2, 3].map(() => play(ask({ query: "token=t" })));
    assert.equal(sessions.claims.length, 1);
    assert.deepEqual([sessions.claims[0]!.token, sessions.claims[0]!.queryString], ["t", "token=t"]);
    answer.resolve({ kind: "allowed", id: "s1" });
    for (const reply of replies) assert.equal(await reply, shared);
    assert.equal(play(ask({ query: "token=t", agent: "told by the token" })), shared);
    assert.deepEqual([sessions.claims.length, sessions.begunSessions.length], [1, 0]);
    clock.advance(1000);
    assert.deepEqual(sessions.bytes(), { s1: 400 });
  });

  test("a viewer without a token is given one, and is known with it and without", async () => {
    const { play, sessions, carried } = setUp(GUARDED);
    const first = await play(ask());
    const { token } = sessions.claims[0]!;
    assert.match(token!, /^[0-9a-f]{32}$/);
    assert.deepEqual(first.headers, [["cache-control", "private, no-store"]], "a token for one");
    const memory = { kept: null };
    for (const query of [`token=${token}`, ""]) {
      void (await play(ask({ query })));
      void (await play(ask({ query, memory })));
      void (await play(ask({ query, memory }), SEGMENT));
    }
    assert.equal(sessions.claims.length, 1);
    assert.deepEqual(new Set(carried), new Set([`?token=${token}`]));
    void (await play(ask({ ip: "192.0.2.2" })));
    void (await play(ask({ agent: "another" })));
    void (await play(ask({ query: "token=other", memory })));
    void (await play(ask({ agent: "another", memory })));
    assert.equal(sessions.claims.length, 4, "a bare address that somebody shared is a claim of its own");
  });

  test("what tells of it is judged, by the session that plays where there is one", async () => {
    const { play, sessions } = setUp(GUARDED);
    void (await play(ask({ query: "token=t" }), TOLD));
    assert.equal(sessions.claims[0]!.proto, "api");
    void (await play(ask({ query: "token=u" }), HLS));
    void (await play(ask({ query: "token=u" }), TOLD));
    assert.equal(sessions.claims.length, 2);
  });

  test("refusals are told by status, kept as long as they say, and then asked about anew", async () => {
    const rows: [Verdict, string][] = [
      [{ kind: "denied", status: 403, reason: "no", forMs: 3000 }, "ACCESS_DENIED"],
      [{ kind: "denied", status: 401, reason: "no", forMs: 3000 }, "ACCESS_DENIED"],
      [{ kind: "denied", status: 503, reason: "down", forMs: 3000 }, "ACCESS_UNAVAILABLE"],
      [{ kind: "redirected", location: "/x\r\nset-cookie: a", forMs: 3000 }, "ACCESS_DENIED"],
    ];
    for (const [verdict, expected] of rows) {
      const { play, sessions, clock, carried } = setUp(GUARDED);
      sessions.verdict = () => verdict;
      await assert.rejects(async () => await play(ask()), code(expected));
      assert.throws(() => play(ask()), code(expected), "from memory, at once");
      clock.advance(3001);
      await assert.rejects(async () => await play(ask()), code(expected));
      assert.deepEqual([sessions.claims.length, carried], [2, []]);
    }
  });

  test("a viewer who is sent on gets the address as it is", async () => {
    const { play, sessions } = setUp(GUARDED);
    sessions.verdict = () => ({ kind: "redirected", location: "http://other/cam/index.m3u8", forMs: 1000 });
    const reply = await play(ask());
    assert.deepEqual([reply.status, reply.headers[0]], [302, ["location", "http://other/cam/index.m3u8"]]);
  });

  test("nobody answers, or the question fails: 503 after ten seconds at most, and asked anew a second later", async () => {
    const { play, sessions, clock } = setUp(GUARDED);
    sessions.verdict = () => new Promise(() => {});
    const reply = Promise.resolve(play(ask()));
    void reply.catch(() => {});
    await clock.advanceSettling(10_000, 1000);
    await assert.rejects(reply, code("ACCESS_UNAVAILABLE"));
    assert.throws(() => play(ask()), code("ACCESS_UNAVAILABLE"));
    clock.advance(1001);
    sessions.verdict = () => Promise.reject(new Error("gone"));
    await assert.rejects(async () => await play(ask()), code("ACCESS_UNAVAILABLE"));
    assert.equal(sessions.claims.length, 2);
  });

  test("an ended viewer is refused at once, and one that may come back is asked about", async () => {
    const { play, sessions, gate, http } = setUp(GUARDED);
    const memory = { kept: null };
    void (await play(ask({ memory })));
    gate.end([{ id: "asked-1", reason: "kicked", forMs: 5000 }]);
    assert.throws(() => play(ask({ memory })), code("ACCESS_DENIED"));
    assert.equal(http.size, 0);
    void (await play(ask({ query: "token=t", memory })));
    gate.end([
      { id: "asked-2", reason: "idle", forMs: 0 },
      { id: "never heard of", reason: "idle", forMs: 0 },
    ]);
    void (await play(ask({ query: "token=t", memory })));
    assert.equal(sessions.claims.length, 3);
  });

  test("verdicts that come in a heap are followed in turns, and one whose session was ended meanwhile is not", async () => {
    const { play, sessions, gate, carried } = setUp(GUARDED);
    const verdicts = Promise.withResolvers<null>();
    let ids = 0;
    sessions.verdict = () => {
      const id = `asked-${++ids}`;
      return verdicts.promise.then((): Verdict => ({ kind: "allowed", id }));
    };
    const viewers = Array.from({ length: 10 }, (_, i) =>
      Promise.resolve(play(ask({ query: `token=${i}` }))),
    );
    const outcomes = Promise.allSettled(viewers);
    verdicts.resolve(null);
    // Promises go on, and the event loop does not.
    for (let i = 0; i < 100; i++) await Promise.resolve();
    assert.equal(carried.length, 8);
    gate.end([
      { id: "asked-2", reason: "kicked", forMs: 0 },
      { id: "asked-9", reason: "kicked", forMs: 5000 },
    ]);
    const refused = (await outcomes).flatMap(({ status }, i) => (status === "rejected" ? [i + 1] : []));
    assert.deepEqual(refused, [9], "the second was served before");
    assert.equal(carried.length, 9);
    assert.throws(() => play(ask({ query: "token=8" })), code("ACCESS_DENIED"));
  });

  test("a reply that was long in coming is not sent when the session ended meanwhile", async () => {
    const { play, http, gate, shared } = setUp(GUARDED);
    void (await play(ask({ query: "token=t" })));
    const held = Promise.withResolvers<HttpReply>();
    let released = 0;
    const waiting = Promise.resolve(http.play(ask({ query: "token=t" }), HLS, () => held.promise));
    gate.end([{ id: "asked-1", reason: "kicked", forMs: 0 }]);
    held.resolve({ ...shared, release: () => void released++ });
    await assert.rejects(waiting, code("ACCESS_DENIED"));
    assert.equal(released, 1);
  });

  test("other rules: viewers are asked about anew; the same rules in another configuration: not", async () => {
    const { play, sessions, gate, http, config } = setUp(GUARDED);
    const memory = { kept: null };
    void (await play(ask({ query: "token=t", memory })));
    config.rules = structuredClone(GUARDED);
    gate.configure();
    http.configure();
    void (await play(ask({ query: "token=t", memory })));
    assert.equal(sessions.claims.length, 1);
    config.rules = { ...GUARDED, maxSessions: 1 };
    gate.configure();
    http.configure();
    void (await play(ask({ query: "token=t", memory })));
    assert.equal(sessions.claims.length, 2);
  });

  test("rules that come while a viewer is asked about, or served: its next request is asked about", async () => {
    for (const before of [GUARDED, OPEN_RULES]) {
      const { play, sessions, gate, http, config, shared } = setUp(before);
      const held = Promise.withResolvers<HttpReply>();
      sessions.verdict = async () => await held.promise.then(() => ({ kind: "allowed", id: "s" }));
      const memory = { kept: null };
      const waiting = http.play(ask({ query: "token=t", memory }), HLS, () => held.promise);
      config.rules = { ...GUARDED, maxSessions: 1 };
      gate.configure();
      http.configure();
      held.resolve(shared);
      assert.equal(await waiting, shared);
      const asked = sessions.claims.length;
      void (await play(ask({ query: "token=t", memory })));
      assert.equal(sessions.claims.length, asked + 1);
    }
  });

  test("headers and parts of the query that are session keys tell viewers", async () => {
    const sessionKeys = [
      { kind: "header", name: "X-Playback-Session-Id" },
      { kind: "query", name: "box" },
    ] as const;
    const { play, sessions } = setUp({ ...GUARDED, sessionKeys });
    const memory = { kept: null };
    for (const id of ["a", "b", "a"])
      void (await play(ask({ query: "token=t", memory, headers: { "x-playback-session-id": id } })));
    void (await play(ask({ query: "token=t&box=1" })));
    void (await play(ask({ query: "token=t" })));
    assert.deepEqual(
      sessions.claims.map(({ extraKeys }) => extraKeys),
      ["a\n", "b\n", "\n1", ""],
    );
  });

  test("a token that is too long is refused before anybody is asked", () => {
    const { play, http, sessions } = setUp(GUARDED);
    const long = (length: number): HttpRequest => ask({ query: `token=${"x".repeat(length)}` });
    const replies = [play(long(2049)), http.connect(long(8193), FLV, () => assert.fail("served"))];
    assert.deepEqual(
      replies.map((reply) => (reply instanceof Promise ? 0 : reply.status)),
      [400, 400],
    );
    assert.equal(sessions.claims.length, 0);
  });
});

/** A body that is open: what its sink was told. */
function openBody() {
  const log: string[] = [];
  const sink: HttpBodySink = {
    write: (bytes) => void log.push(`write ${bytes.byteLength}`),
    queuedBytes: () => 0,
    end: () => void log.push("end"),
    abort: () => void log.push("abort"),
  };
  return { log, sink };
}

describe("a connection", () => {
  function endless(log: string[]): { reply: HttpReply; sinks: HttpBodySink[] } {
    const sinks: HttpBodySink[] = [];
    const stream = (sink: HttpBodySink) => {
      sinks.push(sink);
      return { close: () => void log.push("source closed") };
    };
    return { reply: { status: 200, headers: [], body: [], stream }, sinks };
  }

  test("is a session of its own, from its first moment to its last", () => {
    const { http, sessions, clock, gate } = setUp();
    for (const count of [1, 2]) {
      const { log, sink } = openBody();
      const { reply, sinks } = endless(log);
      const got = http.connect(ask(), FLV, () => reply) as HttpReply;
      assert.equal(sessions.begunSessions.length, count - 1, "not before it flows");
      const source = got.stream!(sink);
      assert.equal(sessions.begunSessions.length, count);
      sinks[0]!.write(new Uint8Array(10));
      source.close();
      assert.deepEqual(log, ["write 10", "source closed"]);
    }
    const ids = sessions.begunSessions.map(({ id }) => id);
    assert.notEqual(ids[0], ids[1]);
    assert.deepEqual(
      sessions.closings.map(({ id }) => id),
      ids,
    );
    assert.deepEqual(Object.values(sessions.bytes()), [10, 10]);
    assert.deepEqual([gate.served.size, clock.pendingTimers], [0, 0]);
  });

  test("is asked about, and closed when its session ends", async () => {
    const { http, sessions, gate, clock } = setUp(GUARDED);
    const { log, sink } = openBody();
    const { reply } = endless(log);
    const got = await http.connect(ask(), FLV, () => reply);
    const source = got.stream!(sink);
    clock.advance(60_000);
    assert.equal(sessions.reports.length, 6, "it is told of now and then, though nothing moves");
    gate.end([{ id: "asked-1", reason: "kicked", forMs: 0 }]);
    assert.deepEqual(log, ["source closed", "end"]);
    source.close();
    assert.deepEqual([sessions.closings, clock.pendingTimers], [[], 0]);
  });

  test("what nobody takes up, cannot be served or comes too late is given back", async () => {
    const { http, sessions, clock } = setUp(GUARDED);
    void (await http.connect(ask(), FLV, () => endless([]).reply));
    clock.advance(10_001);
    await assert.rejects(async () => await http.connect(ask(), FLV, () => assert.fail("not on air")));
    void (await http.connect(ask(), FLV, () => ({ status: 404, headers: [], body: [] })));
    const late = Promise.withResolvers<Verdict>();
    sessions.verdict = () => late.promise;
    const waiting = Promise.resolve(http.connect(ask(), FLV, () => assert.fail("too late")));
    void waiting.catch(() => {});
    await clock.advanceSettling(10_000, 1000);
    await assert.rejects(waiting, code("ACCESS_UNAVAILABLE"));
    late.resolve({ kind: "allowed", id: "late" });
    await clock.advanceSettling(1);
    assert.deepEqual(
      sessions.closings.map(({ id }) => id),
      ["asked-1", "asked-2", "asked-3", "late"],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test("a WebSocket is told why, with the code for it", async () => {
    const { http, gate } = setUp(GUARDED);
    const log: string[] = [];
    const webSocket = () => ({ close: () => void log.push("peer closed") });
    const got = await http.connect(ask(), FLV, () => ({ status: 101, headers: [], body: [], webSocket }));
    got.webSocket!({
      ...{ accept: () => {}, write: () => {}, sendText: () => {}, queuedBytes: () => 0 },
      close: (number, reason) => void log.push(`${number} ${reason}`),
    });
    gate.end([{ id: "asked-1", reason: "kicked", forMs: 0 }]);
    assert.deepEqual(log, ["peer closed", "1008 kicked"]);
  });
});

describe("long replies in the name of a viewer", () => {
  test("a file is counted as it is read, and ends with the session", async () => {
    const { play, sessions, gate, clock } = setUp(GUARDED);
    const file = { sizeBytes: 1000, read: async () => new Uint8Array(100) };
    const reply = await play(ask({ query: "token=t" }), HLS, { status: 200, headers: [], body: [], file });
    assert.equal((await reply.file!.read(0, 100)).byteLength, 100);
    clock.advance(1000);
    assert.deepEqual(sessions.bytes(), { "asked-1": 100 });
    const revoked: string[] = [];
    reply.file!.onRevoked!(() => revoked.push("the one on its way"));
    reply.file!.onRevoked!(() => revoked.push("one that is sent"))();
    gate.end([{ id: "asked-1", reason: "kicked", forMs: 0 }]);
    await assert.rejects(reply.file!.read(100, 100), code("ACCESS_DENIED"));
    assert.deepEqual(revoked, ["the one on its way"]);
  });

  test("a body in chunks is counted as it goes, and cut off with the session", async () => {
    const { play, sessions, gate, clock } = setUp(GUARDED);
    const { log, sink } = openBody();
    let inner: HttpBodySink | null = null;
    const stream = (given: HttpBodySink) => {
      inner = given;
      return { close: () => void log.push("source closed") };
    };
    const reply = await play(ask({ query: "token=t" }), HLS, {
      status: 200,
      headers: [],
      body: [],
      stream,
    });
    void reply.stream!(sink);
    inner!.write(new Uint8Array(7));
    clock.advance(1000);
    assert.deepEqual(sessions.bytes(), { "asked-1": 7 });
    gate.end([{ id: "asked-1", reason: "kicked", forMs: 0 }]);
    assert.deepEqual(
      log,
      ["write 7", "source closed", "abort"],
      "at once, whether its client takes more or not",
    );
    inner!.write(new Uint8Array(7));
    inner!.end();
    assert.equal(log.length, 3);
  });

  test("HEAD sends nothing and counts nothing, but is seen", () => {
    const { play, sessions, clock } = setUp();
    void play(ask({ method: "HEAD" }));
    clock.advance(1000);
    assert.deepEqual(Object.values(sessions.bytes()), [0]);
  });
});

describe("who publishes over HTTP", () => {
  const RULES: AccessRules = { ...OPEN_RULES, password: "secret" };

  test("says its password in the query or as HTTP has it", async () => {
    const basic = `Basic ${Buffer.from("user:a:b").toString("base64")}`;
    const rows: [Asked, string | undefined, string | undefined][] = [
      [{}, undefined, undefined],
      [{ query: "password=p" }, "p", undefined],
      [{ query: "pass=p&token=t" }, "p", "t"],
      [{ headers: { authorization: basic } }, "a:b", undefined],
      [{ headers: { authorization: "Basic !" } }, undefined, undefined],
      [{ headers: { authorization: `Bearer ${"x".repeat(9)}` } }, undefined, undefined],
    ];
    for (const [asked, password, token] of rows) {
      const { http, sessions } = setUp(RULES);
      (await http.publish(ask(asked), "cam", "tshttp")).begun();
      const [claim] = sessions.claims;
      assert.deepEqual([claim!.kind, claim!.password, claim!.token], ["publish", password, token]);
    }
  });

  test("is told 401 for a password, and 403 where it would be sent on", async () => {
    const { http, sessions, clock } = setUp(RULES);
    sessions.verdict = () => ({ kind: "denied", status: 401, reason: "none was given", forMs: 1000 });
    await assert.rejects(async () => await http.publish(ask(), "cam", "tshttp"), code("ACCESS_PASSWORD"));
    assert.throws(() => http.publish(ask(), "cam", "tshttp"), code("ACCESS_PASSWORD"));
    clock.advance(1001);
    sessions.verdict = () => ({ kind: "redirected", location: "/other", forMs: 0 });
    await assert.rejects(async () => await http.publish(ask(), "cam", "tshttp"), code("ACCESS_DENIED"));
  });
});
