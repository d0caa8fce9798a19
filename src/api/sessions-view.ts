/** What the API needs of the table of sessions. */
import type { SessionFields } from "../auth/sessions/session.ts";

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
  const { userId, maxSessions, userAgent, queryString, startedAtMs, closedAtMs } = session;
  const { country, token, referer, closeReason, namedBy } = session;
  return {
    id: session.id,
    type: session.type,
    name: session.name,
    proto: session.proto,
    ip: session.ip,
    ...(country === undefined ? {} : { country }),
    ...(token === undefined ? {} : { token }),
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(maxSessions === undefined ? {} : { max_sessions: maxSessions }),
    soft_limitation: session.softLimitationMs > 0,
    ...(userAgent === undefined ? {} : { user_agent: userAgent }),
    ...(referer === undefined ? {} : { referer }),
    ...(queryString === undefined ? {} : { query_string: queryString }),
    bytes: session.bytes,
    opened_at: session.openedAtMs,
    ...(startedAtMs === undefined ? {} : { started_at: startedAtMs }),
    updated_at: session.updatedAtMs,
    ...(closedAtMs === undefined ? {} : { closed_at: closedAtMs }),
    ...(closeReason === undefined ? {} : { close_reason: closeReason }),
    ssl: session.isTls,
    dvr: session.isDvr,
    ...(namedBy === undefined ? {} : { named_by: namedBy }),
    request_number: session.requestNumber,
    status: session.state,
  };
}
