import { createHash } from "node:crypto";
import { isEqualText } from "../equal-texts.ts";
import { refuseForged, refuseToken } from "./token-result.ts";
import type { TokenResult } from "./token-result.ts";

/** Longest token that is read, in characters. */
export const MAX_SECURETOKEN_LENGTH = 512;

/** How far the clock of who made a token may be ahead of ours. */
const CLOCK_SKEW_S = 30;

/** Stands for the address in tokens that hold for any. */
const NO_CHECK_IP = "no_check_ip";

/** What a token is checked against. */
export type SecuretokenSubject = {
  /** Of the stream, or of the file with its vod's prefix. */
  readonly name: string;
  readonly ip: string;
  readonly token?: string | undefined;
};

/** `securetoken://KEY`. */
export type SecuretokenRules = { readonly key: string; readonly checksAddress: boolean };

/**
 * Checks a token of the `securetoken` form, which portals make for the reference product.
 *
 *     token = hash "-" salt "-" endtime "-" starttime [ "-" user_id ]
 *     hash  = hex(sha1(name ip starttime endtime KEY salt user_id)), nothing between the parts
 *
 * Times are UTC in seconds, each of ten digits: nothing stands between the parts that are hashed, so a digit of the start could
 * otherwise go to the end, which would then be centuries away, or to the address. Where addresses are not checked, `ip` is the word `no_check_ip`. Hex may be upper case. A
 * user's id may have hyphens in it, a salt may not.
 *
 * SHA-1 with a secret in its middle is weak by today's measure; tokens that are made anew are better signed (`signed://`)
 * or JWTs. Units: `nowMs`: UTC in milliseconds.
 */
export function checkSecuretoken(
  rules: SecuretokenRules,
  subject: SecuretokenSubject,
  nowMs: number,
): TokenResult {
  const { token } = subject;
  if (token === undefined || token === "") return refuseToken("there is no token");
  if (token.length > MAX_SECURETOKEN_LENGTH) return refuseToken("the token is too long");
  const parts = /^([0-9a-f]{40})-([^-]*)-(\d{10})-(\d{10})(?:-(.+))?$/is.exec(token);
  if (parts === null) return refuseToken("the token is no securetoken");
  const [, hash, salt, end, start, userId] = parts;
  const ip = rules.checksAddress ? subject.ip : NO_CHECK_IP;
  const text = `${subject.name}${ip}${start}${end}${rules.key}${salt}${userId ?? ""}`;
  const wanted = createHash("sha1").update(text).digest("hex");
  if (!isEqualText(hash!.toLowerCase(), wanted))
    return refuseForged("the token's hash is that of another key, name or address");
  if (nowMs >= Number(end) * 1000) return refuseToken("the token has expired");
  if (nowMs < (Number(start) - CLOCK_SKEW_S) * 1000) return refuseToken("the token does not hold yet");
  const grant = { allowed: true, expiresMs: Number(end) * 1000 } as const;
  return userId === undefined ? grant : { ...grant, userId };
}
