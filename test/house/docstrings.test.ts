import assert from "node:assert/strict";
import { test } from "node:test";
import { exportsOf } from "./source-facts.ts";
import { isTestFile, projectFiles, readProjectFile } from "./tree.ts";

/** What others call: the server, and what tests share. */
const DOCUMENTED = /^(src|test\/support|test\/runner|test\/fuzz)\/.*\.ts$/;

test("every export has a docstring directly above it", () => {
  const files = projectFiles().filter((path) => DOCUMENTED.test(path) && !isTestFile(path));
  const bare = files.flatMap((path) =>
    exportsOf(readProjectFile(path))
      .filter((fact) => !fact.hasDocstring)
      .map((fact) => `${path}:${fact.line} ${fact.name}`),
  );
  assert.ok(files.length > 0);
  assert.equal(bare.join("\n"), "");
});
