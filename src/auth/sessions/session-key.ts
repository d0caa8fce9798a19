/** What makes two claims the same session. */
import { hash } from "node:crypto";
import type { SessionKey } from "../rules.ts";
import type { CountedClaim } from "./session.ts";

/**
 * The identity of the session that a claim is for: equal where all that `keys` name are equal.
 *
 * Playing and publishing never are one session. With a publisher its password counts too, or who knows none would go on
 * with the session of who does. A hash of 128 bits: it keeps no secret in memory and is short.
 */
export function sessionIdentity(claim: CountedClaim, keys: readonly SessionKey[]): string {
  const parts = [claim.kind, claim.kind === "publish" ? (claim.password ?? "") : ""];
  let hasExtra = false;
  for (const key of keys) {
    if (key.kind === "header" || key.kind === "query") hasExtra = true;
    else parts.push(key.kind, claim[key.kind] ?? "");
  }
  if (hasExtra) parts.push("extra", claim.extraKeys);
  // Lengths go before texts: no text can take over the place of another.
  const text = parts.map((part) => `${part.length}:${part}`).join();
  return hash("sha256", text, "base64url").slice(0, 22);
}

/**
 * What stands for a viewer of connections who has no token: each of them has one that was made up, and so is a session, but
 * who was thrown out with the one is not let in with the next. `null` for a viewer whose token tells it.
 */
export function tokenlessIdentity(claim: CountedClaim, keys: readonly SessionKey[]): string | null {
  if (claim.isTokenMade !== true) return null;
  return sessionIdentity({ ...claim, token: `none\n${claim.userAgent ?? ""}` }, keys);
}
