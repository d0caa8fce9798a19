import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { barsOf, marksOf, roughTime, Scale, SPAN_MS } from "./scale.js";

const HOUR_MS = 3_600_000;
/** Monday, 23 November 2026, 08:00 UTC. */
const START_MS = 1_795_420_800_000;

describe("the scale of a timeline", () => {
  test("says where a time stands, and which time stands there", () => {
    const scale = new Scale(START_MS, HOUR_MS);
    assert.equal(scale.fractionOf(START_MS + HOUR_MS / 4), 0.25);
    assert.equal(scale.timeAt(0.25), START_MS + HOUR_MS / 4);
    assert.deepEqual([scale.shows(START_MS - 1), scale.shows(START_MS + HOUR_MS)], [false, true]);
  });

  test("zooms around a place, whose time stays", () => {
    const scale = new Scale(START_MS, HOUR_MS);
    for (const fraction of [0, 0.3, 1]) {
      const zoomed = scale.zoomTo(HOUR_MS / 6, fraction);
      assert.equal(zoomed.spanMs, HOUR_MS / 6);
      assert.ok(Math.abs(zoomed.timeAt(fraction) - scale.timeAt(fraction)) < 1, String(fraction));
    }
  });

  test("shows a minute at least, and a month at most, and then does not wander", () => {
    const scale = new Scale(START_MS, HOUR_MS);
    assert.equal(scale.zoomTo(1, 0.5).spanMs, SPAN_MS.least);
    assert.equal(scale.zoomTo(1e15, 0.5).spanMs, SPAN_MS.most);
    const least = scale.zoomTo(1, 0.5);
    assert.equal(least.zoomTo(1, 0.9).fromMs, least.fromMs);
  });

  test("moves, and stays within bounds", () => {
    const scale = new Scale(START_MS, HOUR_MS);
    assert.equal(scale.moveBy(0.5).fromMs, START_MS + HOUR_MS / 2);
    const bounds = { fromMs: START_MS, toMs: START_MS + 3 * HOUR_MS };
    assert.equal(scale.moveBy(-1).keptWithin(bounds).fromMs, START_MS);
    assert.equal(scale.moveBy(9).keptWithin(bounds).toMs, bounds.toMs);
    const wide = new Scale(START_MS, 9 * HOUR_MS).keptWithin(bounds);
    assert.equal(wide.timeAt(0.5), START_MS + 1.5 * HOUR_MS);
  });
});

describe("the bars of a timeline", () => {
  const scale = new Scale(0, 1_000_000);

  test("stand where their ranges are, cut off at both ends", () => {
    const ranges = [
      { fromMs: -500_000, toMs: 100_000 },
      { fromMs: 200_000, toMs: 300_000 },
      { fromMs: 900_000, toMs: 2_000_000 },
      { fromMs: 3_000_000, toMs: 4_000_000 },
    ];
    assert.deepEqual(barsOf(ranges, scale, 1000), [
      { from: 0, to: 0.1 },
      { from: 0.2, to: 0.3 },
      { from: 0.9, to: 1 },
    ]);
  });

  test("are seen, however short, and are one where nobody could tell them apart", () => {
    const short = barsOf([{ fromMs: 500_000, toMs: 500_001 }], scale, 100);
    assert.deepEqual(short, [{ from: 0.5, to: 0.51 }]);
    const close = [
      { fromMs: 100_000, toMs: 200_000 },
      { fromMs: 200_100, toMs: 300_000 },
    ];
    assert.equal(barsOf(close, scale, 1000).length, 1);
    assert.equal(barsOf(close, new Scale(199_000, 60_000), 1000).length, 2);
  });

  test("are no more than pixels, however many ranges there are", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ fromMs: i * 50, toMs: i * 50 + 20 }));
    const bars = barsOf(many, scale, 300);
    assert.ok(bars.length <= 300, String(bars.length));
    assert.deepEqual([bars[0]!.from, bars.at(-1)!.to], [0, 1]);
  });
});

describe("the ruler of a timeline", () => {
  const utc = (): number => 0;

  test("has marks on round times, as many as have room", () => {
    const { stepMs, timesMs } = marksOf(new Scale(START_MS + 1, HOUR_MS), 10, utc);
    assert.equal(stepMs, 600_000);
    assert.deepEqual(
      timesMs.map((timeMs) => (timeMs - START_MS) / 60_000),
      [10, 20, 30, 40, 50, 60],
    );
  });

  test("counts in the hours of the clock that is shown", () => {
    const halfHour = 5.5 * HOUR_MS;
    const { timesMs } = marksOf(new Scale(START_MS, 6 * HOUR_MS), 6, () => halfHour);
    for (const timeMs of timesMs) assert.equal((timeMs + halfHour) % HOUR_MS, 0);
    assert.equal(timesMs.length, 6);
  });

  test("goes on in order where the clock is set forward or back within it", () => {
    for (const change of [HOUR_MS, -HOUR_MS]) {
      const at = START_MS + 2.5 * HOUR_MS;
      const offset = (timeMs: number): number => (timeMs < at ? 0 : change);
      const { timesMs } = marksOf(new Scale(START_MS, 6 * HOUR_MS), 6, offset);
      assert.ok(timesMs.length >= 5 && timesMs.length <= 8, timesMs.join());
      for (const [i, timeMs] of timesMs.entries()) assert.ok(i === 0 || timeMs > timesMs[i - 1]!);
      for (const timeMs of timesMs) assert.equal((timeMs + offset(timeMs)) % HOUR_MS, 0);
    }
  });

  test("has a mark a week at the most that is shown, and a bound", () => {
    assert.ok(marksOf(new Scale(START_MS, SPAN_MS.most), 4, utc).timesMs.length <= 5);
    assert.ok(marksOf(new Scale(START_MS, HOUR_MS), 1e9, utc).timesMs.length <= 100);
  });
});

test("pictures are asked for at times that many pointers share", () => {
  const scale = new Scale(START_MS, HOUR_MS);
  const asked = new Set(Array.from({ length: 3600 }, (_, s) => roughTime(START_MS + s * 1000, scale)));
  assert.ok(asked.size <= 130, String(asked.size));
  for (const timeMs of asked) assert.ok(timeMs % 1000 === 0 && timeMs <= START_MS + HOUR_MS);
});
