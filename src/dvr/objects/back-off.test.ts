import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { backOffMs, pause } from "./back-off.ts";

const LIMITS = { firstMs: 1000, longestMs: 300_000 };

test("pauses double up to the longest, whatever the number of failures", () => {
  const pauses = [1, 2, 3, 8, 9, 10, 100, 1e9].map((failures) => backOffMs(failures, LIMITS, 0));
  assert.deepEqual(pauses, [1000, 2000, 4000, 128_000, 256_000, 300_000, 300_000, 300_000]);
});

test("chance takes up to a half, and never goes below the first", () => {
  for (const failures of [1, 2, 5, 20])
    for (const random of [0, 0.3, 0.999_999]) {
      const full = backOffMs(failures, LIMITS, 0);
      const ms = backOffMs(failures, LIMITS, random);
      assert.ok(ms <= full && ms >= Math.max(1000, full / 2), `${failures} ${random}: ${ms}`);
    }
});

test("a pause ends with its time or with its signal, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const first = pause(clock, 1000);
  clock.advance(1000);
  await first;
  const stopping = new AbortController();
  const second = pause(clock, 1000, stopping.signal);
  stopping.abort();
  await second;
  await pause(clock, 1000, stopping.signal);
  assert.equal(clock.pendingTimers, 0);
});
