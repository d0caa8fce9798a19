import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRecording, Recording } from "./recording.js";

const ranges = [
  { fromMs: 1000, toMs: 5000 },
  { fromMs: 8000, toMs: 9000 },
];
const recording = new Recording(ranges);

describe("what is recorded", () => {
  test("has the times of its ranges, and not those of its gaps", () => {
    const seen = [0, 1000, 4999, 5000, 7999, 8000, 9000].map((timeMs) => recording.has(timeMs));
    assert.deepEqual(seen, [false, true, true, false, false, true, false]);
    assert.deepEqual([recording.fromMs, recording.toMs, recording.durationMs], [1000, 9000, 5000]);
  });

  test("knows what comes next", () => {
    const next = [-5, 1000, 3000, 5000, 6000, 8500, 9000].map((timeMs) => recording.next(timeMs));
    assert.deepEqual(next, [1000, 1000, 3000, 8000, 8000, 8500, null]);
  });

  test("is cut to a span", () => {
    assert.deepEqual(recording.within(2000, 8500), [
      { fromMs: 2000, toMs: 5000 },
      { fromMs: 8000, toMs: 8500 },
    ]);
    assert.deepEqual(recording.within(5000, 8000), []);
  });

  test("grows by what is newer, which may be longer, and may have lost its end", () => {
    const grown = recording.withNewer(8500, new Recording([{ fromMs: 8500, toMs: 12_000 }], 7));
    assert.deepEqual(grown.ranges, [
      { fromMs: 1000, toMs: 5000 },
      { fromMs: 8000, toMs: 12_000 },
    ]);
    assert.equal(grown.bytes, 7);
    assert.deepEqual(recording.withNewer(6000, new Recording()).ranges, [{ fromMs: 1000, toMs: 5000 }]);
  });

  test("may be nothing", () => {
    const nothing = new Recording();
    assert.deepEqual(
      [nothing.isEmpty, nothing.fromMs, nothing.toMs, nothing.next(5)],
      [true, null, null, null],
    );
    assert.deepEqual(nothing.within(0, 9), []);
  });
});

describe("recording_status.json", () => {
  test("is read, in order", () => {
    const read = readRecording({
      ranges: [
        { from: 20, duration: 5 },
        { from: 10, duration: 2 },
      ],
      bytes: 1234,
    });
    assert.deepEqual(read?.ranges, [
      { fromMs: 10_000, toMs: 12_000 },
      { fromMs: 20_000, toMs: 25_000 },
    ]);
    assert.equal(read.bytes, 1234);
  });

  test("may be something else, or have something else in it", () => {
    for (const value of [null, 5, "x", {}, { ranges: 5 }]) assert.equal(readRecording(value), null);
    const odd = [
      null,
      5,
      {},
      { from: -1, duration: 5 },
      { from: 5, duration: "6" },
      { from: 5, duration: 0 },
    ];
    assert.deepEqual(readRecording({ ranges: odd, bytes: "many" }), new Recording());
  });

  test("has a bound", () => {
    const many = Array.from({ length: 30_000 }, (_, i) => ({ from: i * 10, duration: 5 }));
    assert.equal(readRecording({ ranges: many })?.ranges.length, 20_000);
  });
});
