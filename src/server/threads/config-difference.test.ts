import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../../base/steps.ts";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { keepSteps } from "../../config/same-plans.ts";
import { configDifference, withDifference } from "./config-difference.ts";

function planOf(names: readonly string[], before?: ResolvedConfig): ResolvedConfig {
  const text = names.map((name) => `stream ${name} { input publish://; }`).join("\n");
  const { config } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined);
  return before === undefined ? config : finish(keepSteps(before, config));
}

for (const [from, to] of [
  ["a b c", "a b c"],
  ["a b c", "c x a"],
  ["a b c", "x y"],
  ["", "a b"],
  ["a b", ""],
] as const) {
  test(`a thread that has "${from}" is told of "${to}"`, () => {
    const before = planOf(from.split(" ").filter(Boolean));
    const after = planOf(to.split(" ").filter(Boolean), before);
    const there = structuredClone(before);
    const told = withDifference(there, structuredClone(configDifference(before, after)));
    assert.deepEqual(told, after);
    for (const stream of told.streams) {
      const was = there.streams.find(({ name }) => name === stream.name);
      if (was !== undefined) assert.equal(stream, was);
    }
  });
}

test("a difference from another configuration is refused", () => {
  const before = planOf(["a", "b"]);
  const difference = configDifference(before, planOf(["b"], before));
  assert.throws(() => withDifference(planOf(["a"]), difference), /made from another configuration/);
});
