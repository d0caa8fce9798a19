import assert from "node:assert/strict";
import { test } from "node:test";
import { dropOldest } from "./oldest.ts";

for (const [most, left] of [
  [3, ["a", "b", "c"]],
  [2, ["b", "c"]],
  [1, ["c"]],
  [0, []],
] as const) {
  test(`of three entries no more than ${most} are left, the newest`, () => {
    const map = new Map(["a", "b", "c"].map((key) => [key, 0]));
    dropOldest(map, most);
    assert.deepEqual([...map.keys()], left);
  });
}

test("what is put in anew is the newest", () => {
  const map = new Map(["a", "b"].map((key) => [key, 0]));
  map.delete("a");
  map.set("a", 1);
  dropOldest(map, 1);
  assert.deepEqual([...map], [["a", 1]]);
});
