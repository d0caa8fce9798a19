import type { ValueType } from "./values.ts";

/**
 * The places where directives stand: the top level (`server`) and the blocks.
 */
export type Scope =
  | "server"
  | "http-listener"
  | "https-listener"
  | "rtmp-listener"
  | "rtmps-listener"
  | "api-token"
  | "auth-backend"
  | "jwt"
  | "event-sink"
  | "dvr"
  | "stream"
  | "template"
  | "vod";

/**
 * The directive whose block a scope is: "rtmp" for "rtmp-listener".
 */
export function blockName(scope: Scope): string {
  return scope.replace(/-listener$/, "").replaceAll("-", "_");
}

/**
 * What a change of a directive restarts while the server runs, from least to most.
 */
export const RESTARTS = ["nothing", "stream", "listener", "process"] as const;

/** One of `RESTARTS`. */
export type Restart = (typeof RESTARTS)[number];

/**
 * Whether a directive does something. One that does not yet is either passed over with a warning, or refused
 * with the reason: because it restricts, protects, encrypts or records, ignoring it would open or lose something.
 */
export type Status =
  | { readonly status: "works" }
  | { readonly status: "no-effect-yet" }
  | { readonly status: "refused-until-it-works"; readonly reason: string };

/** One positional argument. */
export type ArgumentSpec = {
  /** As it is shown in usage lines and messages: `NAME`, `SECONDS`. */
  readonly label: string;
  readonly type: ValueType;
  readonly optional?: true;
  /** The last argument may be given once or more often. */
  readonly many?: true;
  /** Its value is never shown: not in messages, not by `weir print`. */
  readonly secret?: true;
};

/** One `key=value` option, or a bare word with `flag`. */
export type OptionSpec = Status & {
  readonly name: string;
  readonly doc: string;
  readonly type?: ValueType;
  readonly flag?: true;
  readonly secret?: true;
  /**
   * Its value may stand alone, without the name, and is told by how it is written; the first option of that form has
   * it. What messages call it, and an example.
   */
  readonly byForm?: { readonly label: string; readonly example: string };
};

/** What a `{ }` after the directive is: directives of a scope, or something that is read and not looked into. */
export type BlockSpec = { readonly scope: Scope; readonly optional?: true } | "passed-over";

/**
 * One directive, as data: the checker, the defaults and the reference page are made from it.
 *
 * `arguments` is "unchecked" for directives that do not work yet; `usage` then says how they are written.
 * `default` is written as in a config and read by the same parser. `secret` hides every argument.
 */
export type DirectiveSpec = Status & {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly scopes: readonly Scope[];
  readonly arguments: readonly ArgumentSpec[] | "unchecked";
  readonly usage?: string;
  readonly options?: readonly OptionSpec[];
  /** Bare words of an unchecked directive that are also names of directives. */
  readonly flags?: readonly string[];
  readonly block?: BlockSpec;
  readonly repeat: "once" | "often" | "once-per-name";
  readonly default?: string;
  readonly secret?: true;
  readonly onChange: Restart;
  readonly since: string;
  readonly doc: string;
};

/** What is told about a directive that does not work yet. */
export type LaterSpec = Pick<DirectiveSpec, "name" | "usage" | "doc"> &
  Partial<Pick<DirectiveSpec, "aliases" | "flags" | "secret">>;

/**
 * Makes the specs of harmless directives: known by name, no effect yet.
 */
export function withoutEffect(scopes: readonly Scope[], specs: readonly LaterSpec[]): DirectiveSpec[] {
  return specs.map((spec) => ({ ...spec, ...laterDefaults(scopes), status: "no-effect-yet" }));
}

/**
 * Makes the specs of directives that are refused until they work, each with its reason.
 */
export function refused(
  scopes: readonly Scope[],
  specs: readonly (LaterSpec & { readonly reason: string })[],
): DirectiveSpec[] {
  return specs.map((spec) => ({ ...spec, ...laterDefaults(scopes), status: "refused-until-it-works" }));
}

function laterDefaults(scopes: readonly Scope[]) {
  return {
    scopes,
    arguments: "unchecked",
    block: "passed-over",
    repeat: "often",
    onChange: "nothing",
    since: "0.1",
  } as const;
}

/**
 * Writes how a directive is used, as in `edit_auth LOGIN PASSWORD;`.
 */
export function usageOf(spec: DirectiveSpec): string {
  if (spec.usage !== undefined) return spec.usage;
  const words: string[] = [spec.name];
  if (spec.arguments !== "unchecked") words.push(...spec.arguments.map(labelOf));
  if (spec.options !== undefined) words.push("[OPTION=VALUE ...]");
  const line = words.join(" ");
  if (spec.block === undefined) return `${line};`;
  const optional = spec.block !== "passed-over" && spec.block.optional === true;
  return optional ? `${line}; or ${line} { ... }` : `${line} { ... }`;
}

function labelOf(argument: ArgumentSpec): string {
  const label = argument.many === true ? `${argument.label} ...` : argument.label;
  return argument.optional === true ? `[${label}]` : label;
}
