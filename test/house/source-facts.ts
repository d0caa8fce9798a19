/** What a source file imports and exports, as far as house rules ask. */
import { lex } from "./source-lexer.ts";
import type { Token } from "./source-lexer.ts";

/** One `import` or `export ... from`, static or dynamic. */
export type ImportFact = { readonly specifier: string; readonly line: number };

/** One exported declaration. */
export type ExportFact = {
  readonly name: string;
  readonly line: number;
  /** A docstring ends on the line above. */
  readonly hasDocstring: boolean;
};

/** The imports of a source text, types included; a dynamic import whose argument is no plain string is left out. */
export function importsOf(source: string): ImportFact[] {
  const tokens = lex(source).filter((token) => token.kind !== "comment");
  const facts: ImportFact[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== "word" || tokens[index - 1]?.text === ".") continue;
    const specifier =
      token.text === "import" || token.text === "export" ? specifierAfter(tokens, index) : null;
    if (specifier !== null) facts.push({ specifier: specifier.text.slice(1, -1), line: token.line });
  }
  return facts;
}

/** The string of `import "x"`, `import("x")`, `import ... from "x"`, `export { } from "x"`, `export * from "x"`. */
function specifierAfter(tokens: readonly Token[], index: number): Token | null {
  const isImport = tokens[index]?.text === "import";
  const next = tokens[index + 1];
  if (next === undefined) return null;
  if (isImport && next.kind === "string") return next;
  if (isImport && next.text === "(") return stringOrNull(tokens[index + 2]);
  if (!isImport && !["{", "*", "type"].includes(next.text)) return null;
  return stringOrNull(tokens[fromWord(tokens, index + 1) + 1]);
}

/** Index of the `from` of the clause that begins at `start`: names, braces, commas and a star. */
function fromWord(tokens: readonly Token[], start: number): number {
  for (let index = start; index < tokens.length; index++) {
    const { kind, text } = tokens[index]!;
    if (text === "from" && tokens[index + 1]?.kind === "string") return index;
    const isClause = (kind === "word" || kind === "string" || "{},*".includes(text)) && text !== "import";
    if (!isClause) break;
  }
  return tokens.length;
}

function stringOrNull(token: Token | undefined): Token | null {
  return token?.kind === "string" ? token : null;
}

/** The declarations that a file exports itself. Lists and re-exports are no declarations; overloads count once. */
export function exportsOf(source: string): ExportFact[] {
  const tokens = lex(source);
  const facts: ExportFact[] = [];
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if ("({[".includes(token.text)) depth++;
    if (")}]".includes(token.text)) depth--;
    if (depth > 0 || token.kind !== "word" || token.text !== "export") continue;
    const name = declaredName(tokens.slice(index + 1, index + 6));
    if (name === null || facts.at(-1)?.name === name) continue;
    const above = tokens[index - 1];
    const hasDocstring = above?.text.startsWith("/**") === true && above.endLine === token.line - 1;
    facts.push({ name, line: token.line, hasDocstring });
  }
  return facts;
}

const DECLARATION_WORDS = [
  "default",
  "declare",
  "abstract",
  "async",
  "function",
  "class",
  "const",
  "let",
  "var",
];
const TYPE_WORDS = ["interface", "type", "enum"];

function declaredName(after: readonly Token[]): string | null {
  if (after[0] === undefined || after[0].text === "{" || after[0].text === "*") return null;
  if (after[0].text === "type" && (after[1]?.text === "{" || after[1]?.text === "*")) return null;
  const isPartOfHead = ({ text }: Token): boolean =>
    DECLARATION_WORDS.includes(text) || TYPE_WORDS.includes(text) || text === "*";
  return after.find((token) => !isPartOfHead(token))?.text ?? "default";
}
