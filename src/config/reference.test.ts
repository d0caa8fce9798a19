import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DIRECTIVES } from "./directives.ts";
import { loadConfig } from "./load.ts";
import { PROBLEM_CODES } from "./problem.ts";
import { renderConfigReference } from "./reference.ts";
import { VARIABLES } from "./schema-environment.ts";
import { DVR_OPTIONS } from "./schema-dvr.ts";
import { INPUT_OPTIONS } from "./schema-input.ts";

test("docs/config.md is what the schema says; node src/cli/reference.ts makes it anew", () => {
  const written = readFileSync(new URL("../../docs/config.md", import.meta.url), "utf8");
  assert.equal(written, renderConfigReference());
});

test("the reference has every directive, option, variable and code", () => {
  const page = renderConfigReference();
  for (const spec of DIRECTIVES) {
    for (const name of [spec.name, ...(spec.aliases ?? [])])
      assert.match(page, new RegExp(`\`${name}\\b`), name);
  }
  for (const { name } of [...INPUT_OPTIONS, ...DVR_OPTIONS])
    assert.match(page, new RegExp(`\`${name}[=\`]`), name);
  for (const { name } of VARIABLES) assert.ok(page.includes(`\`${name}\``), name);
  for (const code of Object.keys(PROBLEM_CODES)) assert.ok(page.includes(`\`${code}\``), code);
});

test("every table of the reference has rows as wide as its head", () => {
  const rows = renderConfigReference()
    .split("\n")
    .filter((line) => line.startsWith("|"));
  let width = 0;
  for (const [index, row] of rows.entries()) {
    const cells = row.replaceAll("\\|", "").split("|").length;
    if (rows[index + 1]?.startsWith("| ---") === true) width = cells;
    assert.equal(cells, width, row);
  }
});

test("the examples of the reference are good configs", () => {
  const examples = [...renderConfigReference().matchAll(/```\n([^`]*)```/g)].map(([, text]) => text!);
  assert.equal(examples.length, 5);
  for (const text of examples) assert.deepEqual(loadConfig([{ file: "t", text }]).problems, [], text);
});
