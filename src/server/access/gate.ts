import { createHash, createHmac, hash, randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { RulesOf, SessionClaim, SessionEnd, SessionKind, Verdict } from "../../auth/claim.ts";
import { keptName } from "../../auth/sessions/denials.ts";
import type { CountedClaim } from "../../auth/sessions/session.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { dropOldest } from "../../base/oldest.ts";
import { ownText } from "../../base/own-text.ts";
import { TurnShare } from "../../base/turn-share.ts";
import type { Permit } from "../../stream/permit.ts";
import { nameRulesOf } from "./access-rules.ts";
import type { NameRules } from "./access-rules.ts";
import { ConnectionPermit } from "./connection-permit.ts";
import { accessErrors } from "./errors.ts";
import { openClaim } from "./open-claim.ts";
import { ServedSessions } from "./served-sessions.ts";
import type { SessionControl } from "./session-authority.ts";

/** How long a verdict may take. */
const VERDICT_LIMIT_MS = 10_000;
/** Who could not be judged is not asked about again for so long. */
const UNAVAILABLE_MS = 1000;
/** Names whose rules are kept, and refusals, and sessions of this thread's own that were ended. */
const MAX_KEPT = 50_000;
/** The same of names that are longer than a stream's: a file's may be as long as a path, and anybody makes them up. */
const MAX_LONG_KEPT = 1000;
/** A permit that nobody takes up within so long is given back. */
const TAKE_UP_MS = 10_000;
/** Viewers that go on with their verdicts in one turn of the loop: each is a playlist that is sent, of some 0.15 ms. */
const VERDICTS_A_TURN = 8;
/** Of an id that a thread makes: so much tells the viewer, the rest one connection from another. */
const IDENTITY_DIGITS = 16;

/** A verdict other than leave. */
export type Refusal = Exclude<Verdict, { readonly kind: "allowed" }>;

/** What a refusal is of; its rules are `NameRules` as `rules` gives them. */
export type RefusedName = { readonly kind: SessionKind; readonly name: string; readonly rules: NameRules };

type KeptRefusal = { readonly refusal: Refusal; readonly untilUs: number; readonly of: RefusedName | null };

/** What a gate is given. */
export type AccessGateOptions = {
  readonly clock: Clock;
  readonly control: SessionControl;
  /** From the configuration in force. */
  readonly rulesOf: RulesOf;
  /** A secret of the process, the same in all threads: viewers whom nobody judges have the same id in each of them. */
  readonly salt: string;
};

/**
 * What a media thread knows of sessions: whom it has to ask about, who was refused lately, and what is served in whose name.
 *
 * A name without rules costs nothing and waits for nobody: its sessions are begun here and only told of. Bounded: `MAX_KEPT`
 * names and refusals, one unanswered question a claim.
 */
export class AccessGate {
  static readonly MAX_KEPT = MAX_KEPT;

  readonly served: ServedSessions;
  readonly #options: AccessGateOptions;
  readonly #rules: Readonly<Record<SessionKind, Map<string, NameRules>>> = {
    play: new Map(),
    publish: new Map(),
  };
  readonly #longRules: Readonly<Record<SessionKind, Map<string, NameRules>>> = {
    play: new Map(),
    publish: new Map(),
  };
  readonly #turns = new TurnShare(VERDICTS_A_TURN);
  /** Verdicts that wait for their turn. */
  readonly #inTurns = new Set<{ verdict: Verdict }>();
  readonly #refusals = new Map<string, KeptRefusal>();
  /** Sessions that were ended, apart from what strangers may fill up. */
  readonly #ended = new Map<string, KeptRefusal>();

  constructor(options: AccessGateOptions) {
    this.#options = options;
    this.served = new ServedSessions(options.clock, options.control);
  }

  /** The rules of a name; the same object as long as they are the same. */
  rules(kind: SessionKind, name: string): NameRules {
    const isLong = keptName(name) === "";
    const kept = (isLong ? this.#longRules : this.#rules)[kind];
    const known = kept.get(name);
    if (known !== undefined) return known;
    const rules = nameRulesOf(this.#options.rulesOf(kind, name), kind);
    kept.set(ownText(name), rules);
    dropOldest(kept, isLong ? MAX_LONG_KEPT : MAX_KEPT);
    return rules;
  }

  /** Another configuration is in force: what was found out by rules that it changes is forgotten. */
  configure(): void {
    for (const kind of ["play", "publish"] as const) {
      for (const kept of [this.#rules[kind], this.#longRules[kind]]) {
        for (const [name, { rules }] of kept)
          if (!isDeepStrictEqual(rules, this.#options.rulesOf(kind, name))) kept.delete(name);
      }
    }
    for (const [key, { of }] of this.#refusals)
      if (of !== null && (of.name === "" || this.rules(of.kind, of.name) !== of.rules))
        this.#refusals.delete(key);
  }

  /** Why `key` is refused still; `null` where it has to be asked. */
  refused(key: string): Refusal | null {
    return this.#find(this.#refusals, key);
  }

  /** Refuses `key` without asking, for so long, but not behind a change of the rules. */
  refuse(key: string, refusal: Refusal, of: RefusedName): void {
    if (this.rules(of.kind, of.name) !== of.rules) return;
    this.#keep(this.#refusals, key, refusal, { ...of, name: ownText(keptName(of.name)) });
  }

  /** What stands for a viewer without a token: nobody guesses it, and all threads find the same. `key`: who it is. */
  tokenOf(key: string): string {
    return createHmac("sha256", this.#options.salt).update(`token\n${key}`).digest("hex").slice(0, 32);
  }

  /**
   * Asks about a claim, which `key` is short for. Never rejects; takes `VERDICT_LIMIT_MS` at most. The session of a
   * connection that is allowed later is given back.
   */
  ask(claim: SessionClaim, key: string, isConnection = false): Promise<Verdict> {
    const { clock, control } = this.#options;
    const { kind, name } = claim;
    const of = { kind, name, rules: this.rules(kind, name) };
    // A thousand of these may wait at once, and all that they hold is looked at by the collector again and again: one promise.
    return new Promise((resolve) => {
      let isOver = false;
      const settle = (first: Verdict): void => {
        if (isOver) {
          if (isConnection) this.#giveBack(first);
          return;
        }
        isOver = true;
        timer.cancel();
        this.#inTurn(first, (verdict) => {
          if (verdict.kind !== "allowed") this.refuse(key, verdict, of);
          resolve(verdict);
        });
      };
      const timer = clock.schedule(VERDICT_LIMIT_MS, () => settle(unavailable("it takes too long")));
      control.open(claim).then(settle, (caught: unknown) => settle(unavailable(messageOf(caught))));
    });
  }

  /**
   * Leave for one connection: at once where nobody has to be asked. Throws, or rejects with, ACCESS_DENIED, _PASSWORD,
   * _UNAVAILABLE.
   */
  permit(claim: SessionClaim): Permit | Promise<Permit> {
    if (!this.rules(claim.kind, claim.name).isGuarded) return this.openPermit(claim);
    const key = claimKey(claim);
    const refusal = this.refused(key);
    if (refusal !== null) throw refusalError(claim, refusal);
    return this.#askedPermit(claim, key);
  }

  /** The same for a name that nobody is asked about. Throws ACCESS_DENIED for a viewer whose session was ended. */
  openPermit(claim: SessionClaim): Permit {
    const key = claimKey(claim);
    const refusal = this.#endedFor(this.#identity(key));
    if (refusal !== null) throw refusalError(claim, refusal);
    const id = this.#identity(key).slice(0, IDENTITY_DIGITS) + randomBytes(8).toString("hex");
    const begun = { id, claim: openClaim(claim) };
    return new ConnectionPermit(this.served, id, () => this.#options.control.begun(begun));
  }

  /** The session of something that the server itself does, begun at once. */
  ownPermit(claim: CountedClaim): Permit {
    const id = randomBytes(16).toString("hex");
    const permit = new ConnectionPermit(this.served, id, () => this.#options.control.begun({ id, claim }));
    permit.begun();
    return permit;
  }

  /** Leave of a verdict for one connection, which is given back unless it is taken up soon. */
  allowedPermit(id: string): Permit {
    const permit = new ConnectionPermit(this.served, id, () => {});
    permit.hold(this.#options.clock, TAKE_UP_MS);
    return permit;
  }

  /**
   * Begins the session of a viewer who asks again and again and whom nobody judges; `key` stands for who it is. Returns: its
   * id, or why it may not: its session was ended a moment ago.
   */
  beginViewer(claim: SessionClaim, key: string): string | Refusal {
    const id = this.#identity(key);
    const refusal = this.#endedFor(id);
    if (refusal !== null) return refusal;
    this.#options.control.begun({ id, claim: openClaim(claim) });
    return id;
  }

  /** The authority has ended sessions. */
  end(ends: readonly SessionEnd[]): void {
    for (const end of ends) this.#keep(this.#ended, identityOf(end.id), endedRefusal(end), null);
    for (const waiting of this.#inTurns) {
      const { verdict } = waiting;
      const end = verdict.kind === "allowed" ? ends.find(({ id }) => id === verdict.id) : undefined;
      if (end !== undefined) waiting.verdict = endedRefusal(end);
    }
    this.served.end(ends);
  }

  /** The thread ends. */
  close(): void {
    this.served.close();
  }

  async #askedPermit(claim: SessionClaim, key: string): Promise<Permit> {
    const verdict = await this.ask(claim, key, true);
    if (verdict.kind === "allowed") return this.allowedPermit(verdict.id);
    throw refusalError(claim, verdict);
  }

  /** Goes on with the verdict when it is its turn, or with that the session was ended while it waited. */
  #inTurn(verdict: Verdict, goOn: (verdict: Verdict) => void): void {
    const waiting = { verdict };
    this.#inTurns.add(waiting);
    this.#turns.pass(() => {
      this.#inTurns.delete(waiting);
      goOn(waiting.verdict);
    });
  }

  #giveBack(verdict: Verdict): void {
    if (verdict.kind !== "allowed") return;
    this.#options.control.closed({ id: verdict.id, reason: "the verdict came too late", connections: 1 });
  }

  #identity(key: string): string {
    return createHash("sha256").update(this.#options.salt).update(key).digest("hex").slice(0, 32);
  }

  #endedFor(id: string): Refusal | null {
    return this.#find(this.#ended, identityOf(id));
  }

  #find(kept: Map<string, KeptRefusal>, key: string): Refusal | null {
    const found = kept.get(key);
    if (found === undefined) return null;
    if (this.#options.clock.nowUs() < found.untilUs) return found.refusal;
    kept.delete(key);
    return null;
  }

  #keep(kept: Map<string, KeptRefusal>, key: string, refusal: Refusal, of: RefusedName | null): void {
    if (refusal.forMs <= 0) return;
    kept.delete(key);
    kept.set(key, { refusal, untilUs: this.#options.clock.nowUs() + refusal.forMs * 1000, of });
    dropOldest(kept, MAX_KEPT);
  }
}

/** Of an id that a thread made, what tells the viewer. */
function identityOf(id: string): string {
  return id.slice(0, IDENTITY_DIGITS);
}

/** What tells one claim from another, for refusals to be kept by. */
export function claimKey(claim: SessionClaim): string {
  const { kind, name, proto, ip, token = "", password = "", extraKeys, userAgent = "" } = claim;
  // Lengths go before texts: no text can take over the place of another. A hash, since clients choose how long it is.
  const parts = [kind, name, proto, ip, token, password, extraKeys, userAgent];
  return hash("sha256", parts.map((part) => `${part.length}:${part}`).join(), "base64url");
}

/** The error that tells a refusal. Where it would send on, only HTTP can. */
export function refusalError(
  { kind, name }: Pick<SessionClaim, "kind" | "name">,
  refusal: Refusal,
): MediaError {
  if (refusal.kind === "redirected")
    return accessErrors.error("ACCESS_DENIED", { name, reason: "it is to be had elsewhere" });
  const { status, reason } = refusal;
  if (status === 503) return accessErrors.error("ACCESS_UNAVAILABLE", { name, reason });
  // A challenge makes browsers ask people for a password, who have none to give.
  const code = status === 401 && kind === "publish" ? "ACCESS_PASSWORD" : "ACCESS_DENIED";
  return accessErrors.error(code, { name, reason });
}

/** What is said to those whose session was ended. */
export function endedRefusal({ reason, forMs }: SessionEnd): Refusal {
  return { kind: "denied", status: 403, reason, forMs };
}

function unavailable(reason: string): Refusal {
  return { kind: "denied", status: 503, reason, forMs: UNAVAILABLE_MS };
}
