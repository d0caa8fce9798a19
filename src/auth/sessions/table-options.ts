/** What the table of sessions is given and says. */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Question } from "../backends/backend-request.ts";
import type { RulesOf, SessionEnd } from "../claim.ts";
import type { AccessRules } from "../rules.ts";
import type { Judgement } from "./judge.ts";
import type { CountedClaim, Session } from "./session.ts";
import type { TraceOf } from "./set-up-trace.ts";

/** Bounds of the table. */
export type SessionTableLimits = {
  readonly sessions: number;
  /** Refusals that are kept. */
  readonly denials: number;
  /** Claims that wait for an answer, those on the same session included. */
  readonly waiting: number;
  /** Sessions that are judged again at once; others wait for a second. */
  readonly rechecks: number;
};

/** The bounds where nobody says otherwise. */
export const SESSION_TABLE_LIMITS: SessionTableLimits = {
  sessions: 100_000,
  denials: 50_000,
  waiting: 20_000,
  rechecks: 1000,
};

/** What happens to sessions, for events and metrics. `session` is the table's own: read it at once, and keep nothing of it. */
export type SessionChange =
  | { readonly kind: "opened" | "started" | "updated" | "closed"; readonly session: Session }
  | {
      readonly kind: "denied";
      readonly claim: CountedClaim;
      readonly country: string | undefined;
      readonly reason: string;
    };

/** A session is over; `threads` are those that served it. Where `forMs` is not 0, all threads have to know. */
export type SessionEnded = SessionEnd & { readonly threads: readonly number[] };

/** A session that a thread began by itself, as nobody has to be asked about it. */
export type BegunSession = { readonly id: string; readonly claim: CountedClaim };

/**
 * A thread has connections of a session no more. `connections`: of so many answers of `open`, for one that may be on its way
 * counts on; absent: of all.
 */
export type ClosedSession = { readonly id: string; readonly reason: string; readonly connections?: number };

/** What the table needs. */
export type SessionTableOptions = {
  readonly rulesOf: RulesOf;
  readonly judge: { judge(rules: AccessRules, question: Question): Promise<Judgement> };
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<SessionTableLimits>;
  /** Two letters, upper case; absent, and `undefined`: not known. */
  readonly countryOf?: (ip: string) => string | undefined;
  /** By what the stream of this name was set up: the configuration, a user, a server. */
  readonly namedByOf?: (name: string) => string | undefined;
  /** The server's name, for backends. */
  readonly host?: string;
  /** Gives ids that nobody guesses. */
  readonly makeId?: () => string;
  readonly onChange?: (change: SessionChange) => void;
  /** Follows set-ups for traces; absent: none is followed. */
  readonly traceOf?: TraceOf;
};

/** Figures of the table. */
export type SessionTableStats = {
  readonly sessions: number;
  readonly plays: number;
  readonly waiting: number;
  readonly denials: number;
  readonly rechecking: number;
};
