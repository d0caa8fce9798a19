import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeTrackSet } from "../../media/track.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import type { HourChunk } from "../format/hour-index.ts";
import type { ArchivedSegment } from "../reader/archived-segment.ts";
import { isBreakBetween, isGapBetween, shiftAcross, timesOf } from "./segment-facts.ts";

const both = makeTrackSet(1, [videoTrack(), audioTrack()]);
const MARGIN_US = 1002;

/** Two seconds from a time on: pictures are decoded before they are shown, sound ends later than pictures. */
function segment(
  startUs: number,
  { leadUs = 80_000, tailUs = 20_000, tracks = both, discontinuity = false } = {},
): ArchivedSegment {
  const chunk = (trackNumber: number, from: number, to: number): HourChunk =>
    ({ trackNumber, startUs: from, durationUs: to - from }) as HourChunk;
  const [middle, end] = [startUs + 1_000_000, startUs + 2_000_000];
  const chunks = [
    chunk(1, startUs - leadUs, middle - leadUs),
    chunk(1, middle - leadUs, end - leadUs),
    chunk(101, startUs, end + tailUs),
  ];
  return {
    ...{ startUs, durationUs: 2_000_000, tracks, discontinuity },
    chunks: () => chunks,
  } as unknown as ArchivedSegment;
}

describe("the times of a segment", () => {
  test("are those of its tracks, with room for what is rounded", () => {
    assert.deepEqual(timesOf(segment(10_000_000)), {
      earliestUs: 9_920_000 - MARGIN_US,
      pointUs: 9_920_000 - MARGIN_US,
      wholeUs: 11_920_000 - 2 * MARGIN_US,
      endUs: 12_020_000 + MARGIN_US,
    });
    const sound = makeTrackSet(1, [audioTrack()]);
    assert.equal(timesOf(segment(10_000_000, { tracks: sound })).pointUs, 10_000_000 - MARGIN_US);
  });
});

describe("what lies between two segments", () => {
  const first = segment(0);
  for (const [what, next, isGap, isBreak] of [
    ["nothing", segment(2_000_000), false, false],
    ["a hole of a second", segment(3_000_000), false, false],
    ["more than that", segment(3_000_001), true, true],
    ["a break", segment(2_000_000, { discontinuity: true }), false, true],
    ["other tracks", segment(2_000_000, { tracks: makeTrackSet(1, both.tracks) }), false, true],
  ] as const) {
    test(`is ${what}`, () => {
      assert.deepEqual([isGapBetween(first, next), isBreakBetween(first, next)], [isGap, isBreak]);
    });
  }
});

describe("what is added to times behind a break", () => {
  for (const [what, leadUs, tailUs, gapUs] of [
    ["with pictures that are decoded early", 80_000, 20_000, 3_600_000_000],
    ["with none", 0, 0, 3_600_000_000],
    ["with sound that goes on", 0, 500_000, 5_000_000],
    ["where nothing is missing", 80_000, 20_000, 0],
    ["where the next one comes earlier, as it should not", 80_000, 20_000, -1_000_000],
  ] as const) {
    test(`decodes and shows nothing before what came last, ${what}`, () => {
      const before = segment(50_000_000, { leadUs, tailUs });
      const next = segment(52_000_000 + gapUs, { leadUs });
      const shiftUs = shiftAcross(before, next, { shiftUs: -50_000_000, keepsGaps: false });
      const endUs = timesOf(before).endUs - 50_000_000;
      assert.ok(timesOf(next).earliestUs + shiftUs >= endUs);
      assert.ok(next.startUs + shiftUs >= endUs);
      assert.ok(timesOf(next).earliestUs + shiftUs < endUs + 1, "and no later than it has to be");
    });
  }

  test("is no less than before where gaps are kept", () => {
    const [before, next] = [segment(0), segment(60_000_000)];
    assert.equal(shiftAcross(before, next, { shiftUs: -5, keepsGaps: true }), -5);
    const overlapping = segment(1_000_000);
    const shiftUs = shiftAcross(before, overlapping, { shiftUs: 0, keepsGaps: true });
    assert.ok(timesOf(overlapping).earliestUs + shiftUs >= timesOf(before).endUs);
  });
});
