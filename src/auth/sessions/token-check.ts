import type { SessionClaim } from "../claim.ts";
import type { Authorizer } from "../rules.ts";

/** What is said of a token. */
export type TokenResult =
  | {
      readonly allowed: true;
      readonly userId?: string;
      readonly maxSessions?: number;
      /** It is looked at again after so long. */
      readonly recheckMs?: number;
      /** UTC in milliseconds; from then on it is refused. */
      readonly expiresMs?: number;
    }
  | {
      readonly allowed: false;
      readonly reason: string;
      /** The keys cannot be had at the moment: it may well be a good token. */
      readonly isUnavailable?: true;
    };

/** Those who judge by the token alone. */
export type TokenAuthorizer = Extract<Authorizer, { kind: "securetoken" | "signed" | "jwt" }>;

/** Judges a claim by its token. `nowMs`: UTC. One that rejects has said nothing of the token. */
export type TokenCheck = (
  authorizer: TokenAuthorizer,
  claim: SessionClaim,
  nowMs: number,
) => Promise<TokenResult>;
