import assert from "node:assert/strict";
import { test } from "node:test";
import { DIRECTIVES } from "../../config/directives.ts";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { START_SETTINGS, withStartSettings } from "./start-settings.ts";

function load(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "t", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

test("what waits for the next start is what the reference page says of each directive", () => {
  const named = DIRECTIVES.filter(({ onChange }) => onChange === "process").map(({ name }) => name);
  assert.deepEqual(named.toSorted(), [...START_SETTINGS]);
});

test("a new configuration keeps what the server was started with, given or not, and is new in all else", () => {
  const atStart = load("hostname a; loglevel info;");
  const wanted = load("hostname b; threads 3; loglevel debug; max_connections_per_address 7;");
  const next = withStartSettings(wanted, atStart);
  assert.deepEqual([next.hostname, "threads" in next], ["a", false]);
  assert.deepEqual([next.logLevel, next.limits], [wanted.logLevel, wanted.limits]);
  assert.deepEqual(withStartSettings(atStart, wanted).threads, 3);
});
