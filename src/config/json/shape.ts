/**
 * How directives look as JSON. Names and kinds come from the schema; only what the API of the reference product calls
 * otherwise stands here.
 */
import { DIRECTIVES, findDirective } from "../directives.ts";
import type { ArgumentSpec, DirectiveSpec, Scope } from "../schema.ts";

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of JSON. */
export type JsonObject = { readonly [property: string]: Json };

/**
 * What a statement is as JSON.
 *
 * `value`: its one argument. `list`: all its arguments, those of several statements together. `pairs`: an object of its
 * `key=value` arguments. `record`: an object of its arguments, by the names of `keys`, its options and what is in its
 * block. `words`: the words of a directive that has no effect yet, as they stand.
 */
export type Form =
  | { readonly kind: "value"; readonly argument: ArgumentSpec }
  | { readonly kind: "list"; readonly argument: ArgumentSpec; readonly key?: string }
  | { readonly kind: "pairs" }
  | { readonly kind: "record"; readonly keys: readonly string[]; readonly isOpen?: true }
  | { readonly kind: "words" };

/**
 * A property of an object: what one directive says, or what those of its statements say that begin with `word`.
 * `isList`: of several statements, one after the other.
 */
export type Property = {
  readonly name: string;
  readonly spec: DirectiveSpec;
  readonly word?: string;
  readonly isList: boolean;
  readonly form: Form;
};

/** Properties that are called otherwise than their directives. */
const NAMES: Readonly<Record<string, string>> = {
  input: "inputs",
  storage: "storages",
  push: "pushes",
  backend: "backends",
  depth: "expiration",
  size: "storage_limit",
  prefix: "prefixes",
};

/** What the arguments of a directive are called, where its statement is an object. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  input: ["url"],
  storage: ["url"],
  on_play: ["url"],
  on_publish: ["url"],
  auth: ["url"],
  push: ["url"],
  backup: ["file"],
  traces: ["url"],
};

/** Lists of objects with one property each. */
const LISTED: Readonly<Record<string, string>> = { backend: "url" };

/** The words that `allow` and `deny` begin with, and what the properties end in. */
const RULES: Readonly<Record<string, string>> = {
  token: "tokens",
  ip: "ips",
  country: "countries",
  ua: "uas",
  default: "default",
};

/** Without a known form, and still `URL [OPTION=VALUE ...]`. */
const OPEN_RECORDS: readonly string[] = ["push", "backup"];

/** Kinds of objects: the directive that defines one, and the property that has them all. */
export const COLLECTIONS: Readonly<Record<string, string>> = {
  stream: "streams",
  template: "templates",
  vod: "vods",
  dvr: "dvrs",
  auth_backend: "auth_backends",
  event_sink: "event_sinks",
  api_token: "api_tokens",
  jwt: "jwts",
};

/** What an object of a kind is called by: its name, or a vod's prefix. */
export function keyOf(kind: string): "name" | "prefix" {
  return kind === "vod" ? "prefix" : "name";
}

const known = new Map<Scope, ReadonlyMap<string, Property>>();

/** The properties of objects in a scope, by their names; objects that have names of their own are not among them. */
export function propertiesOf(scope: Scope): ReadonlyMap<string, Property> {
  const found = known.get(scope);
  if (found !== undefined) return found;
  const specs = DIRECTIVES.filter((spec) => spec.scopes.includes(scope) && spec.repeat !== "once-per-name");
  const properties = new Map(
    specs.flatMap((spec) => propertiesFor(spec)).map((property) => [property.name, property]),
  );
  known.set(scope, properties);
  return properties;
}

/** The property of that name, of its directive's name, or of an old spelling of it. */
export function findProperty(scope: Scope, name: string): Property | undefined {
  const properties = propertiesOf(scope);
  const spec = findDirective(scope, name);
  return properties.get(name) ?? (spec === undefined ? undefined : properties.get(propertyName(spec.name)));
}

/** The name of the property for a directive, or for an option of the same meaning. */
export function propertyName(directive: string): string {
  return NAMES[directive] ?? directive;
}

/** The name of the directive or option for a property. */
export function directiveName(property: string): string {
  return Object.entries(NAMES).find(([, name]) => name === property)?.[0] ?? property;
}

/** Whether durations of this name are given in milliseconds; all others are in seconds. */
export function isInMilliseconds(name: string): boolean {
  return name === "segment_duration";
}

function propertiesFor(spec: DirectiveSpec): Property[] {
  const [first, second] = spec.arguments === "unchecked" ? [] : spec.arguments;
  if (first?.type.kind === "choice" && second?.many === true) {
    return first.type.values.map((word): Property => {
      const name = `${spec.name}_${RULES[word] ?? word}`;
      const form: Form = word === "default" ? { kind: "words" } : { kind: "list", argument: second };
      return { name, spec, word, isList: false, form };
    });
  }
  const form = formOf(spec);
  const isList =
    spec.repeat === "often" && form.kind !== "list" && form.kind !== "value" && !isUnknown(spec);
  return [{ name: propertyName(spec.name), spec, isList, form }];
}

/** Directives without effect may all be there more than once; their properties are lists where they are. */
function isUnknown(spec: DirectiveSpec): boolean {
  return spec.arguments === "unchecked" && !OPEN_RECORDS.includes(spec.name);
}

function formOf(spec: DirectiveSpec): Form {
  if (spec.arguments === "unchecked") {
    return OPEN_RECORDS.includes(spec.name)
      ? { kind: "record", keys: KEYS[spec.name] ?? ["value"], isOpen: true }
      : { kind: "words" };
  }
  const [argument] = spec.arguments;
  const hasMore = spec.arguments.length > 1 || spec.options !== undefined || spec.block !== undefined;
  if (argument === undefined || hasMore || KEYS[spec.name] !== undefined) {
    return { kind: "record", keys: KEYS[spec.name] ?? spec.arguments.map(keyOfArgument) };
  }
  if (argument.many === true && argument.type.kind === "pair") return { kind: "pairs" };
  if (argument.many !== true) return { kind: "value", argument };
  const key = LISTED[spec.name];
  return { kind: "list", argument, ...(key === undefined ? {} : { key }) };
}

function keyOfArgument({ label, type }: ArgumentSpec): string {
  if (type.kind === "address") return "port";
  if (type.kind === "recording-root") return "root";
  return /^[A-Z]+$/.test(label) ? label.toLowerCase() : "value";
}
