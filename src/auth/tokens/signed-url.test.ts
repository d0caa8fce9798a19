import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { OPENSSL_SIGNED, TOKEN_END_S } from "../../../test/support/tokens.ts";
import { checkSigned, MAX_SIGNED_LENGTH, signToken } from "./signed-url.ts";
import type { TokenResult } from "./token-result.ts";

const subject = { kind: "play", name: "live/news", proto: "hls", ip: "192.0.2.10" } as const;
const nowMs = (TOKEN_END_S - 60) * 1000;
const expiresMs = TOKEN_END_S * 1000;
const check = (token: string | undefined, change = {}): TokenResult =>
  checkSigned("s3cret", token, { ...subject, ...change }, nowMs);

/** A token with a good signature, whatever is in it. */
function tokenOf(fields: string): string {
  const signed = `v1.${Buffer.from(fields).toString("base64url")}`;
  return `${signed}.${createHmac("sha256", "s3cret").update(signed).digest("base64url")}`;
}

describe("a signed token", () => {
  test("made with openssl lets its user in, and is what we would make", () => {
    assert.deepEqual(check(OPENSSL_SIGNED), { allowed: true, expiresMs, userId: "alice", maxSessions: 2 });
    const fields = {
      expiresS: TOKEN_END_S,
      name: "live/*",
      ip: "192.0.2.0/24",
      userId: "alice",
      maxSessions: 2,
    };
    assert.deepEqual(check(signToken("s3cret", fields)), check(OPENSSL_SIGNED));
    const publish = signToken("s3cret", { expiresS: TOKEN_END_S, kind: "publish" });
    assert.deepEqual(check(publish, { kind: "publish" }), { allowed: true, expiresMs });
    assert.deepEqual(check(tokenOf(`expires=${TOKEN_END_S}\n`)), { allowed: true, expiresMs });
  });

  const end = `expires=${TOKEN_END_S}`;
  const table: readonly [what: string, result: TokenResult, reason: string][] = [
    ["for another name", check(OPENSSL_SIGNED, { name: "vod/a" }), "the token is for another name"],
    ["for another address", check(OPENSSL_SIGNED, { ip: "192.0.3.1" }), "the token is for another address"],
    [
      "without kind, to publish",
      check(tokenOf(end), { kind: "publish" }),
      "the token is not for publishing",
    ],
    [
      "of another key",
      checkSigned("x", OPENSSL_SIGNED, subject, nowMs),
      "the token is signed with another key",
    ],
    ["at its end", checkSigned("s3cret", OPENSSL_SIGNED, subject, expiresMs), "the token has expired"],
    ["of nothing", check(undefined), "there is no token"],
    ["that is long", check("v".repeat(MAX_SIGNED_LENGTH + 1)), "the token is too long"],
    ["of another version", check(OPENSSL_SIGNED.replace("v1", "v2")), "the token is not signed"],
    [
      "with another payload",
      check(OPENSSL_SIGNED.replace("ZX", "Zx")),
      "the token is signed with another key",
    ],
    ["with something behind it", check(`${OPENSSL_SIGNED}.x`), "the token is not signed"],
    ["without an end", check(tokenOf("name=*")), "the token does not say when it expires"],
    ["with an odd end", check(tokenOf("expires=1e12")), "the token does not say when it expires"],
    [
      "with an unknown field",
      check(tokenOf(`${end}&country=NZ`)),
      "the token has a field that is not known",
    ],
    ["with __proto__", check(tokenOf(`${end}&__proto__=1`)), "the token has a field that is not known"],
    ["with a name twice", check(tokenOf(`${end}&name=a&name=*`)), "the token has name twice"],
    ["for 0 sessions", check(tokenOf(`${end}&max_sessions=0`)), "max_sessions of the token is no number"],
    ["of no user", check(tokenOf(`${end}&user=`)), "user of the token is empty or too long"],
    ["of another kind", check(tokenOf(`${end}&kind=record`)), "the token is not for playing"],
  ];
  for (const [what, result, reason] of table)
    test(`${what} is refused`, () => {
      const isForged = reason === "the token is signed with another key";
      assert.deepEqual(result, { allowed: false, reason, ...(isForged ? { isForged } : {}) });
    });

  test("cut anywhere is refused", () => {
    for (let cut = 0; cut < OPENSSL_SIGNED.length; cut++)
      assert.equal(check(OPENSSL_SIGNED.slice(0, cut)).allowed, false);
  });
});
