import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import {
  makeJwt,
  OPENSSL_EDDSA,
  OPENSSL_RS256,
  OPENSSL_SIGNED,
  TOKEN_END_S,
} from "../../../test/support/tokens.ts";
import type { SessionClaim } from "../claim.ts";
import { JWT_ALGORITHMS } from "../rules.ts";
import type { JwtRules } from "../rules.ts";
import { createTokenCheck, MAX_KEY_SOURCES } from "./check-token.ts";
import { JWKS_RETRY_MS, JWKS_TTL_MS, MAX_JWKS_LENGTH, parseJwks } from "./jwks.ts";
import { KEY_LOAD_LIMIT_MS, KEYS_STALE_MS } from "./key-source.ts";
import type { TokenAuthorizer, TokenCheck, TokenResult } from "./token-result.ts";

const nowMs = (TOKEN_END_S - 60) * 1000;
const base: SessionClaim = {
  kind: "play",
  name: "live/news",
  proto: "hls",
  ip: "192.0.2.10",
  extraKeys: "",
  isTls: false,
  isDvr: false,
};
const edJwks = (kid: string): string => JSON.stringify({ keys: [{ ...OPENSSL_EDDSA.jwk, kid }] });
const good = { allowed: true, userId: "alice", expiresMs: TOKEN_END_S * 1000 };
const unavailable = { allowed: false, reason: "the keys of tokens cannot be had", isUnavailable: true };
const otherKey = { allowed: false, reason: "the token is signed with another key", isForged: true };

describe("the check of tokens", () => {
  let clock: FakeClock;
  let check: TokenCheck;
  let fetched: string[];
  let reply: () => Promise<string>;

  beforeEach(() => {
    clock = new FakeClock();
    fetched = [];
    reply = () => Promise.resolve(edJwks("k1"));
    const load = (where: string): Promise<string> => {
      fetched.push(where);
      return reply();
    };
    check = createTokenCheck({ clock, fetchText: load, readText: load });
  });

  const ask = (authorizer: TokenAuthorizer, token?: string): Promise<TokenResult> =>
    check(authorizer, token === undefined ? base : { ...base, token }, nowMs);
  const jwt = (rules: Partial<JwtRules>): TokenAuthorizer => ({
    kind: "jwt",
    rules: { name: "portal", algorithms: JWT_ALGORITHMS, ...rules },
  });
  const askUrl = (token = OPENSSL_EDDSA.token, jwksUrl = "https://portal/jwks"): Promise<TokenResult> =>
    ask(jwt({ jwksUrl }), token);
  const tokenOfKid = (kid: string): string => makeJwt("x", {}, { alg: "EdDSA", kid });

  test("asks each kind of authorizer", async () => {
    assert.equal((await ask({ kind: "signed", key: "s3cret" }, OPENSSL_SIGNED)).allowed, true);
    assert.equal((await ask({ kind: "signed", key: "other" }, OPENSSL_SIGNED)).allowed, false);
    const securetoken = { kind: "securetoken", key: "s3cret", checksAddress: true } as const;
    const token = "c490a138c331258f6f7d847d7441886a73264fed-pepper-1795366400-1795359200";
    assert.equal((await ask(securetoken, token)).allowed, true);
    const secret = jwt({ secret: "s3cret" });
    assert.deepEqual(await ask(secret, makeJwt("s3cret", { sub: "bob" })), {
      allowed: true,
      userId: "bob",
    });
    assert.deepEqual(await ask(secret, makeJwt("other", {})), otherKey);
    assert.deepEqual(await ask(secret, "x"), { allowed: false, reason: "the token is no JWT" });
    for (const authorizer of [secret, securetoken, { kind: "signed", key: "s3cret" } as const])
      assert.deepEqual(await ask(authorizer), { allowed: false, reason: "there is no token" });
  });

  test("tries all keys of the rules: the secret, the file, the URL", async () => {
    reply = () => Promise.resolve(fetched.at(-1) === "/keys.pem" ? OPENSSL_RS256.pem : edJwks("k1"));
    const rules = jwt({ secret: "s3cret", keyFile: "/keys.pem", jwksUrl: "https://portal/jwks" });
    assert.deepEqual(await ask(rules, OPENSSL_RS256.token), good);
    assert.deepEqual(fetched, ["/keys.pem"]);
    assert.deepEqual(await ask(rules, OPENSSL_EDDSA.token), good);
    assert.deepEqual(fetched, ["/keys.pem", "https://portal/jwks"]);
  });

  test("looks at a file of keys again after a while", async () => {
    reply = () => Promise.resolve(OPENSSL_RS256.pem);
    const rules = jwt({ keyFile: "/keys.pem" });
    assert.deepEqual(await ask(rules, OPENSSL_EDDSA.token), otherKey);
    reply = () => Promise.resolve(OPENSSL_EDDSA.pem);
    assert.deepEqual(await ask(rules, OPENSSL_EDDSA.token), otherKey);
    clock.advance(10_000);
    assert.deepEqual(await ask(rules, OPENSSL_EDDSA.token), good);
    assert.equal(fetched.length, 2);
  });

  test("fetches keys once for all who ask, and keeps them", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => askUrl()));
    assert.deepEqual(new Set(all.map((result) => result.allowed)), new Set([true]));
    clock.advance(JWKS_TTL_MS - 1);
    assert.deepEqual(await askUrl(), good);
    assert.equal(fetched.length, 1);
    clock.advance(1);
    assert.deepEqual(await askUrl(), good);
    assert.equal(fetched.length, 2);
  });

  test("fetches for a key that it does not know, but not for each of many", async () => {
    await askUrl();
    for (let i = 0; i < 50; i++) assert.deepEqual(await askUrl(tokenOfKid(`made-up-${i}`)), otherKey);
    assert.equal(fetched.length, 1);
    clock.advance(JWKS_RETRY_MS);
    for (let i = 0; i < 50; i++) await askUrl(tokenOfKid(`made-up-${i}`));
    assert.equal(fetched.length, 2);
  });

  test("goes on with the keys before for a day when they cannot be had", async () => {
    await askUrl();
    reply = () => Promise.reject(new Error("down"));
    clock.advance(KEYS_STALE_MS - 1);
    assert.deepEqual(await askUrl(), good);
    clock.advance(JWKS_RETRY_MS);
    assert.deepEqual(await askUrl(), unavailable);
    assert.equal(fetched.length, 3);
  });

  test("makes nobody wait for a server of keys that is known to be away", async () => {
    await askUrl();
    clock.advance(2 * JWKS_TTL_MS);
    reply = () => Promise.reject(new Error("down"));
    assert.deepEqual(await askUrl(), good);
    reply = () => new Promise<string>(() => {});
    clock.advance(JWKS_RETRY_MS);
    assert.deepEqual(await askUrl(), good, "at once: no clock has moved");
    assert.equal(fetched.length, 3);
  });

  test("says when it has never had the keys, and asks again after a pause", async () => {
    for (const bad of ["", "[]", "{}", '{"keys":1}', "<html>", "x".repeat(MAX_JWKS_LENGTH + 1)]) {
      reply = () => Promise.resolve(bad);
      assert.deepEqual(await askUrl(), unavailable);
      clock.advance(JWKS_RETRY_MS);
    }
    assert.equal(fetched.length, 6);
    reply = () => Promise.resolve(edJwks("k1"));
    assert.deepEqual(await askUrl(), good);
  });

  test("waits for keys that never come no longer than its limit", async () => {
    reply = () => new Promise<string>(() => {});
    const asked = Promise.all([askUrl(), askUrl()]);
    await clock.advanceSettling(KEY_LOAD_LIMIT_MS, 1000);
    assert.deepEqual(await asked, [unavailable, unavailable]);
    assert.equal(fetched.length, 1);
    assert.equal(clock.pendingTimers, 0);
  });

  test("keeps the keys of so many places and no more", async () => {
    for (let i = 0; i <= MAX_KEY_SOURCES; i++) await askUrl(OPENSSL_EDDSA.token, `https://portal/${i}`);
    await askUrl(OPENSSL_EDDSA.token, `https://portal/${MAX_KEY_SOURCES}`);
    assert.equal(fetched.length, MAX_KEY_SOURCES + 1);
    await askUrl(OPENSSL_EDDSA.token, "https://portal/0");
    assert.equal(fetched.length, MAX_KEY_SOURCES + 2);
  });
});

test("a JWK Set has a hundred keys at most, and those it does not know are passed over", () => {
  const many = { keys: Array.from({ length: 150 }, (_, i) => ({ ...OPENSSL_EDDSA.jwk, kid: `k${i}` })) };
  assert.equal(parseJwks(JSON.stringify(many))?.length, 100);
  const mixed = { keys: [null, { kty: "oct", k: "AA" }, { kty: "PQ" }, OPENSSL_EDDSA.jwk], more: 1 };
  assert.equal(parseJwks(JSON.stringify(mixed))?.length, 1);
  assert.deepEqual(parseJwks('{"keys":[]}'), []);
});
