import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ByteLru } from "./byte-lru.ts";

function filled(limits: { bytes: number; items: number }) {
  const evicted: string[] = [];
  const cache = new ByteLru<string>(limits, (value) => evicted.push(value));
  return { cache, evicted };
}

describe("ByteLru", () => {
  test("keeps what was used last within its bytes", () => {
    const { cache, evicted } = filled({ bytes: 100, items: 10 });
    cache.set("a", "A", 40);
    cache.set("b", "B", 40);
    assert.equal(cache.get("a"), "A");
    cache.set("c", "C", 40);
    assert.deepEqual([cache.get("a"), cache.get("b"), cache.get("c")], ["A", undefined, "C"]);
    assert.deepEqual(evicted, ["B"]);
    assert.equal(cache.bytes, 80);
  });

  test("keeps no more than its number", () => {
    const { cache, evicted } = filled({ bytes: 100, items: 2 });
    for (const name of ["a", "b", "c"]) cache.set(name, name, 1);
    assert.equal(cache.size, 2);
    assert.deepEqual(evicted, ["a"]);
  });

  test("does not keep what is too large alone, and drops nothing for it", () => {
    const { cache, evicted } = filled({ bytes: 100, items: 10 });
    cache.set("a", "A", 50);
    cache.set("big", "BIG", 101);
    assert.deepEqual(evicted, ["BIG"]);
    assert.equal(cache.get("a"), "A");
  });

  test("replaces a value of the same key", () => {
    const { cache, evicted } = filled({ bytes: 100, items: 10 });
    cache.set("a", "A", 50);
    cache.set("a", "A2", 10);
    assert.deepEqual([cache.get("a"), cache.bytes, evicted], ["A2", 10, ["A"]]);
  });

  test("drops what is chosen", () => {
    const { cache, evicted } = filled({ bytes: 100, items: 10 });
    for (const name of ["x1", "y1", "x2"]) cache.set(name, name, 1);
    cache.deleteWhere((key) => key.startsWith("x"));
    cache.delete("none");
    assert.deepEqual([evicted, cache.size, cache.bytes], [["x1", "x2"], 1, 1]);
  });
});
