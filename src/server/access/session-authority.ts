import type { SessionClaim, SessionEnd, SessionProgress, Verdict } from "../../auth/claim.ts";
import type { CountedClaim } from "../../auth/sessions/session.ts";

/** A session that a media thread began by itself, as nobody has to be asked about it. */
export type BegunSession = { readonly id: string; readonly claim: CountedClaim };

/** So many connections of a session are over in a thread, each of which it was given leave for or began. */
export type ClosedSession = { readonly id: string; readonly reason: string; readonly connections: number };

/** Who a media thread asks about sessions, and tells of them. */
export type SessionControl = {
  /** What is said to a claim on a name with rules. May reject: then nobody could be asked. */
  open(claim: SessionClaim): Promise<Verdict>;
  /** Of viewers over HTTP requests the same session may be told of by several threads, by the same id. */
  begun(session: BegunSession): void;
  report(progress: readonly SessionProgress[]): void;
  closed(session: ClosedSession): void;
};

/**
 * The one truth of the sessions of all threads, which lives in the control thread. `thread`: who asks or tells, for the same
 * session may be served by several.
 */
export type SessionAuthority = {
  open(thread: number, claim: SessionClaim): Promise<Verdict>;
  begun(thread: number, session: BegunSession): void;
  report(thread: number, progress: readonly SessionProgress[]): void;
  closed(thread: number, session: ClosedSession): void;
  /** A thread is gone, with all connections that it had. */
  threadLost(thread: number): void;
  /** Who is to hear of the sessions that end by the authority's will; called once. */
  onEnds(tell: (ends: readonly SessionEnd[]) => void): void;
};

/** The authority as one thread sees it that is in the same thread. */
export function controlOf(authority: SessionAuthority, thread: number): SessionControl {
  return {
    open: (claim) => authority.open(thread, claim),
    begun: (session) => authority.begun(thread, session),
    report: (progress) => authority.report(thread, progress),
    closed: (session) => authority.closed(thread, session),
  };
}
