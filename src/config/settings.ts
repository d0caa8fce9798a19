import type { Directive } from "./typed.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Value } from "./values.ts";

/**
 * The number of a value. Throws: TypeError when it is none: the spec and its reader disagree.
 */
export function numberOf(value: Value | undefined): number {
  if (value?.kind !== "number") throw new TypeError(`expected a number, got ${value?.kind}`);
  return value.number;
}

/**
 * The text of a value. Throws: TypeError when it is none: the spec and its reader disagree.
 */
export function textOf(value: Value | undefined): string {
  if (value?.kind !== "text") throw new TypeError(`expected a text, got ${value?.kind}`);
  return value.text;
}

/**
 * The truth of a value; a flag without a value means true.
 *
 * Throws: TypeError when it is something else: the spec and its reader disagree.
 */
export function booleanOf(value: Value | undefined): boolean {
  if (value === undefined) return true;
  if (value.kind !== "boolean") throw new TypeError(`expected true or false, got ${value.kind}`);
  return value.boolean;
}

/**
 * The number of a value, or `false` where it is the word false.
 */
export function numberOrFalse(value: Value | undefined): number | false {
  return value?.kind === "boolean" && !value.boolean ? false : numberOf(value);
}

/**
 * The milliseconds of a value, or the word auto. Throws: TypeError when it is neither.
 */
export function numberOrAuto(value: Value | undefined): number | "auto" {
  return value?.kind === "text" && value.text === "auto" ? "auto" : numberOf(value);
}

/** Where a listener listens. Without `host`: every address. `port` 0: any free one. */
export type Address = { readonly host?: string; readonly port: number };

/**
 * The address of a value. Throws: TypeError when it is none: the spec and its reader disagree.
 */
export function addressOf(value: Value | undefined): Address {
  if (value?.kind !== "address") throw new TypeError(`expected an address, got ${value?.kind}`);
  return value.host === undefined ? { port: value.port } : { host: value.host, port: value.port };
}

/**
 * Remembers where names were first defined, and reports the second definition with both places.
 */
export class Definitions {
  readonly #problems: ProblemList;
  readonly #places = new Map<string, Place>();

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  /** Notes a definition; false, and an error, when `what` has one already. `what` is as in: stream "news". */
  define(what: string, place: Place, hint?: string): boolean {
    const first = this.#places.get(what);
    if (first === undefined) {
      this.#places.set(what, place);
      return true;
    }
    const related = [{ ...first, message: "first defined here" }];
    this.#problems.error("CONFIG_DEFINED_TWICE", place, `${what} is defined twice`, { hint, related });
    return false;
  }
}

/**
 * Indexes the directives of one block by name; a `once` directive that is there twice is reported.
 */
export function bySetting(
  directives: readonly Directive[],
  problems: ProblemList,
): ReadonlyMap<string, readonly Directive[]> {
  const found = new Map<string, Directive[]>();
  const definitions = new Definitions(problems);
  for (const directive of directives) {
    const { name, repeat } = directive.spec;
    if (repeat === "once" && !definitions.define(`"${name}"`, directive.place, "keep one of them"))
      continue;
    const list = found.get(name);
    if (list === undefined) found.set(name, [directive]);
    else list.push(directive);
  }
  return found;
}

/** Directives by their name; see `bySetting`. */
export type Settings = ReturnType<typeof bySetting>;

/**
 * The only directive of that name, if it is there.
 */
export function setting(settings: Settings, name: string): Directive | undefined {
  return settings.get(name)?.[0];
}

/**
 * The text of a setting, if it is there.
 */
export function textSetting(settings: Settings, name: string): string | undefined {
  const directive = setting(settings, name);
  return directive === undefined ? undefined : textOf(directive.values[0]);
}

/**
 * The truth of a setting, if it is there.
 */
export function flag(settings: Settings, name: string): boolean | undefined {
  const directive = setting(settings, name);
  return directive === undefined ? undefined : booleanOf(directive.values[0]);
}
