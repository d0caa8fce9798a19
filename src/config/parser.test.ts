import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_DEPTH, parseStatements } from "./parser.ts";
import { SourceText } from "./place.ts";
import { ProblemList } from "./problem.ts";
import type { Statement } from "./parser.ts";
import type { Problem } from "./problem.ts";

function parse(text: string): { statements: Statement[]; problems: Problem[] } {
  const problems = new ProblemList();
  const statements = parseStatements(new SourceText({ file: "t", text }), problems);
  return { statements, problems: problems.list(["t"]) };
}

function show(statements: readonly Statement[]): string {
  return statements
    .map(({ words, block }) => {
      const name = words.map((word) => word.text).join(" ");
      return block === undefined
        ? `${name};`
        : `${name}{${show(block.statements)}}${block.closed ? "" : "..."}`;
    })
    .join("");
}

const GOOD: readonly [text: string, shown: string][] = [
  ["rtmp 1935;", "rtmp 1935;"],
  ["http 80 {api false;} http 81;", "http 80{api false;}http 81;"],
  ["a { b { c; } d; }", "a{b{c;}d;}"],
  ["a {};", "a{}"],
  [";;a;;", "a;"],
  ["a\n b\n c;", "a b c;"],
  ["", ""],
  ["# nothing", ""],
];

for (const [text, shown] of GOOD) {
  test(`the parser reads ${JSON.stringify(text)}`, () => {
    const { statements, problems } = parse(text);
    assert.deepEqual(problems, []);
    assert.equal(show(statements), shown);
  });
}

const BAD: readonly {
  name: string;
  text: string;
  found: [code: string, line: number, column: number][];
  shown: string;
}[] = [
  {
    name: "a missing ; before }",
    text: "a { b c }",
    found: [["CONFIG_MISSING_SEMICOLON", 1, 8]],
    shown: "a{b c;}",
  },
  {
    name: "a missing ; at the end",
    text: "a;\nb  ",
    found: [["CONFIG_MISSING_SEMICOLON", 2, 2]],
    shown: "a;b;",
  },
  { name: "a } without {", text: "a; } b;", found: [["CONFIG_STRAY_BRACE", 1, 4]], shown: "a;b;" },
  {
    name: "a block without a name",
    text: "a; { b; { c; } } d;",
    found: [
      ["CONFIG_STRAY_BRACE", 1, 4],
      ["CONFIG_STRAY_BRACE", 1, 9],
    ],
    shown: "a;d;",
  },
  {
    name: "an unclosed block",
    text: "a {\n b;",
    found: [["CONFIG_UNCLOSED_BLOCK", 1, 3]],
    shown: "a{b;}...",
  },
  {
    name: "two unclosed blocks",
    text: "a { b {",
    found: [
      ["CONFIG_UNCLOSED_BLOCK", 1, 3],
      ["CONFIG_UNCLOSED_BLOCK", 1, 7],
    ],
    shown: "a{b{}...}...",
  },
];

for (const { name, text, found, shown } of BAD) {
  test(`the parser reports ${name} and reads on`, () => {
    const { statements, problems } = parse(text);
    assert.deepEqual(
      problems.map((one) => [one.code, one.line, one.column]),
      found,
    );
    assert.equal(show(statements), shown);
  });
}

test("blocks may stand as deep as the limit and no deeper", () => {
  const nested = (depth: number): string => `${"a{".repeat(depth)}b;${"}".repeat(depth)}c;`;
  assert.deepEqual(parse(nested(MAX_DEPTH)).problems, []);
  const { statements, problems } = parse(nested(MAX_DEPTH + 5));
  assert.deepEqual(
    problems.map((one) => one.code),
    ["CONFIG_TOO_DEEP"],
  );
  assert.equal(show(statements.slice(1)), "c;");
});

test("a hundred thousand open braces are read without running out of stack", () => {
  const { problems } = parse("a{".repeat(100_000));
  assert.ok(problems.some((one) => one.code === "CONFIG_TOO_DEEP"));
});
