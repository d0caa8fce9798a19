import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "./load.ts";

const stream = (name: string, root: string): string =>
  `stream ${name} { input publish://; dvr ${root} 7d; }`;
const template = (name: string, prefix: string, root: string): string =>
  `template ${name} { prefix ${prefix}; input publish://; dvr ${root} 1d; }`;

const CASES: readonly [name: string, text: string, isRefused: boolean][] = [
  ["streams below one root", stream("a", "/s") + stream("b", "/s"), false],
  ["roots beside each other", stream("s2", "/s") + stream("b", "/s2"), false],
  ["a root in which nobody else records", stream("a", "/s") + stream("b", "/s/ssd"), false],
  ["the folder of another stream", stream("pub/a", "/s") + stream("b", "/s/pub/a"), true],
  ["a folder above one", stream("pub/a", "/s") + stream("a", "/s/pub"), true],
  ["a folder with a name like another's", stream("pub2", "/s") + stream("a", "/s/pub"), false],
  ["the folder of a prefix", template("t", "pub", "/s") + stream("news", "/s/pub"), true],
  ["a folder of a stream with the prefix", template("t", "pub", "/s") + stream("news", "/s/pub/x"), true],
  ["a folder above a prefix", template("t", "a/b", "/s") + stream("news", "/s/a"), true],
  ["another folder than a prefix", template("t", "pub", "/s") + stream("news", "/s/publ"), false],
  ["any folder, of a prefix for all", template("t", '""', "/s") + stream("news", "/s/x/y"), true],
  ["whichever comes first", stream("news", "/s/pub") + template("t", "pub", "/s"), true],
  ["a root two folders up", template("t", "a", "/s") + stream("b", "/s/a/b/c"), true],
];

for (const [name, text, isRefused] of CASES)
  test(`a recording's root in ${name} is ${isRefused ? "refused" : "taken"}`, () => {
    const { problems } = loadConfig([{ file: "t", text }]);
    const codes = problems.map(({ severity, code }) => `${severity} ${code}`);
    assert.deepEqual(codes, isRefused ? ["error CONFIG_NESTED_ROOTS"] : []);
  });

test("it is said which root lies in which, and whose folder it is", () => {
  const text = `${template("t", "pub", "/s")}\n${stream("news", "/s/pub")}`;
  const [problem] = loadConfig([{ file: "t", text }]).problems;
  assert.ok(problem !== undefined);
  assert.match(problem.message, /the root \/s\/pub .* streams with the prefix "pub" .* \/s$/);
  assert.deepEqual([problem.line, problem.related?.[0]?.line], [2, 1]);
});
