/** Passwords that everybody knows, in production and out of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "./load.ts";
import type { Environment } from "./environment.ts";

/** What is said of a config and an environment, as `error CONFIG_WELL_KNOWN file:line:column`. */
function said(text: string, environment: Environment = {}): string[] {
  const { problems } = loadConfig([{ file: "a.conf", text }], environment);
  return problems.map(
    ({ severity, code, file, line, column }) => `${severity} ${code} ${file}:${line}:${column}`,
  );
}

const CASES: readonly [what: string, text: string, Environment, string[]][] = [
  ["own", "production; edit_auth root a-good-one;", {}, []],
  ["of the article", "edit_auth root password;", {}, ["warning CONFIG_WELL_KNOWN a.conf:1:16"]],
  ["in production", "production; edit_auth root password;", {}, ["error CONFIG_WELL_KNOWN a.conf:1:28"]],
  ["of the viewer", "production true; view_auth a a;", {}, ["error CONFIG_WELL_KNOWN a.conf:1:30"]],
  [
    "of a token",
    "production; api_token t { token streamer; scope view; }",
    {},
    ["error CONFIG_WELL_KNOWN a.conf:1:33"],
  ],
  [
    "by variable",
    "edit_auth root password;",
    { STREAMER_PRODUCTION: "true" },
    ["error CONFIG_WELL_KNOWN a.conf:1:16"],
  ],
  [
    "by the older prefix",
    "view_auth admin admin;",
    { FLUSSONIC_PRODUCTION: "true" },
    ["error CONFIG_WELL_KNOWN a.conf:1:17"],
  ],
  [
    "the variable wins",
    "production; edit_auth root password;",
    { STREAMER_PRODUCTION: "false" },
    ["warning CONFIG_WELL_KNOWN a.conf:1:28"],
  ],
  [
    "in the environment",
    "production; edit_auth root password;",
    { FLUSSONIC_EDIT_AUTH: "root:password" },
    ["error CONFIG_WELL_KNOWN environment:1:1"],
  ],
  ["overruled", "production; edit_auth root password;", { FLUSSONIC_EDIT_AUTH: "root:a-good-one" }, []],
  ["no word of it", "production maybe;", {}, ["error CONFIG_BAD_VALUE a.conf:1:12"]],
  ["no variable", "", { STREAMER_PRODUCTION: "maybe" }, ["error CONFIG_BAD_VALUE environment:1:21"]],
];

for (const [what, text, environment, expected] of CASES)
  test(`a password that everybody knows, ${what}: ${expected.join() || "nothing is said"}`, () => {
    assert.deepEqual(said(text, environment), expected);
  });

test("the password itself is in no message", () => {
  const { problems } = loadConfig([{ file: "a.conf", text: "production; edit_auth root letmein!;" }]);
  assert.equal(problems.length, 1);
  assert.ok(!JSON.stringify(problems).includes("letmein"));
});
