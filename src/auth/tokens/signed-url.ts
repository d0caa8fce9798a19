import { createHmac, timingSafeEqual } from "node:crypto";
import { decodeBase64url } from "./base64url.ts";
import { limitFault, MAX_USER_ID_LENGTH } from "./subject-limits.ts";
import type { SubjectLimits, TokenSubject } from "./subject-limits.ts";
import { refuseForged, refuseToken } from "./token-result.ts";
import type { TokenGrant, TokenResult } from "./token-result.ts";

/** Longest token that is read, in characters. */
export const MAX_SIGNED_LENGTH = 2048;

/** What a signed token says. */
export type SignedFields = {
  /** UTC in seconds. */
  readonly expiresS: number;
  /** A pattern with `*`. */
  readonly name?: string;
  /** An address or a network. */
  readonly ip?: string;
  readonly userId?: string;
  readonly maxSessions?: number;
  readonly kind?: "play" | "publish";
};

const FIELDS = ["expires", "name", "ip", "user", "max_sessions", "kind"] as const;
type Fields = Partial<Record<(typeof FIELDS)[number], string>>;

/**
 * Makes a token that `checkSigned` takes.
 *
 *     token     = "v1" "." base64url(fields) "." base64url(hmac_sha256(key, "v1." base64url(fields)))
 *     fields    = a query string, as "expires=1795366400&name=live/*&user=alice"
 */
export function signToken(key: string, fields: SignedFields): string {
  const { expiresS, name, ip, userId, maxSessions, kind } = fields;
  const query = new URLSearchParams({ expires: String(expiresS) });
  const rest = { name, ip, user: userId, max_sessions: maxSessions, kind };
  for (const [field, value] of Object.entries(rest))
    if (value !== undefined) query.set(field, String(value));
  const signed = `v1.${Buffer.from(query.toString()).toString("base64url")}`;
  return `${signed}.${signatureOf(key, signed).toString("base64url")}`;
}

/**
 * Checks a token that is signed with HMAC-SHA-256; its form stands at `signToken`, and in docs/access.md.
 *
 * A field that nobody knows is refused: it may have been meant to forbid something. The end has to be there. Without
 * `kind` the token plays only. Units: `nowMs`: UTC in milliseconds. Spec: RFC 2104, RFC 4648 section 5.
 */
export function checkSigned(
  key: string,
  token: string | undefined,
  subject: TokenSubject,
  nowMs: number,
): TokenResult {
  if (token === undefined || token === "") return refuseToken("there is no token");
  if (token.length > MAX_SIGNED_LENGTH) return refuseToken("the token is too long");
  const [version, payload = "", signature = "", ...more] = token.split(".");
  const given = decodeBase64url(signature);
  if (version !== "v1" || given?.length !== 32 || more.length > 0)
    return refuseToken("the token is not signed");
  if (!timingSafeEqual(given, signatureOf(key, `v1.${payload}`)))
    return refuseForged("the token is signed with another key");
  const fields = readFields(payload);
  return typeof fields === "string" ? refuseToken(fields) : judge(fields, subject, nowMs);
}

function signatureOf(key: string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** The fields, each there once, or what is wrong with them. */
function readFields(payload: string): Fields | string {
  const text = decodeBase64url(payload)?.toString("utf8");
  if (text === undefined) return "the token's fields are no base64url";
  const fields: Fields = {};
  // A line end behind them is what `echo` and `base64` leave there.
  for (const [field, value] of new URLSearchParams(text.replace(/\r?\n$/, ""))) {
    const known = FIELDS.find((name) => name === field);
    if (known === undefined) return "the token has a field that is not known";
    if (fields[known] !== undefined) return `the token has ${known} twice`;
    fields[known] = value;
  }
  return fields;
}

function judge(fields: Fields, subject: TokenSubject, nowMs: number): TokenResult {
  const { expires = "", user, max_sessions: max } = fields;
  if (!/^\d{1,11}$/.test(expires)) return refuseToken("the token does not say when it expires");
  const expiresMs = Number(expires) * 1000;
  if (nowMs >= expiresMs) return refuseToken("the token has expired");
  if (max !== undefined && !/^[1-9]\d{0,5}$/.test(max))
    return refuseToken("max_sessions of the token is no number");
  if (user !== undefined && (user === "" || user.length > MAX_USER_ID_LENGTH))
    return refuseToken("user of the token is empty or too long");
  const fault = limitFault(limitsOf(fields), subject);
  if (fault !== null) return refuseToken(fault);
  const grant: TokenGrant = { allowed: true, expiresMs };
  return {
    ...grant,
    ...(user === undefined ? {} : { userId: user }),
    ...(max === undefined ? {} : { maxSessions: Number(max) }),
  };
}

function limitsOf({ name, ip, kind }: Fields): SubjectLimits {
  return {
    ...(name === undefined ? {} : { names: [[name]] }),
    ...(ip === undefined ? {} : { ips: [ip] }),
    ...(kind === undefined ? {} : { kinds: [kind] }),
  };
}
