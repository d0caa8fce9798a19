import { usageOf } from "./schema.ts";
import { shownName } from "./secret-words.ts";
import { nearestName } from "./suggest.ts";
import { hasForm, parseValue, quoted } from "./values.ts";
import type { Token } from "./lexer.ts";
import type { Statement } from "./parser.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { ArgumentSpec, DirectiveSpec, OptionSpec } from "./schema.ts";
import type { Value } from "./values.ts";

/** The value of an option, with the text it was read from. */
export type Option = { readonly text: string; readonly value: Value; readonly place: Place };

/** What was read; `whole` is false when something was wrong with it. */
export type Arguments = {
  readonly values: Value[];
  readonly places: Place[];
  readonly options: Map<string, Option>;
  readonly whole: boolean;
};

/**
 * Reads the words after a directive's name as its spec has them: positional arguments first, then options.
 */
export function readArguments(statement: Statement, spec: DirectiveSpec, problems: ProblemList): Arguments {
  const empty = { values: [], places: [], options: new Map<string, Option>() };
  if (spec.arguments === "unchecked") return { ...empty, whole: true };
  if (statement.words.some((word) => word.damaged)) return { ...empty, whole: false };
  return new ArgumentReader(statement, spec, problems).read(spec.arguments);
}

class ArgumentReader {
  readonly #statement: Statement;
  readonly #spec: DirectiveSpec;
  readonly #problems: ProblemList;
  readonly #values: Value[] = [];
  readonly #places: Place[] = [];
  readonly #options = new Map<string, Option>();
  #whole = true;

  constructor(statement: Statement, spec: DirectiveSpec, problems: ProblemList) {
    this.#statement = statement;
    this.#spec = spec;
    this.#problems = problems;
  }

  read(specs: readonly ArgumentSpec[]): Arguments {
    const words = this.#statement.words.slice(1);
    const takesMany = specs.at(-1)?.many === true;
    const taken = takesMany ? words.length : Math.min(words.length, specs.length);
    for (const [index, word] of words.slice(0, taken).entries()) {
      this.#argument(specs[Math.min(index, specs.length - 1)]!, word);
    }
    const missing = specs.slice(words.length).filter((spec) => spec.optional !== true);
    if (missing.length > 0) this.#missing(missing);
    const rest = words.slice(taken);
    if (this.#spec.options !== undefined) for (const word of rest) this.#option(word, this.#spec.options);
    else if (rest.length > 0) this.#tooMany(words, rest[0]!, specs.length);
    return { values: this.#values, places: this.#places, options: this.#options, whole: this.#whole };
  }

  #place(word: Token): Place {
    return this.#statement.source.place(word.start, word.end);
  }

  #argument(spec: ArgumentSpec, word: Token): void {
    const parsed = parseValue(spec.type, word.text);
    const place = this.#place(word);
    if ("value" in parsed) {
      this.#values.push(parsed.value);
      this.#places.push(place);
      return;
    }
    this.#whole = false;
    const message = `${this.#spec.name}: ${parsed.fault}`;
    this.#problems.error("CONFIG_BAD_VALUE", place, message, { hint: parsed.hint });
  }

  #missing(specs: readonly ArgumentSpec[]): void {
    this.#whole = false;
    const labels = specs.map((spec) => spec.label).join(" and ");
    const message = `directive ${quoted(this.#spec.name)} needs ${labels}`;
    const hint = `write: ${usageOf(this.#spec)}`;
    this.#problems.error("CONFIG_MISSING_ARGUMENT", this.#place(this.#statement.words[0]), message, {
      hint,
    });
  }

  #tooMany(words: readonly Token[], first: Token, allowed: number): void {
    this.#whole = false;
    const takes = allowed === 0 ? "no arguments" : allowed === 1 ? "one argument" : `${allowed} arguments`;
    const message = `directive ${quoted(this.#spec.name)} takes ${takes}, not ${words.length}`;
    const single = words.some((word) => word.text.startsWith("'"));
    const hint = single ? "single quotes do not quote: use double ones" : `write: ${usageOf(this.#spec)}`;
    this.#problems.error("CONFIG_TOO_MANY_ARGUMENTS", this.#place(first), message, { hint });
  }

  #option(word: Token, specs: readonly OptionSpec[]): void {
    const at = word.quotedFrom === 0 ? -1 : word.text.indexOf("=");
    const name = at === -1 ? word.text : word.text.slice(0, at);
    const place = this.#place(word);
    const named = specs.find((one) => one.name === name);
    const spec = named ?? (at === -1 ? optionOfForm(specs, word.text) : undefined);
    if (spec === undefined) return this.#unknownOption(word, name, specs);
    const before = this.#options.get(spec.name);
    if (before !== undefined) return this.#twice(spec.name, place, before.place);
    if (spec.status === "refused-until-it-works") {
      this.#whole = false;
      const message = `option ${quoted(name)} does not work yet, and is refused rather than ignored`;
      this.#problems.error("CONFIG_REFUSED", place, message, { hint: spec.reason });
      return;
    }
    if (spec.status === "no-effect-yet") {
      this.#problems.warning("CONFIG_NO_EFFECT_YET", place, `option ${quoted(name)} has no effect yet`);
    }
    const given = at === -1 ? undefined : word.text.slice(at + 1);
    this.#optionValue(spec, named === undefined ? word.text : given, place);
  }

  #optionValue(spec: OptionSpec, text: string | undefined, place: Place): void {
    if (text === undefined && spec.flag !== true) {
      this.#whole = false;
      const hint = `write: ${spec.name}=VALUE`;
      const message = `option ${quoted(spec.name)} needs a value`;
      this.#problems.error("CONFIG_MISSING_ARGUMENT", place, message, { hint });
      return;
    }
    const given = text ?? "true";
    const parsed = parseValue(spec.type ?? { kind: "text" }, given);
    if ("value" in parsed) {
      this.#options.set(spec.name, { text: given, value: parsed.value, place });
      return;
    }
    this.#whole = false;
    this.#problems.error("CONFIG_BAD_VALUE", place, `${spec.name}: ${parsed.fault}`, { hint: parsed.hint });
  }

  #unknownOption(word: Token, name: string, specs: readonly OptionSpec[]): void {
    this.#whole = false;
    const place = this.#place(word);
    const forms = specs.flatMap((spec) => spec.byForm ?? []);
    if (forms.length > 0 && !/^[A-Za-z_][\w-]*$/.test(name)) return this.#noneOf(word, forms);
    const names = specs.map((spec) => spec.name);
    const near = this.#problems.isFull ? undefined : nearestName(name, names);
    const hint = near === undefined ? undefined : `did you mean "${near}"?`;
    const message = `${this.#spec.name} has no option ${quoted(shownName(name))}`;
    this.#problems.error("CONFIG_UNKNOWN_OPTION", place, message, { hint });
  }

  #noneOf(word: Token, forms: readonly { readonly label: string; readonly example: string }[]): void {
    const labels = forms.map((form) => form.label).join(", ");
    const message = `${this.#spec.name}: ${quoted(word.text)} is none of ${labels}, and no option`;
    const hint = `as in ${forms.map((form) => form.example).join(" ")}`;
    this.#problems.error("CONFIG_BAD_VALUE", this.#place(word), message, { hint });
  }

  #twice(name: string, place: Place, first: Place): void {
    this.#whole = false;
    const message = `option ${quoted(name)} is given twice`;
    const related = [{ ...first, message: "first given here" }];
    this.#problems.error("CONFIG_DEFINED_TWICE", place, message, { related });
  }
}

function optionOfForm(specs: readonly OptionSpec[], text: string): OptionSpec | undefined {
  return specs.find(
    ({ byForm, type }) => byForm !== undefined && type !== undefined && hasForm(type, text),
  );
}
