import { strict as assert } from "node:assert";
import type { SessionClaim, SessionKind } from "../claim.ts";
import type { AccessRules } from "../rules.ts";
import { withoutUndefined } from "../../base/without-undefined.ts";
import type { SetUpTrace } from "./set-up-trace.ts";

/** Sessions of the server's own, which nobody judges: `ingest` is a file or the built-in clip that plays as a stream. */
export const OWN_SESSIONS = ["push", "record", "ingest"] as const;

/** What a session may be. */
export type SessionType = SessionKind | (typeof OWN_SESSIONS)[number];

/** What a session says of itself, of any type. */
export type CountedClaim = Omit<SessionClaim, "kind"> & { readonly kind: SessionType };

/** Where a session stands. */
export type SessionState = "establishing" | "running" | "stalling" | "finished";

const LEGAL: Readonly<Record<SessionState, readonly SessionState[]>> = {
  establishing: ["running", "finished"],
  running: ["stalling", "finished"],
  stalling: ["running", "finished"],
  finished: [],
};

/** Whether a session may go from one state to another. */
export function isLegalMove(from: SessionState, to: SessionState): boolean {
  return LEGAL[from].includes(to);
}

/** A thread that serves a session. */
export type SessionHold = {
  readonly thread: number;
  /** Connections; of protocols of requests how often it was opened, which nothing depends on. */
  count: number;
};

/** What somebody who judges says of a session that may be. */
export type Allowance = {
  readonly userId?: string;
  /** 0: any number, whatever the rules say. */
  readonly maxSessions?: number;
  /** It is judged again after so long; absent: never. */
  readonly recheckMs?: number;
  /** UTC in milliseconds: it is judged again then at the latest. */
  readonly expiresMs?: number;
};

/** How a session begins. */
export type SessionStart = {
  readonly id: string;
  readonly identity: string;
  readonly claim: CountedClaim;
  readonly rules: AccessRules;
  readonly allowance: Allowance;
  readonly country: string | undefined;
  readonly namedBy: string | undefined;
  /** So often was asked about it already. */
  readonly requests: number;
  readonly wallMs: number;
  readonly nowMs: number;
};

/** One session, in the table of the control thread. Others look at it and change nothing. */
export class Session {
  readonly id: string;
  readonly identity: string;
  readonly claim: CountedClaim;
  readonly country: string | undefined;
  readonly namedBy: string | undefined;
  /** UTC in milliseconds. */
  readonly openedAtMs: number;
  startedAtMs: number | undefined = undefined;
  updatedAtMs: number;
  closedAtMs: number | undefined = undefined;
  closeReason: string | undefined = undefined;
  bytes = 0;
  rules: AccessRules;
  allowance: Allowance;
  /** How often a backend was asked about it. */
  requestNumber: number;
  holds: SessionHold[] = [];
  /** Of the clock of ages. Units: milliseconds. */
  seenMs: number;
  /** When it is to be judged again; Infinity: never. Units: as `seenMs`. */
  recheckAtMs = Infinity;
  /** When it has to go if its user has too many sessions by then; Infinity: it has not. Units: as `seenMs`. */
  surplusAtMs = Infinity;
  isRechecking = false;
  /** It has to be judged once more when the judging that goes on is done. */
  needsRecheck = false;
  /** When media was seen last. Units: as `seenMs`. */
  mediaAtMs: number;
  /** When it was last told of as it was. Units: as `seenMs`. */
  toldAtMs: number;
  /** Under which name `SessionIndex` has its user. */
  userKey: string | undefined = undefined;
  /** Who follows its set-up, until media flows; `null`: nobody. */
  trace: SetUpTrace | null = null;
  /** Where `DueTimes` has it. */
  dueS: number | null = null;
  #state: SessionState = "establishing";

  constructor(start: SessionStart) {
    this.id = start.id;
    this.identity = start.identity;
    this.claim = start.claim;
    this.country = start.country;
    this.namedBy = start.namedBy;
    this.rules = start.rules;
    this.allowance = start.allowance;
    this.requestNumber = start.requests;
    this.openedAtMs = start.wallMs;
    this.updatedAtMs = start.wallMs;
    this.seenMs = start.nowMs;
    this.mediaAtMs = start.nowMs;
    this.toldAtMs = start.nowMs;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Goes to another state. Throws, a programmer's error, where that is not legal. */
  moveTo(next: SessionState): void {
    assert.ok(isLegalMove(this.#state, next), `a session does not go from ${this.#state} to ${next}`);
    this.#state = next;
  }

  /** The threads that serve it. */
  get threads(): number[] {
    return this.holds.map(({ thread }) => thread);
  }
}

/** A session as the API and events show it. Times: UTC in milliseconds. */
export type SessionFields = {
  readonly id: string;
  readonly type: SessionType;
  readonly name: string;
  readonly proto: string;
  readonly ip: string;
  readonly country?: string;
  readonly token?: string;
  readonly userId?: string;
  readonly maxSessions?: number;
  /** Units: milliseconds. */
  readonly softLimitationMs: number;
  readonly userAgent?: string;
  readonly referer?: string;
  readonly queryString?: string;
  readonly bytes: number;
  readonly openedAtMs: number;
  readonly startedAtMs?: number;
  readonly updatedAtMs: number;
  readonly closedAtMs?: number;
  readonly closeReason?: string;
  readonly isTls: boolean;
  readonly isDvr: boolean;
  readonly namedBy?: string;
  readonly requestNumber: number;
  readonly state: SessionState;
};

/** How much of a session is shown. */
export type SessionShow = {
  /** Tokens in full: for who may edit. */
  readonly showsTokens: boolean;
  /** The query's key that has the token. */
  readonly tokenKey: string;
};

/** The fields of a session; what is not known is left out. */
export function sessionFields(session: Session, show: SessionShow): SessionFields {
  const { claim, allowance, rules } = session;
  const hide = (text: string | undefined): string | undefined =>
    text === undefined || show.showsTokens ? text : maskToken(text);
  const query = claim.queryString;
  return withoutUndefined<SessionFields>({
    id: session.id,
    type: claim.kind,
    name: claim.name,
    proto: claim.proto,
    ip: claim.ip,
    country: session.country,
    token: hide(claim.token),
    userId: allowance.userId,
    maxSessions: allowance.maxSessions ?? rules.maxSessions,
    softLimitationMs: rules.softLimitationMs,
    userAgent: claim.userAgent,
    referer: claim.referer === undefined || show.showsTokens ? claim.referer : withoutQuery(claim.referer),
    queryString:
      query === undefined || show.showsTokens ? query : maskQuery(query, show.tokenKey, claim.token),
    bytes: session.bytes,
    openedAtMs: session.openedAtMs,
    startedAtMs: session.startedAtMs,
    updatedAtMs: session.updatedAtMs,
    closedAtMs: session.closedAtMs,
    closeReason: session.closeReason,
    isTls: claim.isTls,
    isDvr: claim.isDvr,
    namedBy: session.namedBy,
    requestNumber: session.requestNumber,
    state: session.state,
  });
}

/** So much of a token as tells two apart: its first four characters where that gives little of it away. */
export function maskToken(token: string): string {
  return token.length < 16 ? "***" : `${token.slice(0, 4)}***`;
}

/** Keys of a query whose values are nobody's business, beside the token's. */
const SECRET_KEYS = new Set(["token", "password", "pass", "key", "signature", "sign", "jwt", "auth"]);

/** A query in which tokens are masked: those of `tokenKey` and of keys that say it, and `token` wherever it stands. */
export function maskQuery(query: string, tokenKey: string, token: string | undefined): string {
  const isToken = (text: string): boolean => text === token || decode(text) === token;
  return query
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 0) return isToken(pair) ? maskToken(pair) : pair;
      const [key, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
      const isSecret = key === tokenKey || SECRET_KEYS.has(decode(key).toLowerCase());
      return isSecret || isToken(value) ? `${key}=${maskToken(value)}` : pair;
    })
    .join("&");
}

/** A page's address may have its viewer's token in its query. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, "");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
