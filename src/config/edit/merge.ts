/** What an object becomes: values that are given go over those that are there. */
import { escaped, isEmpty, isObject, isShownOnly } from "../json/to-text.ts";
import { MASK } from "../json/values.ts";
import { editErrors } from "./errors.ts";
import type { Json } from "../json/shape.ts";

/** Asks for an object to be replaced, where its properties would be merged. */
export const RESET = "$reset";

/** Deepest nesting of a body; the language needs four. */
export const MAX_JSON_DEPTH = 16;

/**
 * A value over the one that is there: objects are merged, `null` takes away, anything else replaces. `shown` is the old
 * value with its secrets masked: what is given back masked keeps the secret.
 *
 * Throws: EDIT_NO_SECRET. Returns: `null` where nothing is left.
 */
export function mergeJson(
  given: Json,
  was: Json | undefined,
  shown: Json | undefined,
  pointer: string,
): Json {
  const [old, oldShown] = isObject(was) && isObject(shown) ? [was, shown] : [{}, {}];
  if (!isObject(given)) return restored(given, was, shown, pointer);
  const reset = given[RESET] === true;
  const merged: Record<string, Json> = reset ? {} : { ...old };
  for (const [name, value] of Object.entries(given)) {
    if (name === RESET || isShownOnly(name)) continue;
    const inside = `${pointer}/${escaped(name)}`;
    merged[name] = mergeJson(value, old[name], oldShown[name], inside);
  }
  // A recording is in one place: the one that is named now.
  for (const [name, other] of [
    ["root", "reference"],
    ["reference", "root"],
  ] as const) {
    if (given[name] !== undefined && given[name] !== null && given[other] === undefined)
      delete merged[other];
  }
  const left = Object.entries(merged).filter(([, value]) => value !== null);
  return left.length === 0 && Object.keys(old).length > 0 ? null : Object.fromEntries(left);
}

/** Puts secrets back in the places of masks. */
function restored(given: Json, was: Json | undefined, shown: Json | undefined, pointer: string): Json {
  if (typeof given === "string") return unmasked(given, was, shown, pointer);
  if (!Array.isArray(given)) {
    if (!isObject(given)) return given;
    const [old, oldShown] = isObject(was) && isObject(shown) ? [was, shown] : [{}, {}];
    const entries = Object.entries(given).map(([name, value]): [string, Json] => [
      name,
      restored(value, old[name], oldShown[name], `${pointer}/${escaped(name)}`),
    ]);
    return Object.fromEntries(entries.filter(([name, value]) => value !== null && !isShownOnly(name)));
  }
  const [olds, shownOlds] =
    Array.isArray(was) && Array.isArray(shown) ? [was as Json[], shown as Json[]] : [[], []];
  return given.map((value: Json, index) => {
    const at = counterpart(value, index, shownOlds);
    return restored(value, olds[at], shownOlds[at], `${pointer}/${index}`);
  });
}

/** Which element of the list that was there this one is: the same, else the one with the same main value, else none. */
function counterpart(value: Json, index: number, shown: readonly Json[]): number {
  const same = (one: Json | undefined): boolean =>
    isObject(value) && isObject(one) ? value["url"] === one["url"] : one === value;
  return same(shown[index]) ? index : shown.findIndex(same);
}

function unmasked(given: string, was: Json | undefined, shown: Json | undefined, pointer: string): string {
  if (!given.includes(MASK)) return given;
  if (shown === given && typeof was === "string") return was;
  return given === MASK || /:\/\/\*\*\*|\*\*\*@|[?=]\*\*\*/.test(given) ? noSecret(pointer) : given;
}

function noSecret(pointer: string): never {
  throw editErrors.error("EDIT_NO_SECRET", { field: pointer.slice(1), pointer });
}

/** Whether two values are the same JSON; the order of properties counts for nothing. */
export function isSameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((one: Json, index) => isSameJson(one, b[index] as Json));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSameJson(a[name], b[name]));
}

/** How deep a value is nested, up to one more than is allowed. */
export function depthOf(value: unknown, limit = MAX_JSON_DEPTH + 1): number {
  if (typeof value !== "object" || value === null || limit === 0) return 0;
  let deepest = 0;
  for (const one of Object.values(value)) deepest = Math.max(deepest, depthOf(one, limit - 1));
  return deepest + 1;
}

/** Whether a value says nothing at all. */
export function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || isEmpty(value);
}
