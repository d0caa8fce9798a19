/** Who is asked about sessions, as a test wants it. */
import type { SessionClaim, SessionProgress, Verdict } from "../../src/auth/claim.ts";
import type {
  BegunSession,
  ClosedSession,
  SessionControl,
} from "../../src/server/access/session-authority.ts";

/** Keeps what it is asked and told; answers what `verdict` says. */
export class FakeSessions implements SessionControl {
  readonly claims: SessionClaim[] = [];
  readonly begunSessions: BegunSession[] = [];
  readonly reports: (readonly SessionProgress[])[] = [];
  readonly closings: ClosedSession[] = [];
  /** The answer to the claim of that number, from 1. */
  verdict: (claim: SessionClaim, count: number) => Promise<Verdict> | Verdict = (_, count) => ({
    kind: "allowed",
    id: `asked-${count}`,
  });

  async open(claim: SessionClaim): Promise<Verdict> {
    this.claims.push(claim);
    return await this.verdict(claim, this.claims.length);
  }

  begun(session: BegunSession): void {
    this.begunSessions.push(session);
  }

  report(progress: readonly SessionProgress[]): void {
    this.reports.push(progress);
  }

  closed(session: ClosedSession): void {
    this.closings.push(session);
  }

  /** All bytes that were reported, by session. */
  bytes(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { id, bytes } of this.reports.flat()) sums[id] = (sums[id] ?? 0) + bytes;
    return sums;
  }
}
