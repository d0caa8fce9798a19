import assert from "node:assert/strict";
import { createSecretKey, generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import {
  makeJwt,
  OPENSSL_EDDSA,
  OPENSSL_RS256,
  RFC_ES256,
  RFC_HS256,
  TOKEN_END_S,
} from "../../../test/support/tokens.ts";
import { JWT_ALGORITHMS } from "../rules.ts";
import type { JwtAlgorithm } from "../rules.ts";
import { judgeJwtClaims } from "./jwt-claims.ts";
import { keyOfJwk, keyOfSecret, keysOfPem } from "./jwt-keys.ts";
import type { JwtKey } from "./jwt-keys.ts";
import { isSignedBy, MAX_JWT_LENGTH, parseJwt } from "./jwt.ts";
import type { ParsedJwt } from "./jwt.ts";

function parsed(token: string): ParsedJwt {
  const read = parseJwt(token, JWT_ALGORITHMS);
  assert.ok("jwt" in read, "fault" in read ? read.fault : "");
  return read.jwt;
}

const hs: JwtKey = {
  key: createSecretKey(Buffer.from(RFC_HS256.key, "base64url")),
  algorithm: "HS256",
};
const vectors: readonly { name: JwtAlgorithm; token: string; keys: readonly JwtKey[] }[] = [
  { name: "HS256", token: RFC_HS256.token, keys: [hs] },
  { name: "RS256", token: OPENSSL_RS256.token, keys: keysOfPem(OPENSSL_RS256.pem) },
  { name: "ES256", token: RFC_ES256.token, keys: [keyOfJwk(RFC_ES256.jwk)!] },
  { name: "EdDSA", token: OPENSSL_EDDSA.token, keys: keysOfPem(OPENSSL_EDDSA.pem) },
];

describe("the signature of a JWT", () => {
  for (const { name, token, keys } of vectors) {
    test(`of ${name}, made by others, is good`, () => {
      const jwt = parsed(token);
      assert.equal(jwt.algorithm, name);
      assert.equal(isSignedBy(jwt, keys), true);
    });

    test(`of ${name} is bad when a bit of it or of what it signs is another, or the key`, () => {
      const jwt = parsed(token);
      for (let i = 0; i < jwt.signature.byteLength; i++) {
        const signature = Buffer.from(jwt.signature);
        signature[i]! ^= 1;
        assert.equal(isSignedBy({ ...jwt, signature }, keys), false, `byte ${i}`);
      }
      assert.equal(isSignedBy({ ...jwt, signingInput: `${jwt.signingInput}A` }, keys), false);
      assert.equal(isSignedBy({ ...jwt, signature: new Uint8Array() }, keys), false);
      for (const { keys: others } of vectors.filter((other) => other.name !== name))
        assert.equal(isSignedBy(jwt, others), false);
    });

    test(`of ${name} cut anywhere is refused`, () => {
      for (let cut = 0; cut < token.length; cut++) {
        const read = parseJwt(token.slice(0, cut), JWT_ALGORITHMS);
        assert.ok("fault" in read || !isSignedBy(read.jwt, keys), `cut at ${cut}`);
      }
    });
  }

  test("of ES256 that is zero, or in the form of certificates, is bad", () => {
    const { keys, token } = vectors[2]!;
    assert.equal(isSignedBy({ ...parsed(token), signature: new Uint8Array(64) }, keys), false);
    assert.equal(isSignedBy({ ...parsed(token), signature: new Uint8Array(72) }, keys), false);
  });

  test("made with a public key as the secret of HS256 is bad: a key has one algorithm", () => {
    const { pem } = OPENSSL_RS256;
    for (const secret of [pem, pem.trim()])
      assert.equal(isSignedBy(parsed(makeJwt(secret, {})), keysOfPem(pem)), false);
  });

  test("is looked for among the keys of its id, or those that have none", () => {
    const jwt = parsed(makeJwt("a", {}, { alg: "HS256", kid: "one" }));
    const key = keyOfSecret("a");
    assert.equal(isSignedBy(jwt, [{ ...key, kid: "one" }]), true);
    assert.equal(isSignedBy(jwt, [{ ...key, kid: "two" }]), false);
    assert.equal(isSignedBy(jwt, [key]), true);
    assert.equal(isSignedBy(parsed(makeJwt("a", {})), [{ ...key, kid: "two" }]), true);
    // A bound: some keys are tried, not all that a document may have.
    assert.equal(isSignedBy(jwt, [...Array.from({ length: 8 }, () => keyOfSecret("b")), key]), false);
  });
});

describe("a JWT", () => {
  const encode = (text: string): string => Buffer.from(text).toString("base64url");
  const claims = encode("{}");
  const table: readonly [what: string, token: string, fault: RegExp][] = [
    ["without a signature", `${encode('{"alg":"none"}')}.${claims}.`, /algorithm is not allowed/],
    ["of no algorithm in capitals", `${encode('{"alg":"NONE"}')}.${claims}.`, /algorithm is not allowed/],
    ["of an algorithm we do not have", makeJwt("a", {}, { alg: "HS512" }), /algorithm is not allowed/],
    ["of a list of algorithms", makeJwt("a", {}, { alg: ["HS256"] }), /algorithm is not allowed/],
    ["without an algorithm", makeJwt("a", {}, {}), /algorithm is not allowed/],
    ["with crit", makeJwt("a", {}, { alg: "HS256", crit: ["b64"], b64: false }), /not understood/],
    ["with an empty crit", makeJwt("a", {}, { alg: "HS256", crit: [] }), /not understood/],
    ["whose kid is a number", makeJwt("a", {}, { alg: "HS256", kid: 1 }), /kid/],
    ["of two parts", `${encode('{"alg":"HS256"}')}.${claims}`, /no JWT/],
    ["of five parts", "a.b.c.d.e", /no JWT/],
    ["with padding", makeJwt("a", {}).replace(".", "=."), /does not decode/],
    ["in plain base64", makeJwt("a", {}).replace(".", "+/."), /does not decode/],
    ["with bits behind the last byte", makeJwt("a", {}).replace(`.${claims}.`, ".e31."), /does not decode/],
    ["whose claims are a list", `${encode('{"alg":"HS256"}')}.${encode("[]")}.`, /does not decode/],
    ["whose claims are no UTF-8", `${encode('{"alg":"HS256"}')}._w.`, /does not decode/],
    ["that is too long", "a".repeat(MAX_JWT_LENGTH + 1), /too long/],
  ];
  for (const [what, token, fault] of table)
    test(`${what} is refused`, () => {
      const read = parseJwt(token, JWT_ALGORITHMS);
      assert.match("fault" in read ? read.fault : "", fault);
    });

  test("is refused where its algorithm is not one of those allowed", () => {
    assert.deepEqual(parseJwt(makeJwt("a", {}), ["RS256"]), {
      fault: "the token's algorithm is not allowed",
    });
  });
});

describe("keys", () => {
  test("are those of a file of PEM, several, without what is weak or none", () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({
      type: "spki",
      format: "pem",
    });
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({
      type: "spki",
      format: "pem",
    });
    const broken = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
    const file = ["# comment", OPENSSL_RS256.pem, weak, broken, p384, OPENSSL_EDDSA.pem].join("\n");
    assert.deepEqual(
      keysOfPem(file).map(({ algorithm }) => algorithm),
      ["RS256", "EdDSA"],
    );
    assert.equal(keysOfPem(OPENSSL_EDDSA.pem.repeat(150)).length, 100);
    assert.deepEqual(keysOfPem(""), []);
  });

  test("of a JWK are for one algorithm, and never secret", () => {
    const ec = RFC_ES256.jwk;
    assert.equal(keyOfJwk({ ...ec, kid: "k", use: "sig", alg: "ES256", key_ops: ["verify"] })?.kid, "k");
    assert.equal(keyOfJwk({ ...OPENSSL_EDDSA.jwk })?.algorithm, "EdDSA");
    const bad: unknown[] = [null, 1, "x", [], {}, { kty: "oct", k: "AAAA" }, { kty: "EC" }];
    bad.push(
      { ...ec, use: "enc" },
      { ...ec, alg: "RS256" },
      { ...ec, key_ops: ["encrypt"] },
      { ...ec, x: 1 },
    );
    for (const jwk of bad) assert.equal(keyOfJwk(jwk), null);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    assert.equal(keyOfJwk(privateKey.export({ format: "jwk" }))?.key.type, "public");
  });
});

describe("the claims of a JWT", () => {
  const nowS = TOKEN_END_S - 3600;
  const rules = { name: "portal", algorithms: JWT_ALGORITHMS };
  const subject = { kind: "play", name: "live/news", proto: "hls", ip: "192.0.2.10" } as const;
  const reasonOf = (claims: Record<string, unknown>, more: object = {}): string => {
    const result = judgeJwtClaims(claims, { ...rules, ...more }, subject, nowS * 1000);
    return result.allowed ? "allowed" : result.reason;
  };

  test("say who it is, for how long, and how often", () => {
    const claims = { sub: "alice", exp: nowS + 60, duration: 30, max_sessions: 2, foo: 1 };
    assert.deepEqual(judgeJwtClaims(claims, rules, subject, nowS * 1000), {
      allowed: true,
      userId: "alice",
      maxSessions: 2,
      recheckMs: 30_000,
      expiresMs: (nowS + 60) * 1000,
    });
    assert.deepEqual(judgeJwtClaims({}, rules, subject, nowS * 1000), { allowed: true });
    const bounded = judgeJwtClaims({ duration: 1e9 }, rules, subject, nowS * 1000);
    assert.deepEqual(bounded, { allowed: true, recheckMs: 86_400_000 });
    assert.deepEqual(judgeJwtClaims({ duration: 0.001 }, rules, subject, 0), {
      allowed: true,
      recheckMs: 1000,
    });
  });

  const table: readonly [claims: Record<string, unknown>, want: string, rules?: object][] = [
    [{ exp: nowS - 29 }, "allowed"],
    [{ exp: nowS - 30 }, "the token has expired"],
    [{ nbf: nowS + 30 }, "allowed"],
    [{ nbf: nowS + 31 }, "the token does not hold yet"],
    [{ iat: nowS + 31 }, "the token is from the future"],
    [{ exp: String(nowS + 9) }, "exp of the token is no number"],
    [{ exp: null }, "exp of the token is no number"],
    [{ exp: Number.POSITIVE_INFINITY }, "exp of the token is no number"],
    [{ iss: "a" }, "allowed", { issuer: "a" }],
    [{ iss: ["a"] }, "the token is of another issuer", { issuer: "a" }],
    [{}, "the token is of another issuer", { issuer: "a" }],
    [{ aud: "tv" }, "allowed", { audience: "tv" }],
    [{ aud: ["x", "tv"] }, "allowed", { audience: "tv" }],
    [{ aud: ["x"] }, "the token is for another audience", { audience: "tv" }],
    [{}, "the token is for another audience", { audience: "tv" }],
    [{ name: "live/*" }, "allowed"],
    [{ name: ["x", "live/news"] }, "allowed"],
    [{ name: "vod/*" }, "the token is for another name"],
    [{ name: [] }, "the token is for another name"],
    [{ name: "live/*", stream: "live/other" }, "the token is for another name"],
    [{ name: 1 }, "name of the token is no text and no list of texts"],
    [{ name: null }, "name of the token is no text and no list of texts"],
    [{ ip: Array.from({ length: 101 }, () => "10/8") }, "ip of the token is no text and no list of texts"],
    [{ ip: "192.0.2.0/24" }, "allowed"],
    [{ ip: ["::1", "192.0.2.11"] }, "the token is for another address"],
    [{ ip: "nonsense" }, "the token is for another address"],
    [{ proto: "hls" }, "allowed"],
    [{ proto: ["rtmp"] }, "the token is for another protocol"],
    [{ kind: "play" }, "allowed"],
    [{ kind: ["publish", "play"] }, "allowed"],
    [{ kind: "publish" }, "the token is not for playing"],
    [{ sub: 7 }, "sub of the token is no text, or too long"],
    [{ sub: "a".repeat(257) }, "sub of the token is no text, or too long"],
    [{ max_sessions: 0 }, "max_sessions of the token is no number from 1 up"],
    [{ max_sessions: "2" }, "max_sessions of the token is no number from 1 up"],
    [{ duration: 0 }, "duration of the token is no number above 0"],
  ];
  for (const [claims, want, more] of table)
    test(`${JSON.stringify(claims).slice(0, 60)}${JSON.stringify(more) ?? ""}: ${want}`, () =>
      assert.equal(reasonOf(claims, more), want));

  test("without a kind are no leave to publish", () => {
    const publish = { ...subject, kind: "publish" } as const;
    const reason = "the token is not for publishing";
    assert.deepEqual(judgeJwtClaims({}, rules, publish, nowS * 1000), { allowed: false, reason });
    assert.deepEqual(judgeJwtClaims({ kind: "publish" }, rules, publish, nowS * 1000), { allowed: true });
  });
});
