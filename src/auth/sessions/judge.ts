import type { AskLane } from "../backends/ask-queue.ts";
import type { Answer, Question } from "../backends/backend-request.ts";
import { decideByLists, firstAllowing } from "../backends/block.ts";
import type { SessionClaim } from "../claim.ts";
import type { Failures } from "../credentials/failures.ts";
import { isEqualText } from "../equal-texts.ts";
import type { AccessRules, AuthBackendRules } from "../rules.ts";
import { isAllowedPage } from "./domains.ts";
import type { Allowance, CountedClaim } from "./session.ts";
import type { TokenAuthorizer, TokenCheck } from "../tokens/token-result.ts";

/** What is said holds so long where nobody says how long. Units: milliseconds. */
export const DEFAULT_AUTH_DURATION_MS = 180_000;
/** A refusal by the configuration's own lists costs nothing to find again. Units: milliseconds. */
const LIST_DENIAL_MS = 10_000;
/** A server that could not be asked about a new session is asked about it again after this. Units: milliseconds. */
export const FAILURE_DENIAL_MS = 5000;
/** One about whose session it could not be asked, or that was let in for that reason. Units: milliseconds. */
export const FAILURE_RECHECK_MS = 30_000;

/** What is judged of a claim. "failed": nobody could be asked about a session that there is, so it goes on. */
export type Judgement =
  | ({ readonly kind: "allowed" } & Allowance)
  | Denial
  | { readonly kind: "redirected"; readonly location: string; readonly forMs: number }
  | { readonly kind: "failed"; readonly reason: string };

type Denial = {
  readonly kind: "denied";
  readonly status: 401 | 403 | 503;
  readonly reason: string;
  readonly forMs: number;
};

/** Asks a server; `Backends` does. Never rejects. */
export type AskServer = (url: string, question: Question, lane: AskLane) => Promise<Answer>;

/** What judging needs. */
export type JudgeOptions = {
  readonly askServer: AskServer;
  readonly checkToken: TokenCheck;
  /** Whether what a publisher said is the password of the rules; absent: where both are the same text. */
  readonly matchesPassword?: (said: string, password: string) => boolean | Promise<boolean>;
  /** Slows down who guesses passwords of publishers; absent: nobody is. */
  readonly guesses?: Pick<Failures, "admit">;
  /** Somebody failed to say a password, or brought a token that nobody signed who has a key. */
  readonly onWrong?: (what: "password" | "token", claim: SessionClaim) => void;
  /** UTC in milliseconds. */
  readonly wallMs: () => number;
};

/**
 * Judges claims, in this order: password, domains, countries, then whoever the rules name.
 *
 * A server that fails, is away or slow: a new session is refused with 403, and asked about again after 5 s at the earliest; in
 * a block `allow default` lets it in, and it is asked about again after 30 s. A token that could not be checked, as with keys
 * that are not to be had, is refused with 503. A session that there is goes on in all these cases.
 */
export class Judge {
  readonly #options: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** Rejects only where `matchesPassword` does. */
  async judge(rules: AccessRules, question: Question): Promise<Judgement> {
    const { claim, country } = question;
    const refused =
      (await this.#checkPassword(rules, question)) ??
      checkDomains(rules.domains, claim) ??
      checkCountry(rules, country);
    return refused ?? (await this.#authorize(rules, question));
  }

  async #checkPassword({ password }: AccessRules, question: Question): Promise<Denial | null> {
    const { claim, requestType } = question;
    if (password === undefined || claim.kind !== "publish") return null;
    const said = claim.password ?? claim.token;
    if (said === undefined || said === "") return deny(401, "a password is asked for", 0);
    const { matchesPassword = isEqualText, guesses, onWrong } = this.#options;
    const wrong = deny(403, "the password is another", 0);
    // Who publishes already guesses nothing, and is no neighbour's fault.
    if (requestType === "update_session") return (await matchesPassword(said, password)) ? null : wrong;
    const admission = guesses?.admit(claim.ip);
    if (admission?.kind === "refused")
      return deny(403, "too many wrong passwords came from its address", 0);
    try {
      // A mistyped password is not held against who types it right the next time.
      if (await matchesPassword(said, password)) return null;
      if (isJudged(claim)) onWrong?.("password", claim);
      await admission?.attempt.failed(`${claim.name}\n${said}`);
      return wrong;
    } finally {
      admission?.attempt.done();
    }
  }

  async #authorize({ authorizer }: AccessRules, question: Question): Promise<Judgement> {
    switch (authorizer?.kind) {
      case undefined:
      case "everyone":
        return { kind: "allowed" };
      case "nobody":
        return deny(403, "nobody may", LIST_DENIAL_MS);
      case "http":
        return this.#byAnswer(await this.#ask(authorizer.url, question), question, false);
      case "block":
        return await this.#byBlock(authorizer.block, question);
      case "securetoken":
      case "signed":
      case "jwt":
        return await this.#byToken(authorizer, question);
    }
  }

  #ask(url: string, question: Question): Promise<Answer> {
    return this.#options.askServer(
      url,
      question,
      question.requestType === "new_session" ? "new" : "update",
    );
  }

  async #byBlock(block: AuthBackendRules, question: Question): Promise<Judgement> {
    const decision = decideByLists(block, question.claim, question.country);
    const allowed = { kind: "allowed", recheckMs: DEFAULT_AUTH_DURATION_MS } as const;
    if (decision === "allow") return allowed;
    if (decision === "deny") return deny(403, `auth_backend ${block.name} denies it`, LIST_DENIAL_MS);
    if (block.backends.length === 0)
      return block.allowsByDefault
        ? allowed
        : deny(403, `auth_backend ${block.name} does not allow it`, LIST_DENIAL_MS);
    const answer = await firstAllowing(block.backends.map((url) => this.#ask(url, question)));
    return this.#byAnswer(answer, question, block.allowsByDefault);
  }

  #byAnswer(answer: Answer, question: Question, allowsByDefault: boolean): Judgement {
    if (answer.kind === "failed") {
      if (question.requestType === "update_session") return answer;
      return allowsByDefault
        ? { kind: "allowed", recheckMs: FAILURE_RECHECK_MS }
        : deny(403, "who is asked does not answer", FAILURE_DENIAL_MS);
    }
    const forMs = answer.authDurationMs ?? DEFAULT_AUTH_DURATION_MS;
    if (answer.kind === "denied") return deny(403, "who is asked denies it", forMs);
    if (answer.kind === "redirected") return { kind: "redirected", location: answer.location, forMs };
    const { userId, maxSessions } = answer;
    return {
      kind: "allowed",
      recheckMs: forMs,
      ...(userId === undefined ? {} : { userId }),
      ...(maxSessions === undefined ? {} : { maxSessions }),
    };
  }

  async #byToken(authorizer: TokenAuthorizer, question: Question): Promise<Judgement> {
    const { claim } = question;
    if (!isJudged(claim)) return { kind: "allowed" };
    const result = await this.#options
      .checkToken(authorizer, claim, this.#options.wallMs())
      .catch(() => null);
    // A key that is not to be had, as of a JWKS that is away, tells nothing of the token.
    if (result === null || (!result.allowed && result.isUnavailable === true)) {
      const reason = result?.reason ?? "the token could not be checked";
      return question.requestType === "update_session"
        ? { kind: "failed", reason }
        : deny(503, reason, FAILURE_DENIAL_MS);
    }
    if (!result.allowed) {
      if (result.isForged === true) this.#options.onWrong?.("token", claim);
      return deny(403, result.reason, LIST_DENIAL_MS);
    }
    const { allowed: _, ...allowance } = result;
    return { kind: "allowed", recheckMs: DEFAULT_AUTH_DURATION_MS, ...allowance };
  }
}

/** Pushes and recordings are the server's own. */
export function isJudged(claim: CountedClaim): claim is SessionClaim {
  return claim.kind === "play" || claim.kind === "publish";
}

function deny(status: Denial["status"], reason: string, forMs: number): Denial {
  return { kind: "denied", status, reason, forMs };
}

/** Never kept: the same viewer may come from an allowed page next. */
function checkDomains(domains: readonly string[], claim: CountedClaim): Denial | null {
  // Nobody judged the player page itself but by the page that it stands in.
  const isWithinPlayer = claim.isOwnPage === true && claim.proto !== "player";
  if (domains.length === 0 || isWithinPlayer || isAllowedPage(domains, claim.referer)) return null;
  return deny(403, "pages of this site may not play it", 0);
}

/** Where countries are listed that may, one that is not known may not. */
function checkCountry(rules: AccessRules, country: string | undefined): Denial | null {
  const { allowedCountries, disallowedCountries } = rules;
  const isMissing =
    allowedCountries.length > 0 && (country === undefined || !allowedCountries.includes(country));
  const isListed = country !== undefined && disallowedCountries.includes(country);
  return isMissing || isListed ? deny(403, "it may not be played in this country", LIST_DENIAL_MS) : null;
}
