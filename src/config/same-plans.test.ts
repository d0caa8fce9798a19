import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../base/steps.ts";
import { loadConfig } from "./load.ts";
import { isSamePlan, keepSteps } from "./same-plans.ts";

function planOf(text: string): NonNullable<ReturnType<typeof loadConfig>["config"]> {
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

test("streams that say the same are the same objects, wherever they stand now", () => {
  const before = planOf("stream a { input publish://; }\nstream b { input publish://; title B; }\n");
  const text = "# more\nstream c { input publish://; }\nstream b { input publish://; title B; }\n";
  const after = planOf(`${text}stream a { input publish://; title A; }\n`);
  const kept = finish(keepSteps(before, after));
  assert.deepEqual(
    kept.streams.map(({ name }) => name),
    ["c", "b", "a"],
  );
  assert.equal(kept.streams[1], before.streams[1]);
  assert.equal(kept.streams[0], after.streams[0]);
  assert.equal(kept.streams[2], after.streams[2]);
  assert.equal(kept.streams[2]?.title, "A");
});

for (const [a, b, isSame] of [
  [{ a: 1, place: { line: 1 } }, { a: 1, place: { line: 2 } }, true],
  [{ a: 1 }, { a: 1, place: { line: 2 } }, true],
  [{ place: "here" }, { place: "there" }, false],
  [{ place: ["x"] }, { place: ["y"] }, false],
  [{ place: "here" }, { place: { line: 1 } }, false],
  [{ place: { line: 1 } }, { place: "here" }, false],
  [{ a: 1, b: 2 }, { a: 1 }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: undefined }, { b: undefined }, false],
  [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
  [{ a: [1, 2] }, { a: [1] }, false],
  [{ a: [1] }, { a: { 0: 1 } }, false],
  [{ a: [] }, { a: {} }, false],
  [{ a: null }, { a: {} }, false],
  [{ a: NaN }, { a: NaN }, true],
  [{ a: "1" }, { a: 1 }, false],
] as const) {
  test(`${JSON.stringify(a)} and ${JSON.stringify(b)} are ${isSame ? "the same" : "different"}`, () => {
    assert.equal(isSamePlan(a, b), isSame);
  });
}
