import type { AccessRules } from "../rules.ts";

const texts = new WeakMap<AccessRules, string>();

/** Whether two rules say the same. Each is written out once: their lists may be long, and many sessions have the same rules. */
export function areSameRules(one: AccessRules, other: AccessRules): boolean {
  return one === other || textOf(one) === textOf(other);
}

function textOf(rules: AccessRules): string {
  const known = texts.get(rules);
  if (known !== undefined) return known;
  const text = JSON.stringify(rules);
  texts.set(rules, text);
  return text;
}
