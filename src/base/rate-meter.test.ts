import assert from "node:assert/strict";
import { test } from "node:test";
import { RateMeter } from "./rate-meter.ts";

test("a rate is that of the last seconds, and nothing when nothing passes", () => {
  const meter = new RateMeter();
  assert.equal(meter.bps(0), 0);
  for (let ms = 0; ms < 10_000; ms += 40) meter.add(5000, ms * 1000);
  assert.ok(Math.abs(meter.bps(9_980_000) - 1_000_000) < 30_000, String(meter.bps(9_980_000)));
  assert.equal(meter.bps(60_000_000), 0);
  meter.add(1, 60_000_000);
  assert.equal(meter.bps(60_000_000), 0);
});
