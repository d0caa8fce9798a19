import { randomUUID } from "node:crypto";
import { messageOf } from "../../base/errors.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Question } from "../backends/backend-request.ts";
import type { RulesOf, SessionClaim, SessionProgress, Verdict } from "../claim.ts";
import { isGuarded } from "../guarded.ts";
import { OPEN_RULES } from "../rules.ts";
import type { AccessRules } from "../rules.ts";
import { Denials, refusedOf } from "./denials.ts";
import type { Refusal, RefusedOf } from "./denials.ts";
import { DueTimes } from "./due-times.ts";
import { EndedSessions } from "./ended-sessions.ts";
import { followOn } from "./follow-on.ts";
import type { Outcome } from "./follow-on.ts";
import { idleMsOf, isOfConnection, stallMsOf } from "./idle.ts";
import { DEFAULT_AUTH_DURATION_MS, FAILURE_RECHECK_MS, isJudged } from "./judge.ts";
import type { Judgement } from "./judge.ts";
import { areSameRules } from "./same-rules.ts";
import { SessionIndex, isTold, maxSessionsOf } from "./session-index.ts";
import { sessionIdentity, tokenlessIdentity } from "./session-key.ts";
import { Session } from "./session.ts";
import type { Allowance, CountedClaim, SessionType } from "./session.ts";
import type { SetUpTrace } from "./set-up-trace.ts";
import { SESSION_TABLE_LIMITS } from "./table-options.ts";
import type {
  BegunSession,
  ClosedSession,
  SessionEnded,
  SessionTableLimits,
  SessionTableOptions,
  SessionTableStats,
} from "./table-options.ts";

/** A running session is told of so often, and at most so often where it is judged again. Units: milliseconds. */
const TELL_MS = 300_000;
const TELL_RECHECKED_MS = 60_000;
/** Who is thrown out does not come back at once. Units: milliseconds. */
const KICK_MS = 10_000;
/** Where there is no room, a client may try again after this. Units: milliseconds. */
const FULL_MS = 1000;

const FULL: Refusal = { kind: "denied", status: 503, reason: "too many sessions", forMs: FULL_MS };
const OVER: Refusal = { kind: "denied", status: 503, reason: "the session is over again", forMs: FULL_MS };
const STREAM_FULL: Refusal = {
  kind: "denied",
  status: 403,
  reason: "the stream has as many sessions as it may have",
  forMs: FULL_MS,
};

/**
 * The one truth of who plays and publishes, in the control thread.
 *
 * A user with more sessions than they may have loses the oldest, so that who moves to another device goes on there; it is refused
 * for as long as an answer holds. A stream with as many as it may have takes no new one. Only sessions under a limit of users
 * count for it.
 */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #limits: SessionTableLimits;
  readonly #index = new SessionIndex();
  readonly #denials: Denials;
  /** Of sessions that there were: who asks with one made-up token after another drives none of them out. */
  readonly #bans: Denials;
  readonly #due: DueTimes<Session>;
  readonly #judging = new Map<string, Promise<Outcome>>();
  readonly #over = new EndedSessions();
  readonly #faults: PerSecondLog;
  /** How often a thread was lost: what it asked for before is nobody's. */
  readonly #losses = new Map<number, number>();
  #rulesOf: RulesOf;
  #waiting = 0;
  #rechecking = 0;

  constructor(options: SessionTableOptions) {
    this.#options = options;
    this.#limits = { ...SESSION_TABLE_LIMITS, ...options.limits };
    this.#denials = new Denials(this.#limits.denials);
    this.#bans = new Denials(this.#limits.denials);
    this.#due = new DueTimes(options.clock, (session, nowMs) => this.#tend(session, nowMs));
    this.#rulesOf = options.rulesOf;
    this.#faults = new PerSecondLog(options.log, "claims could not be judged");
  }

  stats(): SessionTableStats {
    return {
      sessions: this.#index.size,
      plays: this.#index.plays,
      waiting: this.#waiting,
      denials: this.#denials.size + this.#bans.size,
      rechecking: this.#rechecking,
    };
  }

  /** All sessions, the oldest first. */
  list(): IterableIterator<Session> {
    return this.#index.all();
  }

  get(id: string): Session | undefined {
    return this.#index.byId(id);
  }

  /** How many sessions a stream has. */
  countOf(type: SessionType, name: string): number {
    return this.#index.ofStream(type, name).size;
  }

  /**
   * Answers a claim. One on a session that there is, or on one that was refused lately, is answered at once; claims on one session
   * that is being judged wait together. Each leave counts as one connection in that thread until `closed`. Never rejects.
   */
  async open(thread: number, claim: SessionClaim): Promise<Verdict> {
    const rules = this.#rulesOf(claim.kind, claim.name);
    const identity = sessionIdentity(claim, rules.sessionKeys);
    const known = this.#answer(thread, identity) ?? this.#kicked(claim, rules);
    if (known !== undefined) return known;
    if (this.#waiting >= this.#limits.waiting) return FULL;
    this.#waiting++;
    const losses = this.#losses.get(thread);
    try {
      const outcome = await (this.#judging.get(identity) ?? this.#judgeNew(identity, claim, rules));
      if ("refusal" in outcome) return outcome.refusal;
      if (this.#losses.get(thread) !== losses) {
        this.#endUnheld(outcome.session);
        return OVER;
      }
      // It may have been thrown out while the answer was on its way.
      return this.#answer(thread, identity) ?? OVER;
    } finally {
      this.#waiting--;
    }
  }

  /** Who is to hear of sessions that end by the table's will, many at once; called once. */
  onEnds(tell: (ends: readonly SessionEnded[]) => void): void {
    this.#over.onEnds(tell);
  }

  /**
   * Counts a session that nobody judges: of a name that nobody guards (`isGuarded`), a push, a recording. With an `id` that the
   * thread made it is that session, else the one of the claim.
   *
   * Returns: `null` where there is no room, so it is served and not counted: those whom nobody judges leave a quarter of it to
   * the others; "denied": somebody has thrown it out a moment ago.
   */
  begin(thread: number, claim: CountedClaim, id?: string): Verdict | null {
    const rules = isJudged(claim) ? this.#rulesOf(claim.kind, claim.name) : OPEN_RULES;
    const identity = id ?? sessionIdentity(claim, rules.sessionKeys);
    const known = this.#answer(thread, identity);
    if (known !== undefined) return known;
    if (isJudged(claim) ? this.#index.size >= this.#roomOfOpen() : this.#isFull()) return null;
    const start = { identity, claim, rules, allowance: {}, requests: 0, id: id ?? this.#makeId() };
    const trace = isJudged(claim) ? (this.#options.traceOf?.(claim) ?? null) : null;
    const session = this.#admit(start);
    session.trace = trace;
    trace?.judged({ outcome: "allowed", sessionId: session.id });
    // A thread that has not heard yet that the rules are not open any more.
    if (isGuarded(rules, claim.kind)) this.#recheckSoon(session);
    this.#hold(session, thread);
    return { kind: "allowed", id: session.id };
  }

  /** The same as a thread tells of it. */
  begun(thread: number, { id, claim }: BegunSession): void {
    const verdict = this.begin(thread, claim, id);
    if (verdict?.kind !== "denied") return;
    const { reason, forMs } = verdict;
    this.#over.say({ id, reason, forMs, threads: [thread] });
  }

  /** Takes what a thread has seen of its sessions. One that is over is said to be over again. */
  report(thread: number, progress: readonly SessionProgress[]): void {
    const nowMs = this.#nowMs();
    for (const { id, bytes, hasNoMedia, seenUs, mediaUs } of progress) {
      const session = this.#index.byId(id);
      if (session === undefined) {
        this.#over.sayAgain(id, thread);
        continue;
      }
      session.seenMs = nowMs;
      session.updatedAtMs = Math.max(session.updatedAtMs, Math.floor(seenUs / 1000));
      session.bytes += bytes;
      if (bytes > 0 && hasNoMedia !== true) this.#sawMedia(session, nowMs, mediaUs);
      if (mediaUs === undefined || session.trace === null) continue;
      session.trace.media(mediaUs);
      session.trace = null;
    }
  }

  /** Connections of the session are gone in that thread; with the last one a session of connections is over. */
  closed(thread: number, { id, reason, connections = Infinity }: ClosedSession): void {
    const session = this.#index.byId(id);
    const hold = session?.holds.find((one) => one.thread === thread);
    if (session === undefined || hold === undefined || !isOfConnection(session.claim)) return;
    hold.count -= connections;
    if (hold.count > 0) return;
    session.holds = session.holds.filter((one) => one !== hold);
    if (session.holds.length === 0) this.#finish(session, reason, 0);
  }

  /** Ends a session, and refuses it for some seconds. Returns: whether there was one. */
  kick(id: string, reason = "it was ended by the API"): boolean {
    const session = this.#index.byId(id);
    if (session === undefined) return false;
    const refusal: Refusal = { kind: "denied", status: 403, reason, forMs: KICK_MS };
    const tokenless = tokenlessIdentity(session.claim, session.rules.sessionKeys);
    if (tokenless !== null) this.#bans.keep(tokenless, refusal, this.#nowMs(), refusedOf(session));
    this.#ban(session, refusal);
    return true;
  }

  /** Judges sessions again at once: all, or those of one stream. Returns: how many. */
  reauth(name?: string): number {
    let count = 0;
    for (const session of this.#index.all()) {
      if (!isJudged(session.claim) || (name !== undefined && session.claim.name !== name)) continue;
      this.#recheckSoon(session);
      count++;
    }
    return count;
  }

  /** Takes other rules. Where they are not the same, what was refused is forgotten, and sessions are judged again. */
  configure(rulesOf: RulesOf): void {
    this.#rulesOf = rulesOf;
    const counts = (of: RefusedOf): boolean => areSameRules(of.rules, rulesOf(of.kind, of.name));
    for (const kept of [this.#denials, this.#bans]) kept.keepOnly(counts);
    for (const session of this.#index.all()) {
      const { claim, rules: old } = session;
      if (!isJudged(claim)) continue;
      session.rules = rulesOf(claim.kind, claim.name);
      if (areSameRules(session.rules, old)) continue;
      this.#index.sortUser(session);
      this.#recheckSoon(session);
    }
  }

  /** A thread is gone, and with it its connections. */
  threadLost(thread: number): void {
    this.#losses.set(thread, (this.#losses.get(thread) ?? 0) + 1);
    for (const session of this.#index.all()) {
      if (!session.holds.some((hold) => hold.thread === thread)) continue;
      session.holds = session.holds.filter((hold) => hold.thread !== thread);
      this.#endUnheld(session);
    }
  }

  #endUnheld(session: Session): void {
    if (session.state === "finished" || session.holds.length > 0 || !isOfConnection(session.claim)) return;
    this.#finish(session, "the thread that served it is gone", 0);
  }

  #answer(thread: number, identity: string): Verdict | undefined {
    const session = this.#index.byIdentity(identity);
    if (session === undefined) {
      const nowMs = this.#nowMs();
      return this.#bans.find(identity, nowMs) ?? this.#denials.find(identity, nowMs);
    }
    this.#hold(session, thread);
    session.seenMs = this.#nowMs();
    const { userId } = session.allowance;
    return { kind: "allowed", id: session.id, ...(userId === undefined ? {} : { userId }) };
  }

  /** The refusal of a viewer without a token, another connection of whom was thrown out. */
  #kicked(claim: SessionClaim, { sessionKeys }: AccessRules): Refusal | undefined {
    const tokenless = tokenlessIdentity(claim, sessionKeys);
    return tokenless === null ? undefined : this.#bans.find(tokenless, this.#nowMs());
  }

  #hold(session: Session, thread: number): void {
    const hold = session.holds.find((one) => one.thread === thread);
    if (hold === undefined) session.holds.push({ thread, count: 1 });
    else hold.count++;
  }

  #isFull(): boolean {
    return this.#index.size + this.#judging.size >= this.#limits.sessions;
  }

  #roomOfOpen(): number {
    const { sessions } = this.#limits;
    return sessions - Math.floor(sessions / 4);
  }

  #judgeNew(identity: string, claim: SessionClaim, rules: AccessRules): Promise<Outcome> {
    const refusal = this.#isFull() ? FULL : this.#isStreamFull(claim, rules) ? STREAM_FULL : null;
    if (refusal !== null) return Promise.resolve(this.#refuse(identity, claim, refusal, rules));
    const trace = this.#options.traceOf?.(claim) ?? null;
    const judging = this.#judgeClaim(identity, claim, rules, trace);
    this.#judging.set(identity, judging);
    if (trace !== null) void judging.then((outcome) => followOn(trace, outcome));
    return judging;
  }

  async #judgeClaim(
    identity: string,
    claim: SessionClaim,
    rules: AccessRules,
    trace: SetUpTrace | null,
  ): Promise<Outcome> {
    const id = this.#makeId();
    const judgement = await this.#judge(rules, {
      ...this.#crowd(claim),
      requestType: "new_session",
      requestNumber: 0,
      sessionId: id,
      ...(trace === null ? {} : { trace }),
    });
    this.#judging.delete(identity);
    if (judgement.kind === "denied" || judgement.kind === "redirected")
      return this.#refuse(identity, claim, judgement, rules);
    if (judgement.kind === "failed")
      return this.#refuse(identity, claim, failedRefusal(judgement.reason), rules);
    if (this.#isStreamFull(claim, rules)) return this.#refuse(identity, claim, STREAM_FULL, rules);
    const session = this.#admit({ identity, claim, rules, allowance: judgement, requests: 1, id });
    this.#keepUserLimit(session);
    this.#catchUpWithRules(session);
    return { session };
  }

  async #judge(rules: AccessRules, question: Question): Promise<Judgement> {
    try {
      return await this.#options.judge.judge(rules, question);
    } catch (caught) {
      this.#faults.add(this.#options.clock.nowUs(), { reason: messageOf(caught) });
      return { kind: "failed", reason: "it could not be judged" };
    }
  }

  /** What is told of the claim and of those who are there already. */
  #crowd(
    claim: CountedClaim,
  ): Pick<Question, "claim" | "country" | "streamClients" | "totalClients" | "host"> {
    const { countryOf, host } = this.#options;
    return {
      claim,
      country: countryOf?.(claim.ip),
      streamClients: this.countOf("play", claim.name),
      totalClients: this.#index.plays,
      ...(host === undefined ? {} : { host }),
    };
  }

  #isStreamFull(claim: CountedClaim, { maxStreamSessions = Infinity }: AccessRules): boolean {
    if (isTold(claim)) return false;
    return this.countOf(claim.kind, claim.name) >= maxStreamSessions;
  }

  #refuse(identity: string, claim: SessionClaim, refusal: Refusal, rules: AccessRules): Outcome {
    const { kind, name } = claim;
    // A full table says so to whoever comes: kept, that would drive out what servers have said. Nor do rules count any more
    // that became others while somebody was asked.
    if (refusal !== FULL && areSameRules(rules, this.#rulesOf(kind, name)))
      this.#denials.keep(identity, refusal, this.#nowMs(), { kind, name, rules });
    if (refusal.kind === "denied") {
      const { reason } = refusal;
      const country = this.#options.countryOf?.(claim.ip);
      this.#options.onChange?.({ kind: "denied", claim, country, reason });
    }
    return { refusal };
  }

  #admit(start: {
    readonly id: string;
    readonly identity: string;
    readonly claim: CountedClaim;
    readonly rules: AccessRules;
    readonly allowance: Allowance;
    readonly requests: number;
  }): Session {
    const { countryOf, namedByOf, onChange } = this.#options;
    const session = new Session({
      ...start,
      allowance: allowanceOf(start.allowance),
      country: countryOf?.(start.claim.ip),
      namedBy: namedByOf?.(start.claim.name),
      wallMs: this.#wallMs(),
      nowMs: this.#nowMs(),
    });
    this.#index.add(session);
    this.#over.opened(session.id);
    this.#planRecheck(session);
    this.#plan(session);
    onChange?.({ kind: "opened", session });
    return session;
  }

  /** The rules may have become others while somebody was asked by the old ones. */
  #catchUpWithRules(session: Session): void {
    const { claim, rules } = session;
    if (!isJudged(claim)) return;
    const current = this.#rulesOf(claim.kind, claim.name);
    if (areSameRules(current, rules)) return;
    session.rules = current;
    this.#index.sortUser(session);
    this.#recheckSoon(session);
  }

  #sawMedia(session: Session, nowMs: number, mediaUs: number | undefined): void {
    session.mediaAtMs = nowMs;
    if (session.state === "running") return;
    const isStart = session.state === "establishing";
    session.moveTo("running");
    if (isStart)
      session.startedAtMs =
        mediaUs === undefined
          ? session.updatedAtMs
          : Math.max(session.openedAtMs, Math.floor(mediaUs / 1000));
    this.#plan(session);
    this.#options.onChange?.({ kind: isStart ? "started" : "updated", session });
  }

  /** Does what has fallen due for a session, and puts it in for the next time. */
  #tend(session: Session, nowMs: number): void {
    if (nowMs - session.seenMs >= idleMsOf(session.claim)) {
      this.#finish(session, "inactivity", 0);
      return;
    }
    if (session.surplusAtMs <= nowMs) {
      session.surplusAtMs = Infinity;
      if (this.#surplusOf(session) > 0) this.#banForLimit(session);
      if (session.state === "finished") return;
    }
    if (session.state === "running" && nowMs - session.mediaAtMs >= stallMsOf(session.claim)) {
      session.moveTo("stalling");
      this.#tellUpdated(session, 0);
    }
    if (session.state === "running") this.#tellUpdated(session, TELL_MS);
    if (session.recheckAtMs <= nowMs) {
      if (this.#rechecking < this.#limits.rechecks) void this.#recheck(session);
      else session.recheckAtMs = nowMs + 1000;
    }
    this.#plan(session);
  }

  #plan(session: Session): void {
    if (session.state === "finished") return;
    const stallAtMs = session.state === "running" ? session.mediaAtMs + stallMsOf(session.claim) : Infinity;
    const idleAtMs = session.seenMs + idleMsOf(session.claim);
    const tellAtMs = session.state === "running" ? session.toldAtMs + TELL_MS : Infinity;
    const atMs = Math.min(stallAtMs, idleAtMs, tellAtMs, session.recheckAtMs, session.surplusAtMs);
    if (atMs < Infinity) this.#due.put(session, atMs);
  }

  /** Tells of a session as it is, unless that was done less than so long ago. */
  #tellUpdated(session: Session, afterMs: number): void {
    const nowMs = this.#nowMs();
    if (nowMs - session.toldAtMs < afterMs) return;
    session.toldAtMs = nowMs;
    this.#options.onChange?.({ kind: "updated", session });
  }

  #planRecheck(session: Session): void {
    const { recheckMs = Infinity, expiresMs = Infinity } = session.allowance;
    const leftMs = Math.max(0, Math.min(recheckMs, expiresMs - this.#wallMs()));
    session.recheckAtMs = this.#nowMs() + leftMs;
  }

  #recheckSoon(session: Session): void {
    session.needsRecheck = session.isRechecking;
    if (session.isRechecking) return;
    session.recheckAtMs = this.#nowMs();
    this.#plan(session);
  }

  async #recheck(session: Session): Promise<void> {
    if (session.claim.isTokenCut === true && isGuardedSession(session)) {
      this.#finish(session, "it has rules now, and brings its token anew", 0);
      return;
    }
    session.isRechecking = true;
    session.recheckAtMs = Infinity;
    this.#rechecking++;
    const judgement = await this.#judge(session.rules, {
      ...this.#crowd(session.claim),
      requestType: "update_session",
      requestNumber: session.requestNumber++,
      sessionId: session.id,
      durationMs: this.#wallMs() - session.openedAtMs,
      bytes: session.bytes,
    });
    this.#rechecking--;
    session.isRechecking = false;
    if (session.state === "finished") return;
    this.#takeRecheck(session, judgement);
    if (this.#index.byId(session.id) === undefined) return;
    if (session.needsRecheck) this.#recheckSoon(session);
    this.#plan(session);
  }

  #takeRecheck(session: Session, judgement: Judgement): void {
    if (judgement.kind === "denied" || judgement.kind === "redirected") {
      this.#ban(session, judgement);
      return;
    }
    if (judgement.kind === "failed") {
      session.recheckAtMs = this.#nowMs() + FAILURE_RECHECK_MS;
      return;
    }
    const old = session.allowance;
    session.allowance = allowanceOf(judgement);
    this.#planRecheck(session);
    this.#index.sortUser(session);
    const { userId, maxSessions } = session.allowance;
    const isOther = userId !== old.userId || maxSessions !== old.maxSessions;
    this.#tellUpdated(session, isOther ? 0 : TELL_RECHECKED_MS);
    this.#keepUserLimit(session);
  }

  /** How many sessions too many the user of a session has. */
  #surplusOf(session: Session): number {
    return this.#index.ofSameUser(session).size - (maxSessionsOf(session) ?? Infinity);
  }

  /** Ends the oldest sessions of a user that has too many, at once or when their time of grace is over. */
  #keepUserLimit(session: Session): void {
    const surplus = this.#surplusOf(session);
    if (surplus <= 0) return;
    for (const old of [...this.#index.ofSameUser(session)].slice(0, surplus)) {
      const { softLimitationMs } = old.rules;
      if (softLimitationMs === 0) this.#banForLimit(old);
      else if (old.surplusAtMs === Infinity) {
        old.surplusAtMs = this.#nowMs() + softLimitationMs;
        this.#plan(old);
      }
    }
  }

  #banForLimit(session: Session): void {
    const forMs = session.allowance.recheckMs ?? DEFAULT_AUTH_DURATION_MS;
    this.#ban(session, {
      kind: "denied",
      status: 403,
      reason: "the user has more sessions than they may have",
      forMs,
    });
  }

  #ban(session: Session, refusal: Refusal): void {
    this.#bans.keep(session.identity, refusal, this.#nowMs(), refusedOf(session));
    // Who is sent elsewhere has to ask again to be told where.
    if (refusal.kind === "denied") this.#finish(session, refusal.reason, refusal.forMs);
    else this.#finish(session, "it is sent elsewhere", 0);
  }

  #finish(session: Session, reason: string, forMs: number): void {
    session.moveTo("finished");
    session.closedAtMs = this.#wallMs();
    session.closeReason = reason;
    session.trace?.gone();
    this.#index.remove(session);
    this.#due.remove(session);
    this.#over.ended({ id: session.id, reason, forMs, threads: session.threads });
    this.#options.onChange?.({ kind: "closed", session });
  }

  #makeId(): string {
    return this.#options.makeId?.() ?? randomUUID();
  }

  #nowMs(): number {
    return this.#options.clock.nowUs() / 1000;
  }

  #wallMs(): number {
    return Math.floor(this.#options.clock.wallUs() / 1000);
  }
}

function isGuardedSession({ claim, rules }: Session): boolean {
  return isJudged(claim) && isGuarded(rules, claim.kind);
}

function failedRefusal(reason: string): Refusal {
  return { kind: "denied", status: 503, reason, forMs: FULL_MS };
}

/** Only what is an allowance of a judgement: its other fields would be kept with every session. */
function allowanceOf({ userId, maxSessions, recheckMs, expiresMs }: Allowance): Allowance {
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(maxSessions === undefined ? {} : { maxSessions }),
    ...(recheckMs === undefined ? {} : { recheckMs }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  };
}
