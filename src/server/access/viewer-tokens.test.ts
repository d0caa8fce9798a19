/** Tokens of viewers, given and made, and what outlives a change of the rules or a crowd of strangers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeSessions } from "../../../test/support/fake-sessions.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { AccessRules } from "../../auth/rules.ts";
import type { HttpReply, HttpRequest, RequestMemory } from "../../base/http-message.ts";
import type { StreamName } from "../../media/ids.ts";
import { AccessGate, claimKey } from "./gate.ts";
import { HttpGate } from "./http-gate.ts";
import { rtmpClaim } from "./rtmp-claim.ts";
import type { Wanted } from "./viewer.ts";

const GUARDED: AccessRules = { ...OPEN_RULES, authorizer: { kind: "nobody" } };
const HLS: Wanted = { name: "cam", proto: "hls", also: [], isTold: false, isDvr: false };
const REPLY: HttpReply = { status: 200, headers: [], body: [] };

function ask(query = "", agent = "player", remoteAddress = "192.0.2.1"): HttpRequest {
  return {
    ...{ method: "GET", path: "/cam/index.m3u8", query: new URLSearchParams(query), remoteAddress },
    header: (name) => (name === "user-agent" ? agent : undefined),
  };
}

function setUp(salt = "salt") {
  const clock = new FakeClock();
  const sessions = new FakeSessions();
  const rules = new Map<string, AccessRules>();
  const rulesOf = (_: unknown, name: string): AccessRules => rules.get(name) ?? GUARDED;
  const gate = new AccessGate({ clock, control: sessions, rulesOf, salt });
  const http = new HttpGate({ gate, tokenKey: () => "token" });
  const play = (request: HttpRequest, wanted = HLS) => http.play(request, wanted, () => REPLY);
  return { clock, sessions, rules, gate, http, play };
}

describe("a token that is made for a viewer without one", () => {
  test("is the same in all threads, and another for others and in another process", async () => {
    const tokens: (string | undefined)[] = [];
    const viewers: [salt: string, request: HttpRequest, wanted?: Wanted][] = [
      ["salt", ask()],
      ["salt", ask()],
      ["pepper", ask()],
      ["salt", ask("", "another")],
      ["salt", ask("", "player", "192.0.2.2")],
      ["salt", ask(), { ...HLS, name: "other" }],
    ];
    for (const [salt, request, wanted] of viewers) {
      const { play, sessions } = setUp(salt);
      void (await play(request, wanted));
      tokens.push(sessions.claims[0]!.token);
    }
    assert.equal(tokens[0], tokens[1]);
    assert.equal(new Set(tokens).size, viewers.length - 1);
  });
});

describe("a token that a viewer brings", () => {
  // As of an identity provider, signed with RSA.
  const token = `${"h".repeat(100)}.${"c".repeat(900)}.${"s".repeat(342)}`;

  test("may be a JWT signed with RSA, over HTTP and RTMP", async () => {
    const { play, sessions, http } = setUp();
    void (await play(ask(`token=${token}`)));
    const stream = (): { close(): void } => ({ close: () => {} });
    const flv = { ...HLS, proto: "flv" };
    void (await http.connect(ask(`token=${token}`), flv, () => ({ ...REPLY, stream })));
    void (await http.publish(ask(`token=${token}`), "cam", "tshttp"));
    assert.deepEqual(
      sessions.claims.map((claim) => claim.token),
      [token, token, token],
    );
    const caller = { flashVersion: null, pageUrl: null, password: null, remoteAddress: "192.0.2.1" };
    const target = {
      name: "cam" as StreamName,
      query: `${"x".repeat(4096)}&token=${token}`,
      container: null,
    };
    const facts = { name: "cam", isDvr: false, isTls: false, tokenKey: "token", extraKeys: [] };
    assert.equal(rtmpClaim({ ...caller, kind: "play", target }, facts).token, token);
  });

  test("takes little memory however long clients make what tells them", async () => {
    const { play, sessions, rules } = setUp();
    rules.set("cam", OPEN_RULES);
    const long = "a".repeat(15_000);
    void play(ask(`a=${long}`, long));
    void play(ask(`a=${long}`, long));
    assert.equal(sessions.begunSessions.length, 1);
    assert.equal(sessions.begunSessions[0]!.claim.userAgent!.length, 256);
    assert.equal(sessions.begunSessions[0]!.claim.queryString!.length, 256);
    const claim = { ...sessions.begunSessions[0]!.claim, kind: "play" as const };
    assert.equal(claimKey(claim).length, 43);
    assert.notEqual(
      claimKey({ ...claim, token: "a", password: "b" }),
      claimKey({ ...claim, token: "a\nb", password: "" }),
    );
  });
});

describe("what strangers may choose is kept short", () => {
  test("a token where nobody is asked is cut, said to be, and carried on whole", async () => {
    const { http, sessions, rules } = setUp();
    rules.set("cam", OPEN_RULES);
    const [one, other] = [`${"t".repeat(700)}1`, `${"t".repeat(700)}2`];
    const memory: RequestMemory = { kept: undefined };
    const carried: string[] = [];
    for (const token of [one, one, other, one]) {
      await http.play({ ...ask(`token=${token}`), memory }, HLS, (query) => {
        carried.push(query);
        return REPLY;
      });
    }
    assert.deepEqual(
      carried,
      [one, one, other, one].map((token) => `?token=${token}`),
    );
    assert.deepEqual(
      sessions.begunSessions.map(({ claim }) => [claim.token?.length, claim.isTokenCut]),
      [
        [256, true],
        [256, true],
      ],
    );
  });

  test("rules of names that are longer than a stream's are kept for few", () => {
    const asked: string[] = [];
    const rulesOf = (_: unknown, name: string): AccessRules => {
      asked.push(name);
      return GUARDED;
    };
    const gate = new AccessGate({ clock: new FakeClock(), control: new FakeSessions(), rulesOf, salt: "" });
    const long = (index: number): string => `films/${"n".repeat(1900)}${index}.mp4`;
    gate.rules("play", "cam");
    const first = gate.rules("play", long(0));
    assert.equal(gate.rules("play", long(0)), first);
    for (let index = 1; index <= 1000; index++) gate.rules("play", long(index));
    gate.rules("play", "cam");
    assert.notEqual(gate.rules("play", long(0)), first);
    assert.deepEqual([asked.filter((name) => name === "cam").length, asked.length], [1, 1003]);
  });

  test("a refusal of such a name is kept without it, and forgotten by any change", async () => {
    const { play, sessions, gate, http } = setUp();
    const wanted = { ...HLS, name: `films/${"n".repeat(1900)}.mp4` };
    sessions.verdict = () => ({ kind: "denied", status: 403, reason: "no", forMs: 60_000 });
    for (let round = 0; round < 2; round++)
      await assert.rejects(async () => await play(ask(), wanted), { code: "ACCESS_DENIED" });
    assert.equal(sessions.claims.length, 1);
    gate.configure();
    http.configure();
    await assert.rejects(async () => await play(ask(), wanted), { code: "ACCESS_DENIED" });
    assert.equal(sessions.claims.length, 2);
  });

  test("what an RTMP client calls itself, and its page, are cut", () => {
    const target = { name: "cam" as StreamName, container: null, query: "" };
    const texts = { flashVersion: "f".repeat(100_000), pageUrl: `http://${"p".repeat(100_000)}` };
    const asked = { kind: "play", target, remoteAddress: "192.0.2.1", password: null, ...texts } as const;
    const facts = { name: "cam", isDvr: false, isTls: false, tokenKey: "token", extraKeys: [] };
    const claim = rtmpClaim(asked, facts);
    assert.deepEqual([claim.userAgent?.length, claim.referer?.length], [1024, 1024]);
  });
});

describe("a refusal in a media thread", () => {
  const NO = { kind: "denied", status: 403, reason: "no", forMs: 60_000 } as const;
  const denied = { code: "ACCESS_DENIED" };

  test("outlives a configuration that changes other names only", async () => {
    const { play, sessions, rules, gate, http } = setUp();
    sessions.verdict = () => NO;
    const other = { ...HLS, name: "other" };
    for (const wanted of [HLS, other]) await assert.rejects(async () => await play(ask(), wanted), denied);
    rules.set("cam", structuredClone(GUARDED));
    rules.set("other", { ...GUARDED, maxSessions: 2 });
    gate.configure();
    http.configure();
    sessions.verdict = () => ({ kind: "allowed", id: "s" });
    assert.throws(() => play(ask()), denied);
    void (await play(ask(), other));
    assert.equal(sessions.claims.length, 3);
  });

  test("by rules that became others meanwhile is not kept", async () => {
    const { play, sessions, rules, gate } = setUp();
    const answer = Promise.withResolvers<typeof NO>();
    sessions.verdict = () => answer.promise;
    const waiting = Promise.resolve(play(ask()));
    rules.set("cam", { ...GUARDED, maxSessions: 2 });
    gate.configure();
    answer.resolve(NO);
    await assert.rejects(waiting, denied);
    sessions.verdict = () => ({ kind: "allowed", id: "s" });
    void (await play(ask()));
    assert.equal(sessions.claims.length, 2);
  });

  test("of a session that was ended is not driven out by strangers", async () => {
    const { play, sessions, rules, gate } = setUp();
    rules.set("cam", OPEN_RULES);
    void play(ask());
    const { id } = sessions.begunSessions[0]!;
    gate.end([{ id, reason: "kicked", forMs: 60_000 }]);
    const of = { kind: "play", name: "paid", rules: gate.rules("play", "paid") } as const;
    for (let i = 0; i <= AccessGate.MAX_KEPT; i++) gate.refuse(`stranger ${i}`, NO, of);
    assert.throws(() => play(ask()), denied);
  });
});

test("a permit that nobody took up in time is over for who comes later", async () => {
  const { gate, sessions, clock } = setUp();
  const permit = gate.allowedPermit("s1");
  clock.advance(10_000);
  assert.equal(sessions.closings.length, 1);
  permit.begun();
  const reasons: string[] = [];
  permit.onEnd((reason) => void reasons.push(reason));
  assert.deepEqual(reasons, ["it was not taken up in time"]);
  const waiting = gate.allowedPermit("s2");
  waiting.onEnd((reason) => void reasons.push(reason));
  clock.advance(10_000);
  assert.equal(reasons.length, 2, "also who came and has not begun");
  waiting.close("again");
  assert.equal(sessions.closings.length, 2);
});
