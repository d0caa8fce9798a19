import type { SessionClaim } from "../claim.ts";
import type { Authorizer } from "../rules.ts";

/** What a token gives who brings it. */
export type TokenGrant = {
  readonly allowed: true;
  /** A word that tells users apart. */
  readonly userId?: string;
  /** How many sessions the user may have at once. */
  readonly maxSessions?: number;
  /** After so long it is asked again. Units: milliseconds. */
  readonly recheckMs?: number;
  /** Until then the token holds. UTC in milliseconds. */
  readonly expiresMs?: number;
};

/** Why a token is not taken, for the log and whoever asks. It has nothing of the token or the key in it. */
export type TokenRefusal = {
  readonly allowed: false;
  readonly reason: string;
  /** The keys cannot be had at the moment: it may well be a good token. */
  readonly isUnavailable?: true;
  /** It has the form of one, and nobody who has a key made it: a token that a server makes up for who has none has not. */
  readonly isForged?: true;
};

/** What is answered to a token. */
export type TokenResult = TokenGrant | TokenRefusal;

/** An authorizer that judges by the token alone. */
export type TokenAuthorizer = Extract<Authorizer, { readonly kind: "securetoken" | "signed" | "jwt" }>;

/** Judges the token of a claim. Never rejects. Units: `nowMs`: UTC in milliseconds. */
export type TokenCheck = (
  authorizer: TokenAuthorizer,
  claim: SessionClaim,
  nowMs: number,
) => Promise<TokenResult>;

/** A refusal of a token whose signature is wrong. */
export function refuseForged(reason: string): TokenRefusal {
  return { allowed: false, reason, isForged: true };
}

/** A refusal with its reason. */
export function refuseToken(reason: string): TokenRefusal {
  return { allowed: false, reason };
}
