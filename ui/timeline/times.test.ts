import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Recording } from "./recording.js";
import { formatBytes, formatLength, Times } from "./times.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Monday, 23 November 2026, 08:00 UTC. */
const NOW_MS = 1_795_420_800_000;

describe("times", () => {
  const utc = new Times(false);

  test("are of UTC, and say so", () => {
    assert.equal(utc.clock(NOW_MS), "08:00:00 UTC");
    assert.equal(utc.mark(NOW_MS, HOUR_MS, NOW_MS), "08:00");
    assert.equal(utc.mark(NOW_MS, 10_000, NOW_MS), "08:00:00");
    assert.equal(utc.mark(NOW_MS - 8 * HOUR_MS, HOUR_MS, NOW_MS), "Mon 23 Nov");
  });

  test("are of the device's clock, and say nothing of it", () => {
    const local = new Times(true, () => 2 * HOUR_MS);
    assert.equal(local.clock(NOW_MS), "10:00:00");
    assert.equal(local.dayStart(NOW_MS), NOW_MS - 10 * HOUR_MS);
  });

  test("name days as people do", () => {
    const near = [0, -1, -2, -400].map((days) => utc.nearDay(NOW_MS + days * DAY_MS, NOW_MS));
    assert.deepEqual(near, ["Today", "Yesterday", "Sat 21 Nov", "Sun 19 Oct 2025"]);
  });
});

test("a day has 23 or 25 hours where the clock is set", () => {
  for (const change of [HOUR_MS, -HOUR_MS]) {
    const noon = NOW_MS + 4 * HOUR_MS;
    const at = noon - 9.5 * HOUR_MS;
    const times = new Times(true, (timeMs) => (timeMs < at ? 0 : change));
    const length = times.dayEnd(noon) - times.dayStart(noon);
    assert.equal(length, DAY_MS - change);
    assert.equal(times.dayStart(times.dayEnd(noon)), times.dayEnd(noon));
    assert.equal(times.dayEnd(times.dayStart(noon)), times.dayEnd(noon));
  }
});

describe("the days of a recording", () => {
  const utc = new Times(false);

  test("are those with something in them, the newest first", () => {
    const midnight = utc.dayStart(NOW_MS);
    const recording = new Recording([
      { fromMs: midnight - 5 * DAY_MS, toMs: midnight - 5 * DAY_MS + 1000 },
      { fromMs: midnight - HOUR_MS, toMs: midnight + HOUR_MS },
    ]);
    const days = utc.days(recording);
    assert.deepEqual(
      days.map(({ fromMs }) => (midnight - fromMs) / DAY_MS),
      [0, 1, 5],
    );
  });

  test("have a bound, and may be none", () => {
    const years = new Recording([{ fromMs: 0, toMs: NOW_MS }]);
    assert.equal(utc.days(years).length, 400);
    assert.deepEqual(utc.days(new Recording()), []);
  });
});

test("lengths and sizes are short", () => {
  assert.deepEqual([12_000, 200_000, 3_723_000].map(formatLength), ["12 s", "3:20 min", "1:02:03 h"]);
  assert.deepEqual([10, 640_000, 3_210_000, 45_600_000, 1.44e9].map(formatBytes), [
    "1 KB",
    "640 KB",
    "3.2 MB",
    "46 MB",
    "1.4 GB",
  ]);
});
