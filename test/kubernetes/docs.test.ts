/** docs/kubernetes.md says what there is. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { VARIABLES } from "../../src/config/schema-environment.ts";
import { parse } from "yaml";
import { render } from "./support/chart.ts";
import { root, whyNoPrograms } from "./support/programs.ts";
import { schemaProblems } from "./support/schema.ts";

const page = readFileSync(join(root, "docs/kubernetes.md"), "utf8");

/** Variables that are no part of the configuration; Kubernetes' own, and those for tests, are nobody's to set. */
function variablesReadElsewhere(): string[] {
  const sources = globSync("src/**/*.{ts,js}", { cwd: root })
    .filter((path) => !path.endsWith(".test.ts"))
    .map((path) => readFileSync(join(root, path), "utf8"));
  const read = sources.flatMap((text) => [
    ...[...text.matchAll(/\benv\["([A-Z_]+)"\]/g)].map(([, name]) => name!),
    // Node's own, which it reads itself.
    ...[...text.matchAll(/\bNODE_[A-Z_]+\b/g)].map(([name]) => name),
  ]);
  return [...new Set(read)].filter((name) => !/^(KUBERNETES_|HOSTNAME$|WEIR_|NO_COLOR$)/.test(name));
}

describe("docs/kubernetes.md", () => {
  test("names every environment variable", () => {
    const table = page.slice(page.indexOf("## Environment variables"));
    const named = [...table.matchAll(/^\| `([A-Z_]+)`/gm)].map((match) => match[1]!);
    const known = [...VARIABLES.map(({ name }) => name), ...variablesReadElsewhere()];
    const missing = known.filter((name) => !named.includes(name));
    assert.deepEqual(missing, []);
    assert.equal(new Set(named).size, named.length, "a variable has two lines");
  });

  test("has values that the chart takes", { skip: whyNoPrograms() }, () => {
    const blocks = [...page.matchAll(/```yaml\n(config:\n[^`]*)```/g)].map(
      ([, yaml]) => parse(yaml!) as object,
    );
    assert.ok(blocks.length > 1);
    for (const values of blocks) assert.deepEqual(render(values).flatMap(schemaProblems), []);
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
