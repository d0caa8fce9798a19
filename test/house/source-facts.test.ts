import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exportsOf, importsOf } from "./source-facts.ts";
import { lex } from "./source-lexer.ts";

describe("the source lexer", () => {
  const cases: readonly { name: string; source: string; tokens: readonly string[] }[] = [
    { name: "comments", source: "a // b\n/* c\n*/ d", tokens: ["a", "// b", "/* c\n*/", "d"] },
    { name: "strings with quotes in them", source: `"a\\"b" 'c"d'`, tokens: [`"a\\"b"`, `'c"d'`] },
    { name: "a comment mark in a string", source: `f("//x")`, tokens: ["f", "(", `"//x"`, ")"] },
    {
      name: "templates within templates",
      source: '`a${`b${c}` + "}"}d` e',
      tokens: ['`a${`b${c}` + "}"}d`', "e"],
    },
    {
      name: "a regular expression with a quote",
      source: `x = /["'/]/g;`,
      tokens: ["x", "=", `/["'/]/g`, ";"],
    },
    { name: "a regular expression after return", source: "return /a/;", tokens: ["return", "/a/", ";"] },
    {
      name: "a division",
      source: "a / b / (c) / 2",
      tokens: ["a", "/", "b", "/", "(", "c", ")", "/", "2"],
    },
    {
      name: "private names and numbers",
      source: "this.#n = 1_000.5e3",
      tokens: ["this", ".", "#n", "=", "1_000.5e3"],
    },
    { name: "a shebang", source: "#!/usr/bin/env node\na", tokens: ["a"] },
  ];
  for (const { name, source, tokens } of cases) {
    test(`reads ${name}`, () => {
      assert.deepEqual(
        lex(source).map((token) => token.text),
        tokens,
      );
    });
  }

  test("counts lines, also within comments and templates", () => {
    const lines = lex("a\n/*\n*/ b\n`\n\n` c").map(({ text, line, endLine }) => [text, line, endLine]);
    assert.deepEqual(lines, [
      ["a", 1, 1],
      ["/*\n*/", 2, 3],
      ["b", 3, 3],
      ["`\n\n`", 4, 6],
      ["c", 6, 6],
    ]);
  });

  test("ends on sources that are cut off anywhere", () => {
    const source = 'import { a } from "x"; `a${b}`; /[/]/; /* c */ "s\\"t"';
    for (let cut = 0; cut <= source.length; cut++) {
      assert.ok(lex(source.slice(0, cut)).length <= cut, `cut at ${cut}`);
    }
  });
});

describe("the imports of a source", () => {
  const cases: readonly { source: string; found: readonly string[] }[] = [
    { source: `import a from "x";`, found: ["x"] },
    { source: `import type { A } from "x";\nimport b, { type C } from 'y';`, found: ["x", "y"] },
    { source: `import * as all from "x";`, found: ["x"] },
    { source: `import "x";`, found: ["x"] },
    { source: `const a = await import("x");`, found: ["x"] },
    { source: `type A = import("x").B;`, found: ["x"] },
    {
      source: `export { a } from "x"; export * from "y"; export * as z from "z"; export type { T } from "t";`,
      found: ["x", "y", "z", "t"],
    },
    { source: `// import a from "x";\nconst b = 'import a from "y"';`, found: [] },
    { source: `import.meta.url; x.import("y");`, found: [] },
    { source: `export { a };\nconst from = "x";`, found: [] },
    { source: `export const a = 1;\nfoo.from("x");`, found: [] },
    { source: `export type A = B;\nimport c from "x";`, found: ["x"] },
  ];
  for (const { source, found } of cases) {
    test(`of ${source.replaceAll("\n", " ")}`, () => {
      assert.deepEqual(
        importsOf(source).map((fact) => fact.specifier),
        found,
      );
    });
  }
});

describe("the exports of a source", () => {
  const cases: readonly { source: string; found: readonly string[] }[] = [
    { source: `/** D. */\nexport const a = 1;`, found: ["a +"] },
    { source: `export function a() {}`, found: ["a -"] },
    { source: `/** D. */\n\nexport class A {}`, found: ["A -"] },
    { source: `// no docstring\nexport type A = { b: 1 };`, found: ["A -"] },
    { source: `/* neither */\nexport interface A {}`, found: ["A -"] },
    { source: `/** D. */\nexport async function* a() {}`, found: ["a +"] },
    { source: `/** D. */\nexport abstract class A {}`, found: ["A +"] },
    { source: `/** D. */\nexport default function a() {}`, found: ["a +"] },
    { source: `/** D. */\nexport function a(x: 1): void;\nexport function a(x: 2): void;`, found: ["a +"] },
    {
      source: `export { a } from "x"; export * from "y"; export type { B } from "z"; export { c };`,
      found: [],
    },
    { source: `namespaceLike({ export: 1 });`, found: [] },
  ];
  for (const { source, found } of cases) {
    test(`of ${source.replaceAll("\n", " ")}`, () => {
      assert.deepEqual(
        exportsOf(source).map((fact) => `${fact.name} ${fact.hasDocstring ? "+" : "-"}`),
        found,
      );
    });
  }
});
