import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressCounter } from "./address-counter.ts";

test("an address has its limit, the others have theirs, and room is given back", () => {
  const counter = new AddressCounter(2);
  assert.deepEqual(
    ["a", "a", "a", "b"].map((address) => counter.acquire(address)),
    [true, true, false, true],
  );
  assert.equal(counter.total, 3);
  counter.release("a");
  assert.equal(counter.acquire("a"), true);
});

test("nothing is left of addresses that went, and a release too many does nothing", () => {
  const counter = new AddressCounter(1);
  for (let i = 0; i < 10_000; i++) {
    assert.equal(counter.acquire(`address ${i}`), true);
    counter.release(`address ${i}`);
    counter.release(`address ${i}`);
  }
  assert.deepEqual([counter.total, counter.countOf("address 7")], [0, 0]);
});
