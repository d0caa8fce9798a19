import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IsoTimes } from "./iso-times.ts";

test("times are those of a calendar, whatever came before them", () => {
  const edges = [
    0, -1, 59_999_999, 60_000_000, -60_000_001, 1_767_225_599_999_999, 253_402_300_800_000_000,
  ];
  const time = fc.oneof(
    fc.constantFrom(...edges),
    fc.integer({ min: 0, max: 8_000_000_000_000_000 }),
    fc.integer({ min: 1_767_225_600_000_000, max: 1_767_225_800_000_000 }),
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 20 }), (times) => {
      const written = new IsoTimes();
      for (const us of times)
        assert.equal(written.write(us), new Date(Math.floor(us / 1000)).toISOString(), String(us));
    }),
    { seed: 3, numRuns: 500 },
  );
});
