import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressCounters, forgetAddresses, SharedAddressCounter } from "./shared-address-counter.ts";

describe("connections of an address, counted by several threads", () => {
  test("are admitted up to the limit, whichever threads take them", () => {
    const counters = addressCounters(2);
    const [a, b] = [new SharedAddressCounter(counters, 0, 3), new SharedAddressCounter(counters, 1, 3)];
    const admitted = [
      a.acquire("192.0.2.1"),
      b.acquire("192.0.2.1"),
      a.acquire("192.0.2.1"),
      b.acquire("192.0.2.1"),
    ];
    assert.deepEqual(admitted, [true, true, true, false]);
    assert.equal(b.acquire("192.0.2.2"), true);
  });

  test("are given back", () => {
    const counter = new SharedAddressCounter(addressCounters(1), 0, 1);
    counter.acquire("::1");
    counter.release("::1");
    assert.deepEqual([counter.countOf("::1"), counter.acquire("::1")], [0, true]);
  });

  test("go with their thread", () => {
    const counters = addressCounters(2);
    const [a, b] = [new SharedAddressCounter(counters, 0, 9), new SharedAddressCounter(counters, 1, 9)];
    a.acquire("192.0.2.1");
    b.acquire("192.0.2.1");
    forgetAddresses(counters, 1);
    assert.equal(a.countOf("192.0.2.1"), 1);
  });

  test("are bounded by a limit that may change, and that closes nobody", () => {
    const counter = new SharedAddressCounter(addressCounters(1), 0, 2);
    const admitted = [counter.acquire("::1"), counter.acquire("::1")];
    counter.limit = 1;
    admitted.push(counter.acquire("::1"));
    counter.limit = 3;
    admitted.push(counter.acquire("::1"));
    assert.deepEqual([admitted, counter.countOf("::1")], [[true, true, false, true], 3]);
  });

  test("are hardly overrated among fifty thousand others", () => {
    const counter = new SharedAddressCounter(addressCounters(1), 0, 1000);
    for (let i = 0; i < 50_000; i++) counter.acquire(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    let worst = 0;
    for (let i = 0; i < 50_000; i++)
      worst = Math.max(worst, counter.countOf(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));
    assert.ok(worst < 20, `an address with one connection counts as ${worst}`);
  });
});
