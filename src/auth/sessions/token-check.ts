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
  | { readonly allowed: false; readonly reason: string };

/** Those who judge by the token alone. */
export type TokenAuthorizer = Extract<Authorizer, { kind: "securetoken" | "signed" | "jwt" }>;

/** Judges a claim by its token. `nowMs`: UTC. Rejects where it could not be judged, such as with keys that are not to be had. */
export type TokenCheck = (
  authorizer: TokenAuthorizer,
  claim: SessionClaim,
  nowMs: number,
) => Promise<TokenResult>;
