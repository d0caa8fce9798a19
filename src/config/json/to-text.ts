/** JSON as statements: the text of one property, checked value by value, so that nothing but that property comes of it. */
import { readTokens } from "../lexer.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { word as written } from "../print-words.ts";
import { nearestName } from "../suggest.ts";
import { parseValue } from "../values.ts";
import { editErrors } from "../edit/errors.ts";
import { directiveName, findProperty, propertiesOf } from "./shape.ts";
import { optionOfForm } from "./to-json.ts";
import { jsonToWord } from "./values.ts";
import type { MediaError } from "../../base/errors.ts";
import type { DirectiveSpec, OptionSpec, Scope } from "../schema.ts";
import type { ValueType } from "../values.ts";
import type { Json, JsonObject, Property } from "./shape.ts";

/** Properties that the API adds to what it shows; given back, they change nothing. */
const SHOWN_ONLY: readonly string[] = ["stats", "config_on_disk", "named_by", "server_id"];

/** What a step into a block is indented by. */
const INDENT = "  ";

/** Whether a property is no part of the configuration but comes with it in replies. */
export function isShownOnly(name: string): boolean {
  return SHOWN_ONLY.includes(name);
}

/** The error for a value that is not what it may be; `pointer` is a JSON pointer. */
export function badField(pointer: string, reason: string): MediaError {
  const field = pointer === "" ? "the body" : pointer.slice(1);
  return editErrors.error("EDIT_BAD_FIELD", { field, reason, pointer });
}

/** Whether a value is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The property of a scope with that name. Throws: EDIT_BAD_FIELD. */
export function knownProperty(scope: Scope, name: string, pointer: string): Property {
  const found = findProperty(scope, name);
  if (found !== undefined) return found;
  const near = nearestName(name, propertiesOf(scope).keys());
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  throw badField(pointer, `there is no such property${hint}`);
}

/**
 * The statements that make a property have a value, one after the other, their blocks indented as for statements that
 * stand at `indent`. Throws: EDIT_BAD_FIELD.
 */
export function propertyToText(property: Property, value: Json, pointer: string, indent = ""): string[] {
  const { form, isList, spec } = property;
  const isRepeated = isList || (spec.arguments === "unchecked" && Array.isArray(value));
  if (!isRepeated) return [new Writing(property, indent).statement(value, pointer)];
  if (!Array.isArray(value)) throw badField(pointer, "it is a list");
  if (form.kind === "words" && property.word !== undefined) throw badField(pointer, "it is true or null");
  return value.map((one: Json, index) =>
    new Writing(property, indent).statement(one, `${pointer}/${index}`),
  );
}

/** The statements of an object's properties. Throws: EDIT_BAD_FIELD. */
export function propertiesToText(
  scope: Scope,
  object: JsonObject,
  pointer: string,
  indent: string,
): string[] {
  return Object.entries(object).flatMap(([name, value]) => {
    if (isShownOnly(name) || value === null || isEmpty(value)) return [];
    const inside = `${pointer}/${escaped(name)}`;
    if (scope === "dvr" && name === "reference") {
      return propertyToText(
        knownProperty(scope, "root", inside),
        `@${textOf(value, inside)}`,
        inside,
        indent,
      );
    }
    return propertyToText(knownProperty(scope, name, inside), value, inside, indent);
  });
}

/** One part of a JSON pointer. Spec: RFC 6901 section 3. */
export function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Lists and objects with nothing in them are as good as none: no statement says them. */
export function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function textOf(value: Json, pointer: string): string {
  if (typeof value !== "string") throw badField(pointer, "it is a string");
  return value;
}

/** Writes one statement. */
class Writing {
  readonly #property: Property;
  readonly #spec: DirectiveSpec;
  readonly #indent: string;

  constructor(property: Property, indent: string) {
    this.#property = property;
    this.#spec = property.spec;
    this.#indent = indent;
  }

  statement(value: Json, pointer: string): string {
    const { form, word, name } = this.#property;
    const start = [this.#spec.name, ...(word === undefined ? [] : [word])];
    switch (form.kind) {
      case "value":
        return line([...start, this.#word(form.argument.type, name, value, pointer)]);
      case "list":
        return line([...start, ...this.#list(value, pointer)]);
      case "pairs":
        return line([...start, ...this.#pairs(value, pointer)]);
      case "words":
        return line([...start, ...this.#words(value, pointer)]);
      case "record":
        return this.#record(value, pointer);
    }
  }

  /** A list of one may be given as its element. */
  #list(given: Json, pointer: string): string[] {
    const { form, name } = this.#property;
    const value = typeof given === "string" ? [given] : given;
    if (form.kind !== "list" || !Array.isArray(value)) throw badField(pointer, "it is a list");
    const { argument, key } = form;
    return value.map((one: Json, index) => {
      const place = `${pointer}/${index}`;
      if (key === undefined || !isObject(one)) return this.#word(argument.type, name, one, place);
      const other = Object.keys(one).find((property) => property !== key && !isShownOnly(property));
      if (other !== undefined) throw badField(`${place}/${escaped(other)}`, "there is no such property");
      return this.#word(argument.type, name, one[key] ?? null, `${place}/${key}`);
    });
  }

  #pairs(value: Json, pointer: string): string[] {
    if (!isObject(value)) throw badField(pointer, "it is an object");
    return Object.entries(value).map(([key, one]) => {
      const place = `${pointer}/${escaped(key)}`;
      const text = Array.isArray(one)
        ? one.map((part: Json) => scalarText(part, place)).join(",")
        : scalarText(one, place);
      if (!("value" in parseValue({ kind: "pair" }, `${key}=${text}`)))
        throw badField(place, "this is no key");
      return `${key}=${quotedWord(text, place)}`;
    });
  }

  /** The text is read as words, so that nothing but words comes of it. */
  #words(value: Json, pointer: string): string[] {
    if (value === true) return [];
    if (this.#property.word !== undefined) throw badField(pointer, "it is true or null");
    const problems = new ProblemList();
    const tokens = readTokens(new SourceText({ file: "", text: scalarText(value, pointer) }), problems);
    const isGood =
      !problems.hasErrors && tokens.every(({ kind, quotedFrom }) => kind === "word" && quotedFrom <= 0);
    if (!isGood) throw badField(pointer, "it is words as they stand in a file, without signs between them");
    return tokens.map(({ text }) => written(text));
  }

  #record(given: Json, pointer: string): string {
    const { form } = this.#property;
    const keys = form.kind === "record" ? form.keys : [];
    if (this.#spec.name === "dvr" && given === false) return line([this.#spec.name, "false"]);
    const value = isObject(given) ? given : keys.length === 1 ? { [keys[0]!]: given } : null;
    if (value === null) throw badField(pointer, "it is an object");
    const rest = Object.entries(value).filter(
      ([name, one]) => one !== null && !isShownOnly(name) && !keys.includes(name),
    );
    const taken = this.#addressed(value, pointer);
    const words = taken?.words ?? this.#arguments(keys, value, pointer);
    const others = rest.filter(([name]) => taken?.names.includes(name) !== true);
    const scope = typeof this.#spec.block === "object" ? this.#spec.block.scope : undefined;
    const inBlock =
      scope === undefined ? [] : others.filter(([name]) => this.#optionOf(name) === undefined);
    const head = [this.#spec.name, ...words];
    // Options stand behind an argument alone: the first word is read as one.
    const needsBlock = inBlock.length > 0 || (words.length === 0 && others.length > 0);
    if (scope === undefined || !needsBlock) {
      return line([
        ...head,
        ...others.flatMap(([name, one]) => this.#option(name, one, `${pointer}/${escaped(name)}`)),
      ]);
    }
    const inner = `${this.#indent}${INDENT}`;
    const lines = propertiesToText(scope, Object.fromEntries(others), pointer, inner);
    return [`${head.join(" ")} {`, ...lines.map((one) => `${inner}${one}`), `${this.#indent}}`].join("\n");
  }

  /** What the first argument is made of two properties of: where a listener listens, and where is recorded. */
  #addressed(
    value: JsonObject,
    pointer: string,
  ): { words: string[]; names: readonly string[] } | undefined {
    const type = this.#spec.arguments === "unchecked" ? undefined : this.#spec.arguments[0]?.type;
    const { address, port, reference } = value;
    if (type?.kind === "address") {
      if (typeof port !== "number") throw badField(`${pointer}/port`, "it is a number");
      const host =
        address === undefined || address === null
          ? ""
          : `${bracketed(textOf(address, `${pointer}/address`))}:`;
      return {
        words: [this.#word(type, "port", `${host}${port}`, `${pointer}/address`)],
        names: ["address"],
      };
    }
    if (type?.kind !== "recording-root" || reference === undefined || reference === null) return undefined;
    if (typeof value["root"] === "string")
      throw badField(`${pointer}/reference`, "it does not go with root");
    const word = `@${textOf(reference, `${pointer}/reference`)}`;
    return { words: [this.#word(type, "root", word, `${pointer}/reference`)], names: ["reference"] };
  }

  #arguments(keys: readonly string[], value: JsonObject, pointer: string): string[] {
    const { arguments: specs } = this.#spec;
    return keys.flatMap((key, index) => {
      const argument = specs === "unchecked" ? undefined : specs[index];
      const one = value[key] ?? null;
      if (one === null && argument?.optional === true) return [];
      return [this.#word(argument?.type ?? { kind: "text" }, key, one, `${pointer}/${escaped(key)}`)];
    });
  }

  #optionOf(name: string): OptionSpec | undefined {
    const options = this.#spec.options ?? [];
    return (
      options.find((one) => one.name === directiveName(name)) ?? options.find((one) => one.name === name)
    );
  }

  #option(name: string, value: Json, pointer: string): string[] {
    const { form } = this.#property;
    const isOpen = form.kind === "record" && form.isOpen === true && /^[A-Za-z_][\w-]*$/.test(name);
    const spec: OptionSpec | undefined = isOpen
      ? { name, doc: "", status: "works", flag: true }
      : this.#optionOf(name);
    if (spec === undefined)
      throw badField(pointer, `there is no such property of "${this.#property.name}"`);
    if (spec.flag === true && value === true) return [spec.name];
    const type = spec.type ?? { kind: "text" };
    const joined = Array.isArray(value)
      ? value.map((one: Json) => scalarText(one, pointer)).join(",")
      : value;
    const word = this.#word(type, name, joined, pointer);
    const isAlone = spec.byForm !== undefined && optionOfForm(this.#spec.options ?? [], word) === spec;
    return [isAlone ? word : `${spec.name}=${word}`];
  }

  #word(type: ValueType, name: string, value: Json, pointer: string): string {
    if (value === null) throw badField(pointer, "it is missing");
    if (typeof value === "object") throw badField(pointer, "it is a single value");
    const text = jsonToWord({ type, name }, value);
    const parsed = parseValue(type, text);
    // The fault may quote the value, and the value may be a secret.
    if (!("value" in parsed)) throw badField(pointer, parsed.hint ?? parsed.fault);
    return quotedWord(text, pointer);
  }
}

function scalarText(value: Json, pointer: string): string {
  if (typeof value === "object") throw badField(pointer, "it is a single value");
  return String(value);
}

/** A word as it stands in a file. What could not be read back as the same is refused. */
function quotedWord(text: string, pointer: string): string {
  const word = written(text);
  const problems = new ProblemList();
  const [token, ...more] = readTokens(new SourceText({ file: "", text: word }), problems);
  if (problems.hasErrors || more.length > 0 || token?.text !== text) {
    throw badField(pointer, "it has characters that cannot stand in a configuration, or is too long");
  }
  return word;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function line(words: readonly string[]): string {
  return `${words.join(" ")};`;
}
