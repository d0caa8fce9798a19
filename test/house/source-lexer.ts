/** A lexer for TypeScript that knows as much as the house rules need: words, strings, comments, and what nests. */

/** What a token is. A template literal is one token, with the expressions in it. */
export type TokenKind = "word" | "string" | "template" | "number" | "regexp" | "comment" | "punctuation";

/** One token. `text` is as it stands in the source, quotes and comment marks included. */
export type Token = {
  readonly kind: TokenKind;
  readonly text: string;
  /** From 1. */
  readonly line: number;
  readonly endLine: number;
};

/** Each at the place where it is tried; the first that matches is the token. */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ["comment", /\/\/[^\n]*|\/\*[^]*?\*\//y],
  ["string", /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/y],
  ["word", /[#@]?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy],
  ["number", /\.?[0-9][\w.]*/y],
];
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const SPACE = /\s+/y;

/** Words after which a slash begins a regular expression, since no value can end with them. */
const OPERATOR_WORDS = new Set([
  "return",
  "typeof",
  "case",
  "in",
  "of",
  "instanceof",
  "new",
  "delete",
  "void",
]);
const MORE_OPERATOR_WORDS = new Set(["throw", "do", "else", "yield", "await", "extends", "default"]);

/** Splits a source text into tokens; shebang and white space are left out. */
export function lex(source: string): Token[] {
  const tokens: Token[] = [];
  const lineAt = lineCounter(source);
  let offset = source.startsWith("#!") ? source.indexOf("\n") : 0;
  let lastValue: Token | undefined;
  while (offset < source.length) {
    offset += matchLength(SPACE, source, offset);
    if (offset >= source.length) break;
    const [kind, length] = nextToken(source, offset, lastValue);
    const text = source.slice(offset, offset + length);
    const token = { kind, text, line: lineAt(offset), endLine: lineAt(offset + length - 1) };
    tokens.push(token);
    if (kind !== "comment") lastValue = token;
    offset += length;
  }
  return tokens;
}

function nextToken(source: string, offset: number, before: Token | undefined): [TokenKind, number] {
  for (const [kind, pattern] of PATTERNS) {
    const length = matchLength(pattern, source, offset);
    if (length > 0) return [kind, length];
  }
  if (source[offset] === "`") return ["template", templateLength(source, offset)];
  if (source[offset] === "/" && !endsValue(before)) {
    const length = matchLength(REGEXP, source, offset);
    if (length > 0) return ["regexp", length];
  }
  return ["punctuation", 1];
}

/** Whether a slash after this token divides. */
function endsValue(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === "word") return !OPERATOR_WORDS.has(token.text) && !MORE_OPERATOR_WORDS.has(token.text);
  return token.kind !== "punctuation" || token.text === ")" || token.text === "]";
}

/** Length of a template literal with the code within its `${}`, in which templates may stand again. */
function templateLength(source: string, start: number): number {
  let offset = start + 1;
  while (offset < source.length && source[offset] !== "`") {
    if (source[offset] === "\\") offset += 2;
    else if (source.startsWith("${", offset)) offset = endOfExpression(source, offset + 2);
    else offset++;
  }
  return offset + 1 - start;
}

/** The place behind the brace that closes the one before `start`. */
function endOfExpression(source: string, start: number): number {
  let depth = 1;
  let offset = start;
  let before: Token | undefined;
  while (offset < source.length && depth > 0) {
    offset += matchLength(SPACE, source, offset);
    const [kind, length] = nextToken(source, offset, before);
    const text = source.slice(offset, offset + length);
    if (text === "{") depth++;
    if (text === "}") depth--;
    if (kind !== "comment") before = { kind, text, line: 0, endLine: 0 };
    offset += length;
  }
  return offset;
}

function matchLength(pattern: RegExp, source: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0].length ?? 0;
}

/** Gives the line of offsets that only grow. */
function lineCounter(source: string): (offset: number) => number {
  let line = 1;
  let counted = 0;
  return (offset) => {
    for (; counted < offset; counted++) if (source[counted] === "\n") line++;
    return line;
  };
}
