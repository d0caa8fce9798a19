/** What the API needs of the table of sessions. */
import type { SessionFields } from "../auth/sessions/session.ts";
import { withoutUndefined } from "../base/without-undefined.ts";

/** Figures of a stream's sessions. */
export type StreamCrowd = {
  /** Those that play. */
  readonly clients: number;
  readonly bytesOut: number;
  /** UTC in milliseconds; absent: nobody has played it. */
  readonly lastAccessAtMs?: number;
};

/** The table, as the API sees it. */
export type SessionsView = {
  /** `showsTokens`: as they are, for those who may edit. */
  list(show: { readonly showsTokens: boolean }): Iterable<SessionFields>;
  get(id: string, show: { readonly showsTokens: boolean }): SessionFields | null;
  /** Ends a session. Returns: whether there was one. */
  kick(id: string): boolean;
  /** Asks again about the sessions of a stream, or about all. */
  reauth(name?: string): void;
  /** By the names of streams that have had any; left out: streams are told without. */
  crowds?(): ReadonlyMap<string, StreamCrowd>;
};

/** A session as JSON. */
export function sessionJson(session: SessionFields): object {
  return withoutUndefined<Record<string, unknown>>({
    id: session.id,
    type: session.type,
    name: session.name,
    proto: session.proto,
    ip: session.ip,
    country: session.country,
    token: session.token,
    user_id: session.userId,
    max_sessions: session.maxSessions,
    soft_limitation: session.softLimitationMs > 0,
    user_agent: session.userAgent,
    referer: session.referer,
    query_string: session.queryString,
    bytes: session.bytes,
    opened_at: session.openedAtMs,
    started_at: session.startedAtMs,
    updated_at: session.updatedAtMs,
    closed_at: session.closedAtMs,
    close_reason: session.closeReason,
    ssl: session.isTls,
    dvr: session.isDvr,
    named_by: session.namedBy,
    request_number: session.requestNumber,
    status: session.state,
  });
}
