/** How traces follow the set-up of sessions. Where nobody collects traces there is none, and nothing is spent on it. */
import type { SessionClaim } from "../claim.ts";

/** How a set-up ended. `failed`: nobody could be asked, or there was no room. */
export type SetUpOutcome = "allowed" | "denied" | "redirected" | "failed";

/** One server's part in it: `traceparent` goes with the request. Spec: W3C Trace Context section 3.2. */
export type AskTrace = { readonly traceparent: string; ended(outcome: SetUpOutcome): void };

/** Follows one set-up. `host`: of the server that is asked, without anything else of its address. */
export type SetUpTrace = {
  asked(host: string): AskTrace;
  /** It is known whether it may. `sessionId`: only where it was let in; then one of the two below follows. */
  judged(end: {
    readonly outcome: SetUpOutcome;
    readonly sessionId?: string;
    readonly reason?: string;
  }): void;
  /** Its first media flowed. Units: UTC in microseconds. */
  media(atUs: number): void;
  /** The session is over, and no media has flowed. */
  gone(): void;
};

/** Begins to follow a claim; `null`: this one is not followed. */
export type TraceOf = (claim: SessionClaim) => SetUpTrace | null;
