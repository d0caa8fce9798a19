import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import { isEqualText } from "../equal-texts.ts";
import { isHashed } from "./password-hash.ts";
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

/** Longest header that is looked at, in characters. */
export const MAX_AUTHORIZATION_LENGTH = 8192;

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

const REFUSED = { kind: "refused", reason: "wrong" } as const;

/**
 * Says who may use the API, by the `Authorization` header.
 *
 * `Basic` and `Bearer` carry base64 of `login:password`, as API clients of the reference product send them; `name:token`
 * is a token of the API. `Bearer` with a token as it is works too. Line ends at the end of what is base64 are no part of
 * it: one made by `echo root:password | base64`, as in a Secret, has one. `Cluster TIME:HASH` may look, for five minutes
 * around its time; whoever sees it on its way may too.
 *
 * What is wrong is not told, nor by the time that it takes: a wrong login costs the hash of a password as well. Without
 * any keys nobody gets in. Spec: RFC 7617, RFC 6750 section 2.1.
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
    const [, scheme = "", given = ""] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization) ?? [];
    if (given === "" || authorization.length > MAX_AUTHORIZATION_LENGTH) return REFUSED;
    if (/^cluster$/i.test(scheme)) return this.#cluster(given, method, keys);
    if (!/^(?:basic|bearer)$/i.test(scheme)) return REFUSED;
    const isBearer = /^bearer$/i.test(scheme);
    return this.#first(
      candidates(given, isBearer, keys, this.#clock.wallUs() / 1000),
      dummyOf(keys),
      given,
    );
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
  #cluster(given: string, method: string, { clusterKey }: ApiKeys): ApiVerdict {
    const [, time, hash] = /^(\d{1,12}):([0-9a-f]{40})$/i.exec(given) ?? [];
    const isLook = method === "GET" || method === "HEAD";
    if (time === undefined || hash === undefined || !isLook) return REFUSED;
    if (clusterKey === undefined || clusterKey === "") return REFUSED;
    const wanted = createHash("sha1").update(`${time}:${clusterKey}`).digest("hex");
    const isNow = Math.abs(this.#clock.wallUs() / 1e6 - Number(time)) <= CLUSTER_SKEW_S;
    if (!isEqualText(hash.toLowerCase(), wanted) || !isNow) return REFUSED;
    return { kind: "allowed", access: "view", scopes: ["view"], who: "cluster" };
  }
}

/** Whom the header could mean. All logins are compared, each in the same time. */
function candidates(given: string, isBearer: boolean, keys: ApiKeys, nowMs: number): Candidate[] {
  const { editAuth, viewAuth, apiTokens = [] } = keys;
  const { login, password } = loginOf(given);
  const logins = [loginCandidate(editAuth, "edit", password), loginCandidate(viewAuth, "view", password)];
  const tokens = apiTokens
    .filter(({ expiresMs = Number.POSITIVE_INFINITY }) => nowMs < expiresMs)
    .map((token) => tokenCandidate(token, password));
  const named = [...logins, ...tokens].filter((one) => one !== null && isEqualText(login, one.verdict.who));
  const bare = isBearer ? tokens.map((one) => ({ ...one, given, isNamed: false })) : [];
  return [...named, ...bare].filter((one) => one !== null);
}

function loginOf(given: string): ApiCredentials {
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(given);
  const text = isBase64 ? Buffer.from(given, "base64").toString("utf8") : "";
  const line = text.replace(/[\r\n]+$/, "");
  const colon = line.indexOf(":");
  return colon === -1
    ? { login: "", password: "" }
    : { login: line.slice(0, colon), password: line.slice(colon + 1) };
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
