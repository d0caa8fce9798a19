import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import { isEqualText } from "../equal-texts.ts";
import { readAuthorization } from "./authorization.ts";
import type { Authorization } from "./authorization.ts";
import { isHashed } from "./hash-format.ts";
import { PasswordVerifier } from "./password-verifier.ts";
import type { ApiAccess, ApiScope } from "./scopes.ts";

/** A login with its password, plain or hashed. */
export type ApiCredentials = { readonly login: string; readonly password: string };

/** A token of the API, plain or hashed. */
export type ApiToken = {
  readonly name: string;
  readonly token: string;
  readonly scopes: readonly ApiScope[];
  /** UTC in milliseconds; absent: for ever. */
  readonly expiresMs?: number;
};

/** Whom the API lets in. */
export type ApiKeys = {
  readonly editAuth?: ApiCredentials | undefined;
  readonly viewAuth?: ApiCredentials | undefined;
  readonly apiTokens?: readonly ApiToken[] | undefined;
  readonly clusterKey?: string | undefined;
};

/** What is answered. `who`: the login, or the name of the token, for the log. */
export type ApiVerdict =
  | {
      readonly kind: "allowed";
      /** What it may do at most; `accessIn` says what in an area. */
      readonly access: ApiAccess;
      readonly scopes: readonly ApiScope[];
      readonly who: string;
    }
  /** Nothing was sent; it is wrong, whatever about it; or too many are being checked. */
  | { readonly kind: "refused"; readonly reason: "absent" | "wrong" | "busy" };

/** What is asked of the API: who says it is who, and whether it only looks. */
export type ApiQuestion = { readonly authorization: string | undefined; readonly method: string };

/** Tokens with hashes that take long, of which each wrong token costs all: so many are tried. */
export const MAX_SLOW_TOKENS = 8;

/** How far clocks of servers of a cluster may be apart. */
const CLUSTER_SKEW_S = 300;

type Candidate = {
  readonly verdict: Extract<ApiVerdict, { kind: "allowed" }>;
  readonly given: string;
  readonly stored: string;
  /** The header names who it is, and does not bring a token alone. */
  readonly isNamed: boolean;
};

type Cluster = Extract<Authorization, { readonly scheme: "cluster" }>;
type Login = Exclude<Authorization, Cluster>;

const REFUSED = { kind: "refused", reason: "wrong" } as const;

/**
 * Says who may use the API, by the `Authorization` header.
 *
 * `Basic` and `Bearer` carry base64 of `login:password`, as API clients of the reference product send them; `name:token`
 * is a token of the API. `Bearer` with a token as it is works too. `Cluster TIME:HASH` may look, for five minutes around
 * its time; whoever sees it on its way may too.
 *
 * What is wrong is not told, nor by the time that it takes: a wrong login costs the hash of a password as well. Without
 * any keys nobody gets in.
 */
export class ApiGate {
  readonly #clock: Clock;
  readonly #verifier: PasswordVerifier;

  constructor(clock: Clock, verifier = new PasswordVerifier()) {
    this.#clock = clock;
    this.#verifier = verifier;
  }

  /** Never rejects. */
  async judge(question: ApiQuestion, keys: ApiKeys): Promise<ApiVerdict> {
    const { authorization = "", method } = question;
    if (authorization === "") return { kind: "refused", reason: "absent" };
    const read = readAuthorization(authorization);
    if (read === null) return REFUSED;
    if (read.scheme === "cluster") return this.#cluster(read, method, keys);
    return this.#first(candidates(read, keys, this.#clock.wallUs() / 1000), dummyOf(keys), read.text);
  }

  /** The first that fits: of those that can be said at once, then of those that take a hash. */
  async #first(list: readonly Candidate[], dummy: string | undefined, given: string): Promise<ApiVerdict> {
    const known = list.map((one) => this.#verifier.knows(one.given, one.stored));
    const atOnce = known.indexOf(true);
    if (atOnce !== -1) return list[atOnce]!.verdict;
    const slow = list.filter((_, i) => known[i] === null).slice(0, MAX_SLOW_TOKENS);
    try {
      for (const one of slow) if (await this.#verifier.verify(one.given, one.stored)) return one.verdict;
      const isNamed = slow.some((one) => one.isNamed);
      if (!isNamed && dummy !== undefined) await this.#verifier.verify(given, dummy);
      return REFUSED;
    } catch (caught) {
      if (asMediaError(caught) === null) throw caught;
      return { kind: "refused", reason: "busy" };
    }
  }

  /** Spec: `Cluster TIME:hex(sha1("TIME:KEY"))`, TIME in UTC seconds. */
  #cluster({ time, hash }: Cluster, method: string, { clusterKey }: ApiKeys): ApiVerdict {
    const isLook = method === "GET" || method === "HEAD";
    if (clusterKey === undefined || clusterKey === "" || !isLook) return REFUSED;
    const wanted = createHash("sha1").update(`${time}:${clusterKey}`).digest("hex");
    const isNow = Math.abs(this.#clock.wallUs() / 1e6 - Number(time)) <= CLUSTER_SKEW_S;
    if (!isEqualText(hash, wanted) || !isNow) return REFUSED;
    return { kind: "allowed", access: "view", scopes: ["view"], who: "cluster" };
  }
}

/** Whom the header could mean. All logins are compared, each in the same time. */
function candidates(read: Login, keys: ApiKeys, nowMs: number): Candidate[] {
  const { editAuth, viewAuth, apiTokens = [] } = keys;
  const { login, password, text } = read;
  const logins = [loginCandidate(editAuth, "edit", password), loginCandidate(viewAuth, "view", password)];
  const tokens = apiTokens
    .filter(({ expiresMs = Number.POSITIVE_INFINITY }) => nowMs < expiresMs)
    .map((token) => tokenCandidate(token, password));
  const named = [...logins, ...tokens].filter((one) => one !== null && isEqualText(login, one.verdict.who));
  const isBearer = read.scheme === "bearer";
  const bare = isBearer ? tokens.map((one) => ({ ...one, given: text, isNamed: false })) : [];
  return [...named, ...bare].filter((one) => one !== null);
}

function loginCandidate(
  wanted: ApiCredentials | undefined,
  access: ApiAccess,
  given: string,
): Candidate | null {
  // An empty login or password is none, whoever configured it.
  if (wanted === undefined || wanted.login === "" || wanted.password === "") return null;
  const verdict = { kind: "allowed", access, scopes: [access], who: wanted.login } as const;
  return { verdict, given, stored: wanted.password, isNamed: true };
}

function tokenCandidate({ name, token, scopes }: ApiToken, given: string): Candidate {
  const access = scopes.every((scope) => scope === "view" || scope === "metrics") ? "view" : "edit";
  return { verdict: { kind: "allowed", access, scopes, who: name }, given, stored: token, isNamed: true };
}

/** A hash that is computed for a login that nobody has. */
function dummyOf({ editAuth, viewAuth }: ApiKeys): string | undefined {
  return [editAuth, viewAuth].map((auth) => auth?.password).find((password) => isHashed(password ?? ""));
}
