import { ACCESS_DIRECTIVES } from "./schema-access.ts";
import { DVR_DIRECTIVES } from "./schema-dvr.ts";
import { EVENT_DIRECTIVES } from "./schema-events.ts";
import { LISTENER_DIRECTIVES } from "./schema-listeners.ts";
import { SERVER_DIRECTIVES } from "./schema-server.ts";
import { STREAM_DIRECTIVES } from "./schema-stream.ts";
import { VOD_DIRECTIVES } from "./schema-vod.ts";
import { parseValue } from "./values.ts";
import type { DirectiveSpec, Scope } from "./schema.ts";
import type { Value } from "./values.ts";

/** Every directive that is known, in the order of the reference page. */
export const DIRECTIVES: readonly DirectiveSpec[] = [
  ...LISTENER_DIRECTIVES,
  ...SERVER_DIRECTIVES,
  ...ACCESS_DIRECTIVES,
  ...EVENT_DIRECTIVES,
  ...DVR_DIRECTIVES,
  ...STREAM_DIRECTIVES,
  ...VOD_DIRECTIVES,
];

/** The scopes, in the order of the reference page. */
export const SCOPES: readonly Scope[] = [
  "server",
  "http-listener",
  "https-listener",
  "rtmp-listener",
  "rtmps-listener",
  "api-token",
  "auth-backend",
  "jwt",
  "event-sink",
  "dvr",
  "template",
  "stream",
  "vod",
];

const SPELLINGS: ReadonlyMap<Scope, ReadonlyMap<string, DirectiveSpec>> = new Map(
  SCOPES.map((scope) => [scope, spellingsOf(scope)]),
);

function spellingsOf(scope: Scope): Map<string, DirectiveSpec> {
  const specs = DIRECTIVES.filter((spec) => spec.scopes.includes(scope));
  return new Map(specs.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((name) => [name, spec])));
}

/**
 * Finds a directive of a scope by its name or an old spelling of it.
 */
export function findDirective(scope: Scope, name: string): DirectiveSpec | undefined {
  return SPELLINGS.get(scope)?.get(name);
}

/**
 * All names, old spellings included, that directives of a scope have.
 */
export function directiveNames(scope: Scope): Iterable<string> {
  return SPELLINGS.get(scope)?.keys() ?? [];
}

/**
 * The scopes that know a directive of this name.
 */
export function scopesOf(name: string): Scope[] {
  return SCOPES.filter((scope) => findDirective(scope, name) !== undefined);
}

/**
 * The value that a directive has when the config does not give it, from `default` of its spec.
 *
 * Throws: TypeError when no directive of that name has a default; that is a mistake in the program.
 */
export function defaultOf(scope: Scope, name: string): Value {
  const spec = findDirective(scope, name);
  const type = spec?.arguments === "unchecked" ? undefined : spec?.arguments[0]?.type;
  if (type === undefined || spec?.default === undefined) throw new TypeError(`${name} has no default`);
  const parsed = parseValue(type, spec.default);
  if ("fault" in parsed) throw new TypeError(`the default of ${name} is bad: ${parsed.fault}`);
  return parsed.value;
}
