import type { JwtRules } from "../rules.ts";
import { limitFault, MAX_USER_ID_LENGTH } from "./subject-limits.ts";
import type { TokenSubject } from "./subject-limits.ts";
import { refuseToken } from "./token-result.ts";
import type { TokenResult } from "./token-result.ts";

/** How far the clock of who made a token may be from ours. */
export const JWT_LEEWAY_S = 30;

/** The longest list in a claim. */
const MAX_LIST_LENGTH = 100;

/** Bounds of how often a token is judged anew, whatever it says. */
const [MIN_RECHECK_S, MAX_RECHECK_S] = [1, 86_400];

type Claims = Readonly<Record<string, unknown>>;

/** Gives what is wrong with the claims, or `null`. */
type ClaimRule = (claims: Claims, rules: JwtRules, nowS: number) => string | null;

const RULES: readonly ClaimRule[] = [ofTypes, ofTimes, ofIssuer, ofAudience];

/** Claims with a text or a list of texts. */
const TEXT_LISTS = ["name", "stream", "ip", "proto", "kind"] as const;

/**
 * Judges what a token says whose signature is good. `exp`, `nbf` and `iat` in UTC seconds; `iss` and `aud` where the
 * rules name them; `sub`: the user; `name` and `stream`: patterns with `*`; `ip`: addresses and networks; `proto`;
 * `kind`: `play`, which is what it is without, `publish`, or a list of both; `max_sessions`; `duration`: seconds after
 * which it is judged anew. A claim of ours in a wrong type refuses the token; those of others do not count.
 *
 * Units: `nowMs`: UTC in milliseconds. Spec: RFC 7519 section 4.1.
 */
export function judgeJwtClaims(
  claims: Claims,
  rules: JwtRules,
  subject: TokenSubject,
  nowMs: number,
): TokenResult {
  for (const rule of RULES) {
    const fault = rule(claims, rules, nowMs / 1000);
    if (fault !== null) return refuseToken(fault);
  }
  const fault = limitFault(limitsOf(claims), subject);
  return fault === null ? grantOf(claims) : refuseToken(fault);
}

function ofTypes(claims: Claims): string | null {
  const lists = TEXT_LISTS.find((name) => claims[name] !== undefined && textsOf(claims[name]) === null);
  if (lists !== undefined) return `${lists} of the token is no text and no list of texts`;
  const { sub, max_sessions: max, duration } = claims;
  const isUser = typeof sub === "string" && sub !== "" && sub.length <= MAX_USER_ID_LENGTH;
  if (sub !== undefined && !isUser) return "sub of the token is no text, or too long";
  const isLimit = Number.isSafeInteger(max) && Number(max) >= 1;
  if (max !== undefined && !isLimit) return "max_sessions of the token is no number from 1 up";
  const isDuration = typeof duration === "number" && duration > 0;
  return duration === undefined || isDuration ? null : "duration of the token is no number above 0";
}

function ofTimes({ exp, nbf, iat }: Claims, _rules: JwtRules, nowS: number): string | null {
  for (const [name, value] of Object.entries({ exp, nbf, iat }))
    if (value !== undefined && !Number.isFinite(value)) return `${name} of the token is no number`;
  if (exp !== undefined && nowS >= Number(exp) + JWT_LEEWAY_S) return "the token has expired";
  if (nbf !== undefined && nowS < Number(nbf) - JWT_LEEWAY_S) return "the token does not hold yet";
  return iat !== undefined && nowS < Number(iat) - JWT_LEEWAY_S ? "the token is from the future" : null;
}

function ofIssuer({ iss }: Claims, { issuer }: JwtRules): string | null {
  return issuer === undefined || iss === issuer ? null : "the token is of another issuer";
}

function ofAudience({ aud }: Claims, { audience }: JwtRules): string | null {
  if (audience === undefined) return null;
  return textsOf(aud)?.includes(audience) === true ? null : "the token is for another audience";
}

function limitsOf(claims: Claims): Parameters<typeof limitFault>[0] {
  const [ips, protos, kinds] = [textsOf(claims["ip"]), textsOf(claims["proto"]), textsOf(claims["kind"])];
  const names = [textsOf(claims["name"]), textsOf(claims["stream"])].filter((list) => list !== null);
  return {
    names,
    ...(ips === null ? {} : { ips }),
    ...(protos === null ? {} : { protos }),
    ...(kinds === null ? {} : { kinds }),
  };
}

function grantOf({ sub, max_sessions: max, duration, exp }: Claims): TokenResult {
  return {
    allowed: true,
    ...(typeof sub === "string" ? { userId: sub } : {}),
    ...(typeof max === "number" ? { maxSessions: max } : {}),
    ...(typeof duration === "number" ? { recheckMs: recheckMsOf(duration) } : {}),
    ...(typeof exp === "number" ? { expiresMs: exp * 1000 } : {}),
  };
}

function recheckMsOf(durationS: number): number {
  return Math.round(Math.min(Math.max(durationS, MIN_RECHECK_S), MAX_RECHECK_S) * 1000);
}

/** One text, or a list of them; `null`: it is neither. */
function textsOf(value: unknown): readonly string[] | null {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isTexts = list.length <= MAX_LIST_LENGTH && list.every((text) => typeof text === "string");
  return isTexts ? list : null;
}
