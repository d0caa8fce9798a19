/** Statements as JSON: what stands in a file, no defaults, nothing of templates or the environment. */
import { findDirective } from "../directives.ts";
import { word as written } from "../print-words.ts";
import { shownWord } from "../secret-words.ts";
import { hasForm, parseValue } from "../values.ts";
import { COLLECTIONS, findProperty, keyOf, propertyName } from "./shape.ts";
import { MASK, wordToJson } from "./values.ts";
import type { Token } from "../lexer.ts";
import type { Statement } from "../parser.ts";
import type { ArgumentSpec, DirectiveSpec, OptionSpec, Scope } from "../schema.ts";
import type { Json, JsonObject, Property } from "./shape.ts";
import type { SecretsShown } from "./values.ts";

type Fields = Record<string, Json>;

/** Listeners stand together in the JSON of the server's settings. */
const LISTENERS: readonly string[] = ["http", "https", "rtmp", "rtmps"];

/** Whether a property of the server's settings stands under `listeners`. */
export function isListener(property: string): boolean {
  return LISTENERS.includes(property);
}

/** The directive that a statement defines an object with, by the name of its kind; `ondemand` defines a stream. */
export function kindOf(statement: Statement): string | undefined {
  const spec = findDirective("server", statement.words[0].text);
  if (spec?.repeat !== "once-per-name") return undefined;
  return spec.name === "ondemand" ? "stream" : spec.name;
}

/**
 * A whole configuration as JSON: the server's settings, its listeners under `listeners`, and its objects as lists.
 */
export function configToJson(statements: readonly Statement[], secrets: SecretsShown): JsonObject {
  const collections: Record<string, JsonObject[]> = {};
  for (const statement of statements) {
    const plural = COLLECTIONS[kindOf(statement) ?? ""];
    if (plural !== undefined) (collections[plural] ??= []).push(objectToJson(statement, secrets));
  }
  return { ...settingsToJson(statements, secrets), ...collections };
}

/** The server's settings alone, its listeners under `listeners`. */
export function settingsToJson(statements: readonly Statement[], secrets: SecretsShown): JsonObject {
  const settings = statements.filter((one) => kindOf(one) === undefined);
  const { listeners, others } = withListeners(blockToJson("server", settings, secrets));
  return { ...others, ...(Object.keys(listeners).length === 0 ? {} : { listeners }) };
}

function withListeners(settings: JsonObject): { listeners: JsonObject; others: JsonObject } {
  const entries = Object.entries(settings);
  return {
    listeners: Object.fromEntries(entries.filter(([name]) => isListener(name))),
    others: Object.fromEntries(entries.filter(([name]) => !isListener(name))),
  };
}

/** An object with its name, as `stream NAME { ... }` defines it. */
export function objectToJson(statement: Statement, secrets: SecretsShown): JsonObject {
  const kind = kindOf(statement) ?? "";
  const [word, name, url] = statement.words;
  const id = { [keyOf(kind)]: name?.text ?? "" };
  if (word.text === "ondemand")
    return { ...id, inputs: [{ url: shown(url?.text ?? "", secrets) }], static: false };
  const block = findDirective("server", word.text)?.block;
  if (block === undefined || block === "passed-over") return id;
  return { ...id, ...blockToJson(block.scope, statement.block?.statements ?? [], secrets) };
}

function shown(url: string, secrets: SecretsShown): Json {
  return wordToJson({ type: { kind: "url" }, name: "url" }, url, secrets);
}

/** The properties that the statements of a block make. */
export function blockToJson(
  scope: Scope,
  statements: readonly Statement[],
  secrets: SecretsShown,
): JsonObject {
  const groups = Map.groupBy(
    statements.flatMap((statement) => {
      const property = propertyOf(scope, statement);
      return property === undefined ? [] : [{ property, statement }];
    }),
    ({ property }) => property,
  );
  const fields: Fields = {};
  for (const [property, members] of groups) {
    const value = statementsToJson(
      property,
      members.map(({ statement }) => statement),
      secrets,
    );
    if (property.name === "root" && typeof value === "string" && value.startsWith("@"))
      fields["reference"] = value.slice(1);
    else fields[property.name] = value;
  }
  return fields;
}

/** The property that a statement of a block is part of; `undefined` for what nobody knows. */
export function propertyOf(scope: Scope, { words }: Statement): Property | undefined {
  const spec = findDirective(scope, words[0].text);
  if (spec === undefined || spec.repeat === "once-per-name") return undefined;
  const found = findProperty(scope, propertyName(spec.name));
  return found?.word === undefined ? (found ?? findProperty(scope, ruleName(spec, words))) : found;
}

/** The property for `allow ip ...` is not that of `allow country ...`. */
function ruleName({ name }: DirectiveSpec, [, word]: readonly Token[]): string {
  const plurals: Readonly<Record<string, string>> = { country: "countries", default: "default" };
  return `${name}_${plurals[word?.text ?? ""] ?? `${word?.text}s`}`;
}

/** The value of a property that these statements, of which there is one at least, make. */
export function statementsToJson(
  property: Property,
  statements: readonly Statement[],
  secrets: SecretsShown,
): Json {
  const { form, isList, spec } = property;
  if (form.kind === "list")
    return statements.flatMap((one) => listToJson(property, wordsOf(property, one), secrets));
  const each = statements.map((one) => statementToJson(property, one, secrets));
  if (isList) return each;
  // What comes twice though it may not is shown all the same.
  return each.length === 1 || spec.arguments !== "unchecked" ? each[0]! : each;
}

/** One statement that is a property, or an element of one. */
export function statementToJson(property: Property, statement: Statement, secrets: SecretsShown): Json {
  const { form, spec, name } = property;
  const words = wordsOf(property, statement);
  switch (form.kind) {
    case "value":
      return words[0] === undefined
        ? true
        : argumentToJson(form.argument, { spec, name }, words[0].text, secrets);
    case "list":
      return listToJson(property, words, secrets);
    case "pairs":
      return Object.fromEntries(words.map(({ text }) => pairToJson(text)));
    case "words":
      return wordsToJson(spec, words, secrets);
    case "record":
      return new RecordReading(property, form, secrets).read(statement, words);
  }
}

function wordsOf(property: Property, { words }: Statement): readonly Token[] {
  return words.slice(property.word === undefined ? 1 : 2);
}

function listToJson(
  { form, spec, name, word }: Property,
  words: readonly Token[],
  secrets: SecretsShown,
): Json[] {
  if (form.kind !== "list") return [];
  // Tokens of viewers open what they are allowed.
  if (word === "token" && secrets === "hide") return words.map(() => MASK);
  const { argument, key } = form;
  const values = words.map(({ text }) => argumentToJson(argument, { spec, name }, text, secrets));
  return key === undefined ? values : values.map((value) => ({ [key]: value }));
}

function pairToJson(text: string): [string, string] {
  const at = text.indexOf("=");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function argumentToJson(
  { type, secret }: ArgumentSpec,
  { spec, name }: Pick<Property, "spec" | "name">,
  text: string,
  secrets: SecretsShown,
): Json {
  return wordToJson({ type, name, secret: spec.secret ?? secret }, text, secrets);
}

function wordsToJson(spec: DirectiveSpec, words: readonly Token[], secrets: SecretsShown): Json {
  const [first] = words;
  if (first === undefined) return true;
  if (words.length === 1 && (first.text === "true" || first.text === "false")) return first.text === "true";
  if (secrets === "hide" && spec.secret === true) return MASK;
  return words.map(({ text }) => written(secrets === "hide" ? shownWord(text) : text)).join(" ");
}

/** Reads one statement that is an object: arguments, options, block. */
class RecordReading {
  readonly #property: Property;
  readonly #keys: readonly string[];
  readonly #isOpen: boolean;
  readonly #secrets: SecretsShown;
  readonly #fields: Fields = {};

  constructor(
    property: Property,
    form: { readonly keys: readonly string[]; readonly isOpen?: true },
    secrets: SecretsShown,
  ) {
    this.#property = property;
    this.#keys = form.keys;
    this.#isOpen = form.isOpen === true;
    this.#secrets = secrets;
  }

  read(statement: Statement, words: readonly Token[]): Json {
    const { spec } = this.#property;
    const count = Math.min(words.length, this.#keys.length);
    for (const [index, { text }] of words.slice(0, count).entries()) {
      const value = this.#argument(index, text);
      if (value === false && spec.name === "dvr") return false;
    }
    for (const token of words.slice(count)) this.#option(token);
    const scope = typeof spec.block === "object" ? spec.block.scope : undefined;
    if (scope !== undefined && statement.block !== undefined) {
      Object.assign(this.#fields, blockToJson(scope, statement.block.statements, this.#secrets));
    }
    return this.#fields;
  }

  #argument(index: number, text: string): Json {
    const { spec } = this.#property;
    const key = this.#keys[index]!;
    const argument = spec.arguments === "unchecked" ? undefined : spec.arguments[index];
    const type = argument?.type ?? { kind: "text" as const };
    const secret = spec.secret ?? argument?.secret;
    const parsed = type.kind === "address" ? parseValue(type, text) : undefined;
    if (parsed !== undefined && "value" in parsed && parsed.value.kind === "address") {
      if (parsed.value.host !== undefined) this.#fields["address"] = parsed.value.host;
      return (this.#fields["port"] = parsed.value.port);
    }
    if (type.kind === "recording-root" && text.startsWith("@"))
      return (this.#fields["reference"] = text.slice(1));
    return (this.#fields[key] = wordToJson({ type, name: key, secret }, text, this.#secrets));
  }

  #option({ text, quotedFrom }: Token): void {
    const at = quotedFrom === 0 ? -1 : text.indexOf("=");
    const name = at === -1 ? text : text.slice(0, at);
    const options = this.#property.spec.options ?? [];
    const named = options.find((one) => one.name === name);
    const spec = named ?? (at === -1 ? optionOfForm(options, text) : undefined);
    const value =
      at === -1 ? (named === undefined && spec !== undefined ? text : undefined) : text.slice(at + 1);
    const secret = this.#property.spec.secret ?? spec?.secret;
    if (spec === undefined && !this.#isOpen) return;
    const property = propertyName(spec?.name ?? name);
    this.#fields[property] =
      value === undefined
        ? true
        : wordToJson(
            { type: spec?.type ?? { kind: "text" }, name: property, secret },
            value,
            this.#secrets,
          );
  }
}

/** The option that a value alone is told by. */
export function optionOfForm(specs: readonly OptionSpec[], text: string): OptionSpec | undefined {
  return specs.find(
    ({ byForm, type }) => byForm !== undefined && type !== undefined && hasForm(type, text),
  );
}
