import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_TOKENS, MAX_WORD_LENGTH, readTokens } from "./lexer.ts";
import { SourceText } from "./place.ts";
import { ProblemList } from "./problem.ts";
import type { Token } from "./lexer.ts";
import type { Problem } from "./problem.ts";

function lex(text: string): { tokens: Token[]; problems: Problem[] } {
  const problems = new ProblemList();
  const tokens = readTokens(new SourceText({ file: "t", text }), problems);
  return { tokens, problems: problems.list(["t"]) };
}

/** Words as they are, quoted ones in brackets, signs as they are written. */
function show(tokens: readonly Token[]): string {
  const signs = { open: "{", close: "}", end: ";" } as const;
  const words = tokens.map((token) => {
    if (token.kind !== "word") return signs[token.kind];
    return token.quotedFrom === -1
      ? token.text
      : `${token.text.slice(0, token.quotedFrom)}[${token.text.slice(token.quotedFrom)}]`;
  });
  return words.join(" ");
}

const GOOD: readonly { name: string; text: string; shown: string }[] = [
  { name: "a statement", text: "rtmp 1935;", shown: "rtmp 1935 ;" },
  {
    name: "signs without spaces",
    text: "http 80{api false;}http 81;",
    shown: "http 80 { api false ; } http 81 ;",
  },
  { name: "all blanks and line ends", text: "a\tb\r\nc\n\n d", shown: "a b c d" },
  { name: "a comment to the end of its line", text: 'a # b ; { " \nc', shown: "a c" },
  { name: "a comment that ends the text", text: "a;#", shown: "a ;" },
  { name: "a comment with non-ASCII text", text: "# \u0442\u0435\u0441\u0442\na", shown: "a" },
  { name: "a # inside a word", text: "http://h/#x", shown: "http://h/#x" },
  { name: "a quoted value", text: 'title "a b; { } # c";', shown: "title [a b; { } # c] ;" },
  { name: "an empty quoted value", text: 'prefix "";', shown: "prefix [] ;" },
  {
    name: "a quoted value of an option",
    text: 'streamid="#!::r=x,m=publish"',
    shown: "streamid=[#!::r=x,m=publish]",
  },
  { name: "an escaped quote", text: String.raw`"a\"b"`, shown: '[a"b]' },
  {
    name: "an escaped backslash before the closing quote",
    text: String.raw`"a\\" b`,
    shown: String.raw`[a\] b`,
  },
  { name: "a backslash that escapes nothing", text: String.raw`"C:\new"`, shown: String.raw`[C:\new]` },
  { name: "non-ASCII in quotes", text: '"\u0442 \u{1F600}"', shown: "[\u0442 \u{1F600}]" },
  { name: "non-ASCII in a bare word", text: "title \u0442;", shown: "title \u0442 ;" },
  {
    name: "URLs with every sign they have",
    text: "http://[::1]:80/a?b=c&d=%20,e@f",
    shown: "http://[::1]:80/a?b=c&d=%20,e@f",
  },
  { name: "nothing", text: "", shown: "" },
  { name: "a byte order mark", text: "\uFEFFa", shown: "a" },
];

for (const { name, text, shown } of GOOD) {
  test(`the lexer reads ${name}`, () => {
    const { tokens, problems } = lex(text);
    assert.deepEqual(problems, []);
    assert.equal(show(tokens), shown);
  });
}

test("a token knows where it stands and whether it begins a line", () => {
  const { tokens } = lex('a "b c"\n  d;');
  assert.deepEqual(
    tokens.map((token) => [token.start, token.end, token.firstOnLine]),
    [
      [0, 1, true],
      [2, 7, false],
      [10, 11, true],
      [11, 12, false],
    ],
  );
});

const BAD: readonly { name: string; text: string; code: string; column: number; shown: string }[] = [
  { name: "an unclosed quote", text: '"a b', code: "CONFIG_UNCLOSED_QUOTE", column: 1, shown: "[a b]" },
  {
    name: "an unclosed quote that keeps the ; at the end",
    text: 'a "b;',
    code: "CONFIG_UNCLOSED_QUOTE",
    column: 3,
    shown: "a [b] ;",
  },
  {
    name: "an unclosed quote that keeps the { at the end",
    text: 'a "b {  \nc',
    code: "CONFIG_UNCLOSED_QUOTE",
    column: 3,
    shown: "a [b] { c",
  },
  {
    name: "a quote that ends with an escape",
    text: '"a\\',
    code: "CONFIG_UNCLOSED_QUOTE",
    column: 1,
    shown: "[a\\]",
  },
  {
    name: "a quote that is closed on the next line",
    text: '"a\nb"',
    code: "CONFIG_UNCLOSED_QUOTE",
    column: 1,
    shown: "[a] b",
  },
  {
    name: "a quote in a word",
    text: 'a"b c" d',
    code: "CONFIG_MISPLACED_QUOTE",
    column: 2,
    shown: "a d",
  },
  {
    name: "a word that touches a quote",
    text: '"a"b c',
    code: "CONFIG_MISPLACED_QUOTE",
    column: 3,
    shown: "[a] c",
  },
  {
    name: "two quotes that touch",
    text: '"a""b" c',
    code: "CONFIG_MISPLACED_QUOTE",
    column: 3,
    shown: "[a] c",
  },
  { name: "a control character", text: "a\u0000b", code: "CONFIG_BAD_CHARACTER", column: 2, shown: "a b" },
  {
    name: "a control character in quotes",
    text: '"a\u001b[31m"',
    code: "CONFIG_BAD_CHARACTER",
    column: 3,
    shown: "[a\u001b[31m]",
  },
  {
    name: "a control character in a comment",
    text: "# a\u0007\nb",
    code: "CONFIG_BAD_CHARACTER",
    column: 4,
    shown: "b",
  },
  { name: "a carriage return alone", text: "a\rb", code: "CONFIG_BAD_CHARACTER", column: 2, shown: "a b" },
  {
    name: "a sign that turns text around",
    text: "a\u202Eb",
    code: "CONFIG_BAD_CHARACTER",
    column: 2,
    shown: "a b",
  },
  {
    name: "a space that breaks no line",
    text: "a\u00A0b",
    code: "CONFIG_BAD_CHARACTER",
    column: 2,
    shown: "a b",
  },
  {
    name: "a byte order mark inside",
    text: "a\uFEFFb",
    code: "CONFIG_BAD_CHARACTER",
    column: 2,
    shown: "a b",
  },
  {
    name: "a typographic quote",
    text: "a \u201Cb\u201D",
    code: "CONFIG_BAD_CHARACTER",
    column: 3,
    shown: "a \u201Cb\u201D",
  },
];

for (const { name, text, code, column, shown } of BAD) {
  test(`the lexer reports ${name} and reads on`, () => {
    const { tokens, problems } = lex(text);
    assert.deepEqual(
      problems.map((one) => [one.code, one.column]),
      [[code, column]],
    );
    assert.equal(show(tokens), shown);
  });
}

test("bad characters are reported once a file", () => {
  assert.equal(lex("\u0000".repeat(1000)).problems.length, 1);
});

test("a value that a problem was reported in is marked as damaged", () => {
  const { tokens } = lex('a "b\u0000" "c');
  assert.deepEqual(
    tokens.map((token) => token.damaged),
    [false, true, true],
  );
});

test("a word may be as long as the limit and no longer", () => {
  const longest = "a".repeat(MAX_WORD_LENGTH);
  assert.deepEqual(lex(longest).problems, []);
  const { tokens, problems } = lex(`${longest}b;`);
  assert.deepEqual(
    problems.map((one) => one.code),
    ["CONFIG_WORD_TOO_LONG"],
  );
  assert.equal(tokens[0]!.text.length, MAX_WORD_LENGTH);
  assert.equal(tokens[0]!.damaged, true);
  assert.deepEqual(
    lex(`"${longest}b"`).problems.map((one) => one.code),
    ["CONFIG_WORD_TOO_LONG"],
  );
});

test("no more tokens are read than the limit", () => {
  const { tokens, problems } = lex(";".repeat(MAX_TOKENS + 2));
  assert.equal(tokens.length, MAX_TOKENS);
  assert.deepEqual(
    problems.map((one) => one.code),
    ["CONFIG_FILE_TOO_LONG"],
  );
  assert.deepEqual(lex(";".repeat(MAX_TOKENS)).problems, []);
});
