import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import {
  makeJwt,
  OPENSSL_EDDSA,
  OPENSSL_SIGNED,
  RFC_ES256,
  RFC_HS256,
} from "../../../test/support/tokens.ts";
import { JWT_ALGORITHMS } from "../rules.ts";
import { parseJwks } from "./jwks.ts";
import { judgeJwtClaims } from "./jwt-claims.ts";
import { keyOfSecret, keysOfPem } from "./jwt-keys.ts";
import { isSignedBy, parseJwt } from "./jwt.ts";
import { checkSecuretoken } from "./securetoken.ts";
import { checkSigned } from "./signed-url.ts";

const rules = { name: "portal", algorithms: JWT_ALGORITHMS };
const subject = { kind: "play", name: "live/news", proto: "hls", ip: "192.0.2.10" } as const;
const keys = [keyOfSecret("not theirs"), ...keysOfPem(OPENSSL_EDDSA.pem)];
const nowMs = 1_795_366_000_000;

/** Tokens in all forms, claims and fields behind a good signature, and documents of keys. */
export const fuzz: TextFuzzTarget = {
  name: "tokens",
  seeds: [
    RFC_HS256.token,
    RFC_ES256.token,
    makeJwt("s3cret", { kind: "play" }, { alg: "HS256", kid: "k", crit: [] }),
    OPENSSL_SIGNED,
    "c490a138c331258f6f7d847d7441886a73264fed-pepper-1795366400-1795359200-user-7",
    JSON.stringify({ keys: [RFC_ES256.jwk, { ...OPENSSL_EDDSA.jwk, kid: "a" }] }),
    JSON.stringify({ exp: 1_795_366_400, sub: "a", name: ["live/*"], ip: "10/8", duration: 30 }),
    "expires=1795366400&name=live/*&ip=192.0.2.0/24&user=alice&max_sessions=2",
  ],
  dictionary: [
    "none",
    "crit",
    "HS256",
    "EdDSA",
    "oct",
    '"kty"',
    "v1.",
    "-",
    ".",
    "null",
    "1e999",
    "__proto__",
    "&",
  ],
  run(input) {
    const read = parseJwt(input, JWT_ALGORITHMS);
    if ("jwt" in read) assert.equal(isSignedBy(read.jwt, keys), false);
    assert.equal(
      checkSecuretoken({ key: "not theirs", checksAddress: true }, { ...subject, token: input }, nowMs)
        .allowed,
      false,
    );
    assert.equal(checkSigned("not theirs", input, subject, nowMs).allowed, false);
    checkSigned("ours", signed(input), subject, nowMs);
    assert.ok((parseJwks(input)?.length ?? 0) <= 100);
    const claims = objectOf(input);
    if (claims !== null) judgeJwtClaims(claims, rules, subject, nowMs);
  },
};

function signed(fields: string): string {
  const text = `v1.${Buffer.from(fields).toString("base64url")}`;
  return `${text}.${createHmac("sha256", "ours").update(text).digest("base64url")}`;
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
