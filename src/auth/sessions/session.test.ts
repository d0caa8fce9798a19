import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { askedRules, playClaim } from "../../../test/support/sessions.ts";
import type { SessionClaim } from "../claim.ts";
import { OPEN_RULES } from "../rules.ts";
import type { SessionKey } from "../rules.ts";
import { sessionIdentity } from "./session-key.ts";
import { Session, isLegalMove, maskQuery, maskToken, sessionFields } from "./session.ts";
import type { SessionState } from "./session.ts";

const makeSession = (claim: SessionClaim): Session =>
  new Session({
    id: "s1",
    identity: "i1",
    claim,
    rules: askedRules({ softLimitationMs: 30_000, maxSessions: 3 }),
    allowance: { userId: "u" },
    country: "DE",
    namedBy: "config",
    requests: 1,
    wallMs: 1000,
    nowMs: 0,
  });

describe("a session", () => {
  const STATES: readonly SessionState[] = ["establishing", "running", "stalling", "finished"];
  const LEGAL = new Set([
    "establishing running",
    "establishing finished",
    "running stalling",
    "running finished",
    "stalling running",
    "stalling finished",
  ]);

  test("goes only where it may", () => {
    for (const from of STATES)
      for (const to of STATES)
        assert.equal(isLegalMove(from, to), LEGAL.has(`${from} ${to}`), `${from} ${to}`);
    const session = makeSession(playClaim());
    assert.throws(() => session.moveTo("stalling"));
    session.moveTo("finished");
    assert.throws(() => session.moveTo("finished"));
  });

  test("shows its fields, and tokens to nobody who may only look", () => {
    const claim = playClaim({
      token: "0123456789abcdef",
      queryString: "a=1&token=0123456789abcdef&copy=0123456789abcdef&wmsAuth=x&password=hunter2",
      referer: "https://example.com/page?token=0123456789abcdef",
      userAgent: "VLC",
    });
    const session = makeSession(claim);
    const shown = sessionFields(session, { showsTokens: false, tokenKey: "wmsAuth" });
    assert.deepEqual(shown, {
      id: "s1",
      type: "play",
      name: "news",
      proto: "hls",
      ip: "192.0.2.1",
      country: "DE",
      token: "0123***",
      userId: "u",
      maxSessions: 3,
      softLimitationMs: 30_000,
      userAgent: "VLC",
      referer: "https://example.com/page",
      queryString: "a=1&token=0123***&copy=0123***&wmsAuth=***&password=***",
      bytes: 0,
      openedAtMs: 1000,
      updatedAtMs: 1000,
      isTls: false,
      isDvr: false,
      namedBy: "config",
      requestNumber: 1,
      state: "establishing",
    });
    const full = sessionFields(session, { showsTokens: true, tokenKey: "token" });
    assert.deepEqual(
      [full.token, full.queryString, full.referer],
      [claim.token, claim.queryString, claim.referer],
    );
  });

  test("masks tokens however they are written", () => {
    assert.equal(maskToken("short"), "***");
    assert.equal(maskQuery("t=a%2Bb&x=1&%zz=%zz&flag", "token", "a+b"), "t=***&x=1&%zz=%zz&flag");
    assert.equal(maskQuery("abc", "token", "abc"), "***");
    assert.equal(maskQuery("TOKEN=abc&Key=1", "auth", undefined), "TOKEN=***&Key=***");
    assert.equal(maskQuery("", "token", undefined), "");
  });
});

describe("two claims", () => {
  const base = playClaim();
  const same = (
    other: Partial<SessionClaim>,
    keys: readonly SessionKey[] = OPEN_RULES.sessionKeys,
  ): boolean => sessionIdentity(base, keys) === sessionIdentity({ ...base, ...other }, keys);

  test("are one session where their keys are the same, and only there", () => {
    assert.ok(same({ userAgent: "x", queryString: "y", referer: "z", extraKeys: "k", password: "p" }));
    for (const other of [
      { name: "n" },
      { ip: "i" },
      { proto: "p" },
      { token: "t" },
      { kind: "publish" },
    ] as const)
      assert.ok(!same(other), JSON.stringify(other));
    const keys: readonly SessionKey[] = [
      { kind: "name" },
      { kind: "header", name: "x-playback-session-id" },
    ];
    assert.ok(same({ ip: "other", token: "other" }, keys));
    assert.ok(!same({ extraKeys: "other" }, keys));
  });

  test("of publishers are not one session with another password", () => {
    const keys = OPEN_RULES.sessionKeys;
    const publisher = playClaim({ kind: "publish", password: "right" });
    assert.notEqual(
      sessionIdentity(publisher, keys),
      sessionIdentity({ ...publisher, password: "wrong" }, keys),
    );
  });

  test("are not one session because a text of one runs into the next", () => {
    const keys = OPEN_RULES.sessionKeys;
    const one = sessionIdentity(playClaim({ name: "a,ip,b", ip: "c" }), keys);
    assert.notEqual(one, sessionIdentity(playClaim({ name: "a", ip: "b,ip,c" }), keys));
  });
});
