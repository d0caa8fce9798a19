import { withoutUndefined } from "../base/without-undefined.ts";
import { bySetting, numberOf, setting, textOf } from "./settings.ts";
import type { ApiTokenPlan } from "./plan.ts";
import type { ProblemList } from "./problem.ts";
import type { Definitions, Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";

/**
 * Reads the tokens of the API, in the order of the config.
 */
export function readApiTokens(
  settings: Settings,
  definitions: Definitions,
  problems: ProblemList,
): ApiTokenPlan[] {
  return (settings.get("api_token") ?? []).flatMap((directive) => {
    const token = readApiToken(directive, problems);
    const isFirst = definitions.define(
      `api_token "${token.name}"`,
      token.place,
      "give one of them another name",
    );
    return isFirst ? [token] : [];
  });
}

function readApiToken(directive: Directive, problems: ProblemList): ApiTokenPlan {
  const settings = bySetting(directive.children, problems);
  const name = textOf(directive.values[0]);
  const place = directive.places[0]!;
  const token = setting(settings, "token");
  const scope = setting(settings, "scope");
  const expires = setting(settings, "expires");
  for (const [word, one, hint] of [
    ["token", token, "add: token TOKEN;"],
    ["scope", scope, "say what may be done with it, as in: scope view;"],
  ] as const) {
    if (one !== undefined || !directive.isComplete) continue;
    problems.error("CONFIG_NOTHING_INSIDE", place, `api_token "${name}" has no ${word}`, { hint });
  }
  return withoutUndefined<ApiTokenPlan>({
    name,
    token: token === undefined ? "" : textOf(token.values[0]),
    scopes: [...new Set(scope?.values.map(textOf))] as ApiTokenPlan["scopes"],
    expiresMs: expires === undefined ? undefined : numberOf(expires.values[0]),
    place,
  });
}

/**
 * All values of a directive that may be given often, each once.
 */
export function allTexts(settings: Settings, name: string): string[] {
  const directives = settings.get(name) ?? [];
  return [...new Set(directives.flatMap(({ values }) => values.map(textOf)))];
}
