import { algorithmOf } from "./access-values.ts";
import { readNetwork } from "./network-values.ts";
import { MAX_BACKENDS } from "./schema-access.ts";
import { bySetting, setting, textOf, textSetting } from "./settings.ts";
import { quoted } from "./values.ts";
import type { AuthBackendRules, JwtAlgorithm, JwtRules } from "../auth/rules.ts";
import { withoutUndefined } from "../base/without-undefined.ts";
import type { AuthBackendPlan, JwtPlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Authorizers } from "./resolve-access.ts";
import type { Definitions, Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";

/** The blocks of a config that `auth://` and `jwt://` name, and their plans in the order of the config. */
export type AuthorizerReadings = Authorizers & {
  readonly blockPlans: readonly AuthBackendPlan[];
  readonly jwtPlans: readonly JwtPlan[];
};

/**
 * Reads the `auth_backend` and `jwt` blocks.
 */
export function readAuthorizers(
  settings: Settings,
  definitions: Definitions,
  problems: ProblemList,
): AuthorizerReadings {
  const blocks = new Map<string, AuthBackendRules>();
  const jwts = new Map<string, JwtRules>();
  const blockPlans: AuthBackendPlan[] = [];
  const jwtPlans: JwtPlan[] = [];
  for (const directive of settings.get("auth_backend") ?? []) {
    const rules = readBlock(directive, problems);
    const place = directive.places[0]!;
    if (!definitions.define(`auth_backend "${rules.name}"`, place, "give one of them another name"))
      continue;
    blocks.set(rules.name, rules);
    blockPlans.push({ ...rules, place });
  }
  for (const directive of settings.get("jwt") ?? []) {
    const rules = readJwt(directive, problems);
    const place = directive.places[0]!;
    if (!definitions.define(`jwt "${rules.name}"`, place, "give one of them another name")) continue;
    jwts.set(rules.name, rules);
    jwtPlans.push({ ...rules, place });
  }
  return { blocks, jwts, blockPlans, jwtPlans };
}

/** The values behind `allow KIND` and `deny KIND`, all lines of one kind together. */
type Lists = Readonly<Record<"token" | "ip" | "country" | "ua", Set<string>>>;

function readBlock(directive: Directive, problems: ProblemList): AuthBackendRules {
  const lists = { allow: emptyLists(), deny: emptyLists() };
  const backends = new Set<string>();
  let byDefault: Directive | undefined;
  for (const child of directive.children) {
    const { name } = child.spec;
    if (name === "backend") for (const value of child.values) backends.add(textOf(value));
    if (name !== "allow" && name !== "deny") continue;
    if (textOf(child.values[0]) !== "default") readRule(child, lists[name], problems);
    else if (isOnlyDefault(child, byDefault, problems)) byDefault = child;
  }
  if (backends.size > MAX_BACKENDS) {
    const message = `auth_backend: these are ${backends.size} servers, and at most ${MAX_BACKENDS} can be asked`;
    problems.error("CONFIG_BAD_VALUE", directive.places[0]!, message);
  }
  return {
    name: textOf(directive.values[0]),
    allowTokens: [...lists.allow.token],
    denyTokens: [...lists.deny.token],
    allowIps: [...lists.allow.ip],
    denyIps: [...lists.deny.ip],
    allowCountries: [...lists.allow.country],
    denyCountries: [...lists.deny.country],
    allowUas: [...lists.allow.ua],
    denyUas: [...lists.deny.ua],
    backends: [...backends],
    allowsByDefault: byDefault?.spec.name === "allow",
  };
}

function emptyLists(): Lists {
  return { token: new Set(), ip: new Set(), country: new Set(), ua: new Set() };
}

function isOnlyDefault(child: Directive, first: Directive | undefined, problems: ProblemList): boolean {
  if (child.values.length > 1) {
    const message = `${child.spec.name} default: nothing stands behind it`;
    problems.error("CONFIG_TOO_MANY_ARGUMENTS", child.places[1]!, message);
  }
  if (first === undefined) return true;
  const related = [{ ...first.place, message: "first said here" }];
  const message = "what is done by default is said twice";
  problems.error("CONFIG_DEFINED_TWICE", child.place, message, { hint: "keep one of them", related });
  return false;
}

function readRule(rule: Directive, lists: Lists, problems: ProblemList): void {
  const kind = textOf(rule.values[0]) as keyof Lists;
  const words = rule.values.slice(1).map(textOf);
  if (words.length === 0) {
    const message = `${rule.spec.name} ${kind}: nobody is named`;
    problems.error("CONFIG_MISSING_ARGUMENT", rule.places[0]!, message, { hint: HINTS[kind] });
  }
  for (const [index, word] of words.entries()) {
    const read = READERS[kind](word);
    if (read !== undefined) {
      lists[kind].add(read);
      continue;
    }
    const message = `${rule.spec.name} ${kind}: ${quoted(word)} is none`;
    problems.error("CONFIG_BAD_VALUE", rule.places[index + 1]!, message, { hint: HINTS[kind] });
  }
}

const HINTS: Readonly<Record<keyof Lists, string>> = {
  token: "as in: allow token abc123;",
  ip: "as in 10.0.0.0/8, 10/8, 192.0.2.1 or 2001:db8::/32",
  country: "two letters, as in DE",
  ua: 'as in: deny ua "curl/";',
};

const READERS: Readonly<Record<keyof Lists, (word: string) => string | undefined>> = {
  token: (word) => word,
  ip: (word) => {
    const read = readNetwork(word);
    return "network" in read ? read.network : undefined;
  },
  country: (word) => (/^[a-z]{2}$/i.test(word) ? word.toUpperCase() : undefined),
  ua: (word) => word,
};

function readJwt(directive: Directive, problems: ProblemList): JwtRules {
  const settings = bySetting(directive.children, problems);
  const name = textOf(directive.values[0]);
  const place = directive.places[0]!;
  const keys = {
    secret: textSetting(settings, "secret"),
    keyFile: textSetting(settings, "key_file"),
    jwksUrl: textSetting(settings, "jwks"),
  };
  const hasPublicKey = keys.keyFile !== undefined || keys.jwksUrl !== undefined;
  if (keys.secret === undefined && !hasPublicKey && directive.isComplete) {
    problems.error("CONFIG_NOTHING_INSIDE", place, `jwt "${name}" has no key to check tokens with`, {
      hint: "add secret, key_file or jwks",
    });
  }
  return withoutUndefined<JwtRules>({
    name,
    algorithms: readAlgorithms(settings, { hasSecret: keys.secret !== undefined, hasPublicKey }, problems),
    ...keys,
    issuer: textSetting(settings, "issuer"),
    audience: textSetting(settings, "audience"),
  });
}

type Keys = { readonly hasSecret: boolean; readonly hasPublicKey: boolean };

/** One that no key is for would never let anybody in, or, worse, take a public key for a secret. */
function readAlgorithms(settings: Settings, keys: Keys, problems: ProblemList): JwtAlgorithm[] {
  const directive = setting(settings, "algorithms");
  if (directive === undefined) {
    const asymmetric: JwtAlgorithm[] = ["RS256", "ES256", "EdDSA"];
    return [...(keys.hasSecret ? (["HS256"] as const) : []), ...(keys.hasPublicKey ? asymmetric : [])];
  }
  const algorithms = directive.values.map((value) => algorithmOf(textOf(value)));
  for (const [index, algorithm] of algorithms.entries())
    reportKeyless(algorithm, directive.places[index]!, keys, problems);
  return [...new Set(algorithms)];
}

function reportKeyless(algorithm: JwtAlgorithm, place: Place, keys: Keys, problems: ProblemList): void {
  const isSecret = algorithm === "HS256";
  if (!keys.hasSecret && !keys.hasPublicKey) return;
  if (isSecret ? keys.hasSecret : keys.hasPublicKey) return;
  const message = `algorithms: there is no key for ${algorithm}`;
  problems.error("CONFIG_BAD_VALUE", place, message, {
    hint: isSecret ? "add secret" : "add key_file or jwks",
  });
}
