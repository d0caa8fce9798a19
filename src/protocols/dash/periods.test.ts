import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { CLOCK_START_US, segmentEntry } from "../../../test/support/presentation.ts";
import { periodsOf, timelineRuns } from "./periods.ts";

const START_MS = CLOCK_START_US / 1000;
const video = videoTrack();
const audio = audioTrack();

test("a Period begins where a stretch does, and keeps its id when its first segments are gone", () => {
  const other = { stretchStartUs: CLOCK_START_US + 8_000_000 };
  const segments = [segmentEntry(0), segmentEntry(1), segmentEntry(2, other), segmentEntry(3, other)];
  const ids = (from: number): string[] => periodsOf(segments.slice(from)).map(({ id }) => id);
  assert.deepEqual(ids(0), [String(START_MS), String(START_MS + 8000)]);
  assert.deepEqual(ids(1), ids(0));
  assert.deepEqual(ids(3), [String(START_MS + 8000)]);
  const [first, second] = periodsOf(segments);
  assert.deepEqual([first!.beginMs, first!.segments.length], [START_MS, 2]);
  assert.deepEqual([second!.beginMs, second!.segments.length], [START_MS + 8000, 2]);
});

test("segments of one length are one run, and a hole or another length begins another", () => {
  const runs = timelineRuns(
    [
      segmentEntry(0),
      segmentEntry(1),
      segmentEntry(2, { durationUs: 3_960_000 }),
      segmentEntry(5),
      segmentEntry(6),
    ],
    video,
  );
  assert.deepEqual(runs, [
    { timeMs: START_MS, durationMs: 4000, count: 2 },
    { timeMs: START_MS + 8000, durationMs: 3960, count: 1 },
    { timeMs: START_MS + 20_000, durationMs: 4000, count: 2 },
  ]);
});

test("times in whole milliseconds add up although segments do not begin on them", () => {
  const lengthUs = 1_001_000 + 400;
  const segments = Array.from({ length: 50 }, (_, i) =>
    segmentEntry(i, { startUs: CLOCK_START_US + i * lengthUs, durationUs: lengthUs }),
  );
  let endMs = START_MS;
  for (const { timeMs, durationMs, count } of timelineRuns(segments, video)) {
    assert.equal(timeMs, endMs);
    endMs += durationMs * count;
  }
  assert.equal(endMs, Math.floor((CLOCK_START_US + 50 * lengthUs) / 1000));
});

test("a segment without media of a track is not in its timeline", () => {
  const silent = segmentEntry(1, { trackSamples: (id) => (id === "v1" ? 100 : 0) });
  const segments = [segmentEntry(0), silent, segmentEntry(2)];
  assert.equal(timelineRuns(segments, video).length, 1);
  assert.deepEqual(timelineRuns(segments, audio), [
    { timeMs: START_MS, durationMs: 4000, count: 1 },
    { timeMs: START_MS + 8000, durationMs: 4000, count: 1 },
  ]);
});

test("a track that ends well before its segment is as long as its media", () => {
  const cut = segmentEntry(0, { trackUs: (id) => (id === "a1" ? 3_500_000 : 3_990_000) });
  assert.equal(timelineRuns([cut], audio)[0]!.durationMs, 3500);
  assert.equal(timelineRuns([cut], video)[0]!.durationMs, 4000);
  const oneFrame = segmentEntry(0, { trackUs: () => 4_000_000 - 21_333 });
  assert.equal(timelineRuns([oneFrame], audio)[0]!.durationMs, 4000);
});

test("other tracks are another Period although the time goes on", () => {
  const changed = {
    tracks: trackSet([videoTrack({ width: 32 })], 2),
    stretchStartUs: CLOCK_START_US + 4_000_000,
  };
  const periods = periodsOf([segmentEntry(0), segmentEntry(1, changed)]);
  assert.deepEqual(
    periods.map(({ tracks }) => tracks.epoch),
    [1, 2],
  );
});
