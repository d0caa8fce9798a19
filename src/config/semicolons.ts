import { findDirective } from "./directives.ts";
import { parseValue } from "./values.ts";
import type { Token } from "./lexer.ts";
import type { ArgumentSpec, DirectiveSpec, Scope } from "./schema.ts";

/**
 * Finds where a statement runs on into the next because its `;` is missing: the index of the first word that
 * begins a line, is the name of a directive of this scope and makes no sense as an argument of `spec`.
 *
 * Line ends mean nothing in the language; they are only used to tell a forgotten `;` from a wrong argument.
 */
export function splitPoint(
  words: readonly Token[],
  spec: DirectiveSpec | undefined,
  scope: Scope,
): number | undefined {
  for (let index = 1; index < words.length; index++) {
    const word = words[index]!;
    if (!word.firstOnLine || word.quotedFrom !== -1) continue;
    if (findDirective(scope, word.text) !== undefined && !isArgument(word.text, index - 1, spec))
      return index;
  }
  return undefined;
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
