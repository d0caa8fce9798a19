import type { AccessRules } from "./rules.ts";
import type { SessionType } from "./sessions/session.ts";

/** Whether a claim has to be judged before anything is served; if not everyone may, and any number of them. */
export function isGuarded(rules: AccessRules, kind: SessionType): boolean {
  const { authorizer, password, maxSessions, maxStreamSessions } = rules;
  const isAsked = authorizer !== undefined && authorizer.kind !== "everyone";
  const isLimited = maxSessions !== undefined || maxStreamSessions !== undefined;
  const hasPassword = kind === "publish" && password !== undefined;
  const lists = [rules.domains, rules.allowedCountries, rules.disallowedCountries];
  return isAsked || isLimited || hasPassword || lists.some((list) => list.length > 0);
}
