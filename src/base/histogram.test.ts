import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Histogram, sumHistograms } from "./histogram.ts";

describe("a histogram", () => {
  test("counts a value in the first bucket whose end is not below it", () => {
    const histogram = new Histogram([1, 2, 5]);
    for (const value of [0, 1, 1.5, 2, 2.1, 5, 6, 1000]) histogram.observe(value);
    assert.deepEqual(histogram.figures(), { bounds: [1, 2, 5], counts: [2, 2, 2, 2], sum: 1017.6 });
  });

  test("gives a copy", () => {
    const histogram = new Histogram([1]);
    const before = histogram.figures();
    histogram.observe(0);
    assert.deepEqual(before, { bounds: [1], counts: [0, 0], sum: 0 });
  });

  test("is added to others of its bounds", () => {
    const one = { bounds: [1], counts: [1, 2], sum: 5 };
    assert.deepEqual(sumHistograms([one, one, { ...one, sum: 1 }]), {
      bounds: [1],
      counts: [3, 6],
      sum: 11,
    });
    assert.equal(sumHistograms([]), null);
  });
});
