import { findDirective } from "./directives.ts";
import { parseValue } from "./values.ts";
import type { Token } from "./lexer.ts";
import type { ArgumentSpec, DirectiveSpec, Scope } from "./schema.ts";

/** Words, the index of the one that names the directive, its spec if it has one, and where it stands. */
type Search = {
  readonly words: readonly Token[];
  readonly from: number;
  readonly spec: DirectiveSpec | undefined;
  readonly scope: Scope;
};

/**
 * Finds where the statement that begins at `from` runs on into the next because its `;` is missing: the index of
 * the first word that begins a line, is the name of a directive of this scope and makes no sense as an argument
 * of `spec`; the number of words when there is none.
 *
 * Line ends mean nothing in the language; they are only used to tell a forgotten `;` from a wrong argument.
 */
export function endOfStatement({ words, from, spec, scope }: Search): number {
  for (let index = from + 1; index < words.length; index++) {
    const word = words[index]!;
    if (!word.firstOnLine || word.quotedFrom !== -1) continue;
    if (findDirective(scope, word.text) !== undefined && !isArgument(word.text, index - from - 1, spec))
      return index;
  }
  return words.length;
}

function isArgument(text: string, index: number, spec: DirectiveSpec | undefined): boolean {
  if (spec === undefined) return false;
  if (spec.arguments === "unchecked") return spec.flags?.includes(text) === true;
  const argument = spec.arguments[Math.min(index, spec.arguments.length - 1)];
  if (argument === undefined) return false;
  if (index >= spec.arguments.length && argument.many !== true) return isFlag(text, spec);
  return acceptsWord(argument, text, index);
}

function isFlag(text: string, spec: DirectiveSpec): boolean {
  return spec.options?.some((option) => option.name === text && option.flag === true) === true;
}

/** Arguments that may be any word take the first one; in a list, a directive's name ends it. */
function acceptsWord(argument: ArgumentSpec, text: string, index: number): boolean {
  const isOpen = ["text", "login", "name", "prefix", "hostname"].includes(argument.type.kind);
  if (isOpen) return index === 0 || argument.many !== true;
  return "value" in parseValue(argument.type, text);
}
