import { createPublicKey, createSecretKey } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";
import type { JwtAlgorithm } from "../rules.ts";

/** Keys that are taken of one file or one document. */
export const MAX_JWT_KEYS = 100;

/** RSA with less is not taken. Spec: RFC 7518 section 3.3. */
const MIN_RSA_BITS = 2048;

/** RSA with more takes long to check. */
const MAX_RSA_BITS = 8192;

/** A key, and the one algorithm that it is for: what a token says cannot make it another's. */
export type JwtKey = {
  readonly key: KeyObject;
  readonly algorithm: JwtAlgorithm;
  /** Its id; absent: it has none, and may be the key of any token. */
  readonly kid?: string;
};

/** The key of HS256. */
export function keyOfSecret(secret: string): JwtKey {
  return { key: createSecretKey(Buffer.from(secret)), algorithm: "HS256" };
}

/**
 * Reads the public keys, or certificates, of a file of PEM; what is none, or too weak, is passed over.
 *
 * Spec: RFC 7468.
 */
export function keysOfPem(text: string): JwtKey[] {
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]*-----END \1-----/g);
  return [...blocks]
    .slice(0, MAX_JWT_KEYS)
    .map(([block]) => publicKey(block))
    .filter((key) => key !== null);
}

/**
 * Reads one key of a JWK Set; `null` where it is not for checking signatures with an algorithm of ours: secret keys
 * (`oct`) do not belong into a document that is fetched.
 *
 * Spec: RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2.
 */
export function keyOfJwk(jwk: unknown): JwtKey | null {
  if (typeof jwk !== "object" || jwk === null) return null;
  const { kty, use, alg, kid, key_ops: ops } = jwk as Record<string, unknown>;
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") return null;
  if (use !== undefined && use !== "sig") return null;
  if (Array.isArray(ops) && !ops.includes("verify")) return null;
  const key = publicKey({ key: publicPart(jwk as Record<string, unknown>), format: "jwk" });
  if (key === null || (alg !== undefined && alg !== key.algorithm)) return null;
  return typeof kid === "string" ? { ...key, kid } : key;
}

/** Of a key pair, what everybody may know. */
function publicPart({ kty, crv, n, e, x, y }: Record<string, unknown>): JsonWebKey {
  const part = { kty, crv, n, e, x, y };
  return Object.fromEntries(Object.entries(part).filter(([, value]) => typeof value === "string"));
}

function publicKey(input: string | { key: JsonWebKey; format: "jwk" }): JwtKey | null {
  try {
    const key = createPublicKey(input);
    const algorithm = algorithmOf(key);
    return algorithm === null ? null : { key, algorithm };
  } catch {
    return null;
  }
}

function algorithmOf(key: KeyObject): JwtAlgorithm | null {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa":
      return modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS ? "RS256" : null;
    case "ec":
      return namedCurve === "prime256v1" ? "ES256" : null;
    case "ed25519":
      return "EdDSA";
    default:
      return null;
  }
}
