import { OPEN_RULES } from "../auth/rules.ts";
import { readAuthorizer, readCountries, readDomains, readSessionKeys } from "./access-values.ts";
import { ACCESS_SETTINGS, SOFT_LIMITATION_MS } from "./schema-access.ts";
import { Definitions, numberOf, setting, textOf } from "./settings.ts";
import { nearestName } from "./suggest.ts";
import { quoted } from "./values.ts";
import type { AccessRules, AuthBackendRules, Authorizer, JwtRules } from "../auth/rules.ts";
import { withoutUndefined } from "../base/without-undefined.ts";
import type { AccessPlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";
import type { Value } from "./values.ts";

type Rules = Partial<AccessRules>;

/** What `auth://NAME` and `jwt://NAME` can name. */
export type Authorizers = {
  readonly blocks: ReadonlyMap<string, AuthBackendRules>;
  readonly jwts: ReadonlyMap<string, JwtRules>;
};

/**
 * What the block of a stream, template or vod says of access. `old`: the line of `auth`, with its options, which
 * `on_play` of a template wins over.
 */
export type AccessDraft = {
  readonly play: Rules;
  readonly publish: Rules;
  readonly old?: { readonly rules: Rules; readonly place: Place };
};

/** One setting as it was written, beside `on_play` or in its line. */
type Said = { readonly values: readonly Value[]; readonly places: readonly Place[] };

/** What reading needs to know beside the block. */
type AccessContext = { readonly authorizers: Authorizers; readonly problems: ProblemList };

/**
 * Reads what a block says of who may play and publish.
 */
export function readAccess(settings: Settings, context: AccessContext): AccessDraft {
  const { problems } = context;
  const line = playLine(settings, problems);
  const beside = new Map<string, Said>();
  const inLine = new Map<string, Said>();
  const definitions = new Definitions(problems);
  for (const name of ACCESS_SETTINGS) {
    const directive = setting(settings, name);
    const option = line?.options.get(name);
    if (directive !== undefined) {
      definitions.define(`"${name}"`, directive.place);
      beside.set(name, directive);
    }
    if (option === undefined) continue;
    if (definitions.define(`"${name}"`, option.place, "keep one of them"))
      inLine.set(name, { values: [option.value], places: [option.place] });
  }
  const besides = readSettings(beside, problems);
  const ofLine = { ...readSettings(inLine, problems), ...readPlay(line, context) };
  const publish = readPublish(settings, context);
  if (line?.spec.name === "auth")
    return { play: besides, publish, old: { rules: ofLine, place: line.place } };
  return { play: { ...besides, ...ofLine }, publish };
}

/** Of the directives that say who may play, there can be one. */
function playLine(settings: Settings, problems: ProblemList): Directive | undefined {
  const [first, ...others] = ["on_play", "auth", "securetoken"]
    .flatMap((name) => setting(settings, name) ?? [])
    .toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  for (const other of others) {
    const message = `"${first!.spec.name}" and "${other.spec.name}" both say who may play`;
    const related = [{ ...first!.place, message: "the first of them" }];
    problems.error("CONFIG_DEFINED_TWICE", other.place, message, { hint: "keep one of them", related });
  }
  return first;
}

function readPlay(line: Directive | undefined, context: AccessContext): Rules {
  if (line === undefined) return {};
  if (line.spec.name === "securetoken")
    return { authorizer: { kind: "securetoken", key: textOf(line.values[0]), checksAddress: true } };
  return withoutUndefined<Rules>({ authorizer: authorizerOf(line, context) });
}

function readPublish(settings: Settings, context: AccessContext): Rules {
  const line = setting(settings, "on_publish");
  const password = setting(settings, "password");
  return withoutUndefined<Rules>({
    authorizer: line === undefined ? undefined : authorizerOf(line, context),
    password: password === undefined ? undefined : textOf(password.values[0]),
  });
}

function authorizerOf(line: Directive, { authorizers, problems }: AccessContext): Authorizer | undefined {
  const read = readAuthorizer(textOf(line.values[0]));
  if ("fault" in read) throw new TypeError("expected who decides");
  const word = read.authorizer;
  if (word.kind !== "block" && word.kind !== "jwt") return word;
  const { name } = word;
  const isBlock = word.kind === "block";
  const block = isBlock ? authorizers.blocks.get(name) : undefined;
  if (block !== undefined) return { kind: "block", block };
  const rules = isBlock ? undefined : authorizers.jwts.get(name);
  if (rules !== undefined) return { kind: "jwt", rules };
  reportUnknown(isBlock ? "auth" : "jwt", name, line.places[0]!, { authorizers, problems });
  return undefined;
}

function reportUnknown(
  scheme: "auth" | "jwt",
  name: string,
  place: Place,
  { authorizers, problems }: AccessContext,
): void {
  const isBlock = scheme === "auth";
  const known = isBlock ? authorizers.blocks : authorizers.jwts;
  const keyword = isBlock ? "auth_backend" : "jwt";
  const near = problems.isFull ? undefined : nearestName(name, known.keys());
  const hint =
    near === undefined
      ? `add at the top level: ${keyword} ${name} { ... }`
      : `did you mean ${scheme}://${near}?`;
  problems.error("CONFIG_UNKNOWN_AUTH", place, `there is no ${keyword} ${quoted(name)}`, { hint });
}

function readSettings(said: ReadonlyMap<string, Said>, problems: ProblemList): Rules {
  const read = <T>(name: string, convert: (one: Said) => T): T | undefined => {
    const one = said.get(name);
    return one === undefined ? undefined : convert(one);
  };
  return withoutUndefined<Rules>({
    maxSessions: read("max_sessions", ({ values }) => numberOf(values[0])),
    maxStreamSessions: read("max_stream_sessions", ({ values }) => numberOf(values[0])),
    softLimitationMs: read("soft_limitation", ({ values }) => softLimitationOf(values[0])),
    sessionKeys: read("session_keys", (one) => sessionKeysOf(one, problems)),
    domains: read("domains", ({ values }) => unique(values.flatMap(domainsOf))),
    allowedCountries: read("allowed_countries", ({ values }) => unique(values.flatMap(countriesOf))),
    disallowedCountries: read("disallowed_countries", ({ values }) => unique(values.flatMap(countriesOf))),
  });
}

function softLimitationOf(value: Value | undefined): number {
  if (value !== undefined && value.kind !== "boolean") return numberOf(value);
  return value?.boolean === false ? 0 : SOFT_LIMITATION_MS;
}

/** Each word is good by itself; there may still be too many of them. */
function sessionKeysOf({ values, places }: Said, problems: ProblemList): AccessRules["sessionKeys"] {
  const read = readSessionKeys(values.map(textOf));
  if ("keys" in read) return read.keys;
  problems.error("CONFIG_BAD_VALUE", places[0]!, `session_keys: ${read.fault}`, { hint: read.hint });
  return OPEN_RULES.sessionKeys;
}

function domainsOf(value: Value): readonly string[] {
  const read = readDomains(textOf(value));
  if ("fault" in read) throw new TypeError("expected names of sites");
  return read.domains;
}

function countriesOf(value: Value): readonly string[] {
  const read = readCountries(textOf(value));
  if ("fault" in read) throw new TypeError("expected countries");
  return read.countries;
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}

/**
 * Puts what a template says under what a stream says, one word at a time, and both over the rule that all may.
 */
export function finishAccess(own: AccessDraft, template?: AccessDraft): AccessPlan {
  const play = { ...OPEN_RULES, ...templatePlay(template), ...ownPlay(own, template) };
  return { play, publish: { ...OPEN_RULES, ...template?.publish, ...own.publish } };
}

function templatePlay(template: AccessDraft | undefined): Rules {
  return { ...template?.old?.rules, ...template?.play };
}

function ownPlay(own: AccessDraft, template: AccessDraft | undefined): Rules {
  return isOverruled(own, template) ? own.play : { ...own.old?.rules, ...own.play };
}

function isOverruled(own: AccessDraft, template: AccessDraft | undefined): boolean {
  return own.old !== undefined && template?.play.authorizer !== undefined;
}

/**
 * Says that `auth` of a stream is not used, where its template has `on_play`.
 */
export function reportAccess(
  own: AccessDraft | undefined,
  template: AccessDraft | undefined,
  problems: ProblemList,
): void {
  if (own?.old === undefined || !isOverruled(own, template)) return;
  const message = '"auth" is not used, since "on_play" of the template wins';
  problems.warning("CONFIG_NEVER_USED", own.old.place, message, { hint: "write on_play here" });
}
