import { createHmac, timingSafeEqual, verify } from "node:crypto";
import type { JwtAlgorithm } from "../rules.ts";
import { decodeBase64url } from "./base64url.ts";
import type { JwtKey } from "./jwt-keys.ts";

/** Longest token that is read, in characters. */
export const MAX_JWT_LENGTH = 8192;

/** How many keys without an id, or with the same, are tried. */
const MAX_TRIED_KEYS = 8;

/** A token as it is written; nothing of it is checked yet. */
export type ParsedJwt = {
  readonly algorithm: JwtAlgorithm;
  readonly kid?: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What is signed. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
};

/** A token, or what is wrong with it. */
export type JwtReading = { readonly jwt: ParsedJwt } | { readonly fault: string };

/**
 * Reads a JWT in compact form, signed with one of the algorithms that are allowed; `none` is none of them.
 *
 * Spec: RFC 7515 sections 3.1, 4.1, 5.2; RFC 7519 section 7.2. Headers that have to be understood (`crit`) are not, so
 * such a token is refused; encrypted ones (five parts) are too.
 */
export function parseJwt(token: string, algorithms: readonly JwtAlgorithm[]): JwtReading {
  if (token.length > MAX_JWT_LENGTH) return { fault: "the token is too long" };
  const parts = token.split(".");
  if (parts.length !== 3) return { fault: "the token is no JWT" };
  const [header, claims] = [readJson(parts[0]!), readJson(parts[1]!)];
  const signature = decodeBase64url(parts[2]!);
  if (header === null || claims === null || signature === null)
    return { fault: "the token is no JWT: a part of it does not decode" };
  const algorithm = algorithms.find((name) => name === header["alg"]);
  if (algorithm === undefined) return { fault: "the token's algorithm is not allowed" };
  if (header["crit"] !== undefined)
    return { fault: "the token has headers that are not understood (crit)" };
  const { kid } = header;
  if (kid !== undefined && typeof kid !== "string") return { fault: "kid of the token is no text" };
  const jwt = { algorithm, claims, signature, signingInput: `${parts[0]}.${parts[1]}` };
  return { jwt: kid === undefined ? jwt : { ...jwt, kid } };
}

/**
 * Whether one of the keys has signed the token: of those of its algorithm, and of its `kid` where both say one.
 *
 * Spec: RFC 7518 sections 3.2 (HS256), 3.3 (RS256), 3.4 (ES256: R and S, 32 bytes each); RFC 8037 section 3.1 (EdDSA).
 */
export function isSignedBy(jwt: ParsedJwt, keys: readonly JwtKey[]): boolean {
  const fitting = keys.filter(
    ({ algorithm, kid }) =>
      algorithm === jwt.algorithm && (kid === undefined || jwt.kid === undefined || kid === jwt.kid),
  );
  return fitting.slice(0, MAX_TRIED_KEYS).some(({ key }) => isSigned(jwt, key));
}

function isSigned({ algorithm, signingInput, signature }: ParsedJwt, key: JwtKey["key"]): boolean {
  const input = Buffer.from(signingInput);
  switch (algorithm) {
    case "HS256": {
      const wanted = createHmac("sha256", key).update(input).digest();
      return signature.byteLength === wanted.byteLength && timingSafeEqual(signature, wanted);
    }
    case "RS256":
      return verify("sha256", input, key, signature);
    case "ES256":
      return (
        signature.byteLength === 64 &&
        verify("sha256", input, { key, dsaEncoding: "ieee-p1363" }, signature)
      );
    case "EdDSA":
      return verify(null, input, key, signature);
  }
}

/** A JSON object in base64url. */
function readJson(part: string): Record<string, unknown> | null {
  const bytes = decodeBase64url(part);
  if (bytes === null) return null;
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
