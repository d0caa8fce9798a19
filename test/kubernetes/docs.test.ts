/** docs/kubernetes.md says what there is. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { VARIABLES } from "../../src/config/schema-environment.ts";
import { root } from "./support/programs.ts";

const page = readFileSync(join(root, "docs/kubernetes.md"), "utf8");

describe("docs/kubernetes.md", () => {
  test("names every environment variable", () => {
    const table = page.slice(page.indexOf("## Environment variables"));
    const named = [...table.matchAll(/^\| `([A-Z_]+)`/gm)].map((match) => match[1]!);
    const missing = VARIABLES.map(({ name }) => name).filter((name) => !named.includes(name));
    assert.deepEqual(missing, []);
    assert.equal(new Set(named).size, named.length, "a variable has two lines");
  });

  test("names only files that are there", () => {
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1]!);
    const paths = [...page.matchAll(/`((?:deploy|test|docs)\/[^`* ]+)`/g)].map(
      (match) => `../${match[1]!}`,
    );
    const missing = [...links, ...paths].filter((path) => !existsSync(join(root, "docs", path)));
    assert.deepEqual(missing, []);
    assert.ok(links.length > 0 && paths.length > 0);
  });
});
