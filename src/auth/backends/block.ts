/** Blocks of rules: `auth_backend NAME { ... }`. */
import { Networks } from "../addresses.ts";
import type { AuthBackendRules } from "../rules.ts";
import type { CountedClaim } from "../sessions/session.ts";
import type { Answer } from "./backend-request.ts";

/** What the lists of a block say; "nothing": the servers are asked. */
export type BlockDecision = "allow" | "deny" | "nothing";

/** The long lists of a block, as they are looked through. */
type Lists = {
  readonly allowTokens: ReadonlySet<string>;
  readonly denyTokens: ReadonlySet<string>;
  readonly allowIps: Networks;
  readonly denyIps: Networks;
};

/** Read once a block: a list may have thousands of lines, and is asked about every session. */
const readLists = new WeakMap<AuthBackendRules, Lists>();

/**
 * What the lists of a block say, the first that has what the claim brings: tokens, addresses, countries, programs, and of each
 * what is allowed before what is denied. A program fits where its User-Agent has the text in it, in any case of letters.
 */
export function decideByLists(
  rules: AuthBackendRules,
  claim: CountedClaim,
  country: string | undefined,
): BlockDecision {
  const { token, ip } = claim;
  const lists = listsOf(rules);
  const agent = claim.userAgent?.toLowerCase();
  const hasToken = (tokens: ReadonlySet<string>): boolean => token !== undefined && tokens.has(token);
  const hasCountry = (codes: readonly string[]): boolean =>
    country !== undefined && codes.includes(country);
  const hasAgent = (parts: readonly string[]): boolean =>
    agent !== undefined && parts.some((part) => agent.includes(part.toLowerCase()));
  const steps: readonly [boolean, BlockDecision][] = [
    [hasToken(lists.allowTokens), "allow"],
    [hasToken(lists.denyTokens), "deny"],
    [lists.allowIps.has(ip), "allow"],
    [lists.denyIps.has(ip), "deny"],
    [hasCountry(rules.allowCountries), "allow"],
    [hasCountry(rules.denyCountries), "deny"],
    [hasAgent(rules.allowUas), "allow"],
    [hasAgent(rules.denyUas), "deny"],
  ];
  return steps.find(([fits]) => fits)?.[1] ?? "nothing";
}

/**
 * What several servers say together: the first that allows decides at once. Where none does, one that sends elsewhere counts
 * more than one that denies, and that more than one that fails.
 */
export function firstAllowing(answers: readonly Promise<Answer>[]): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let best: Answer = { kind: "failed", reason: "there is no server to ask" };
  let left = answers.length;
  const weigh = (answer: Answer): void => {
    if (rankOf(answer) > rankOf(best) || best.kind === "failed") best = answer;
    left--;
    if (answer.kind === "allowed" || left === 0) resolve(best);
  };
  for (const answer of answers) void answer.then(weigh);
  if (left === 0) resolve(best);
  return promise;
}

function listsOf(rules: AuthBackendRules): Lists {
  const known = readLists.get(rules);
  if (known !== undefined) return known;
  const lists = {
    allowTokens: new Set(rules.allowTokens),
    denyTokens: new Set(rules.denyTokens),
    allowIps: new Networks(rules.allowIps),
    denyIps: new Networks(rules.denyIps),
  };
  readLists.set(rules, lists);
  return lists;
}

function rankOf({ kind }: Answer): number {
  return ["failed", "denied", "redirected", "allowed"].indexOf(kind);
}
