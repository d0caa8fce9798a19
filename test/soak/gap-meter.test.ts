import assert from "node:assert/strict";
import { test } from "node:test";
import { GapMeter } from "./gap-meter.ts";

test("the longest wait between arrivals counts, with the one that still lasts", () => {
  const meter = new GapMeter();
  meter.begin(100);
  meter.arrived(150);
  meter.arrived(450);
  meter.arrived(460);
  assert.equal(meter.longest(500).lengthMs, 300);
  assert.equal(meter.longest(1000).lengthMs, 540);
  assert.deepEqual(meter.longest(500), { lengthMs: 300, fromMs: 150 });
  assert.equal(meter.arrivals, 3);
});

test("nothing is owed before the beginning and after the end", () => {
  const meter = new GapMeter();
  assert.equal(meter.longest(9000).lengthMs, 0);
  meter.begin(9000);
  meter.end(9100);
  assert.equal(meter.longest(99_000).lengthMs, 100);
  meter.arrived(99_000);
  assert.equal(meter.longest(99_000).lengthMs, 100);
});

test("who is owed media and never gets any has waited since the first beginning", () => {
  const meter = new GapMeter();
  meter.begin(1000);
  meter.begin(5000);
  assert.equal(meter.longest(8000).lengthMs, 7000);
  assert.equal(meter.arrivals, 0);
});
