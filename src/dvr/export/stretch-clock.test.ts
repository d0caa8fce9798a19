import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FixedClock, StretchClock } from "./stretch-clock.ts";
import type { PlanClock } from "./stretch-clock.ts";

const SECOND_US = 1_000_000;
const VIDEO = 0;
const AUDIO = 1;

type Chunk = readonly [track: number, startUs: number, endUs: number];

/** One stretch: when it begins and ends to play, and its chunks. Returns: by how much it is moved. */
function add(clock: PlanClock, startUs: number, endUs: number, chunks: readonly Chunk[]): number {
  clock.begin(startUs);
  for (const [track, from, to] of chunks) clock.addChunk(track, 90_000, from, to - from);
  clock.addSegment(endUs);
  return clock.finish();
}

/** Ten seconds whose pictures are decoded 80 ms before they are shown. */
function tenSeconds(clock: PlanClock, startUs: number): number {
  const endUs = startUs + 10 * SECOND_US;
  return add(clock, startUs, endUs, [
    [VIDEO, startUs - 80_000, endUs - 80_000],
    [AUDIO, startUs + 5000, endUs],
  ]);
}

describe("the clock of an export", () => {
  test("begins at 0 with what is decoded first", () => {
    const clock = new StretchClock("closed");
    assert.equal(tenSeconds(clock, 500 * SECOND_US), -500 * SECOND_US + 80_000);
    assert.equal(clock.endUs, 10 * SECOND_US + 80_000);
    // A selection of which nothing is decoded early.
    assert.equal(add(new StretchClock("closed"), 7000, 9000, [[AUDIO, 7020, 9000]]), -7000);
  });

  test("has no gaps: what follows is shown where the last picture ended", () => {
    const clock = new StretchClock("closed");
    tenSeconds(clock, 500 * SECOND_US);
    const shiftUs = tenSeconds(clock, 900 * SECOND_US);
    assert.equal(900 * SECOND_US + shiftUs, 10 * SECOND_US + 80_000 + 14, "but for what rounding may need");
    assert.equal(clock.endUs, 20 * SECOND_US + 80_000 + 14);
  });

  test("keeps gaps where that is asked for, and closes none to less than nothing", () => {
    const clock = new StretchClock("kept");
    const first = tenSeconds(clock, 500 * SECOND_US);
    assert.equal(tenSeconds(clock, 900 * SECOND_US), first);
    // The wall clock was set back.
    const shiftUs = tenSeconds(clock, 100 * SECOND_US);
    assert.equal(100 * SECOND_US + shiftUs, 410 * SECOND_US + 80_000 + 14);
  });

  test("decodes no track again where it was before, and keeps the tracks of a stretch together", () => {
    const clock = new StretchClock("closed");
    add(clock, 0, 5 * SECOND_US, [[VIDEO, 0, 5 * SECOND_US]]);
    // These pictures are decoded half a second early.
    const startUs = 60 * SECOND_US;
    const shiftUs = add(clock, startUs, startUs + SECOND_US, [
      [VIDEO, startUs - SECOND_US / 2, startUs + SECOND_US / 2],
      [AUDIO, startUs, startUs + SECOND_US],
    ]);
    assert.equal(startUs + shiftUs, 5.5 * SECOND_US + 14);
  });

  test("never has a time below 0, also when a later stretch is decoded long before it is shown", () => {
    const clock = new StretchClock("closed");
    add(clock, 100, 1100, [[AUDIO, 100, 1100]]);
    assert.equal(add(clock, 90_000, 91_000, [[VIDEO, 0, 1000]]), 0);
  });

  test("with any stretches: none begins before the last one ends, no track overlaps, nothing is below 0", () => {
    const us = fc.integer({ min: 0, max: 5_000_000 });
    const chunk = fc.record({ track: fc.nat(2), startUs: us, durationUs: us });
    const stretch = fc.record({
      atUs: fc.nat(1e12),
      lengthUs: us,
      chunks: fc.array(chunk, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 6 }), fc.boolean(), (stretches, isKept) => {
        const clock = new StretchClock(isKept ? "kept" : "closed");
        const ends = new Map<number, number>();
        let shownUs = 0;
        for (const { atUs, lengthUs, chunks } of stretches) {
          const rows = chunks.map(({ track, startUs, durationUs }): Chunk => {
            const from = atUs + startUs - 2_000_000;
            return [track, from, from + durationUs];
          });
          const shiftUs = add(clock, atUs, atUs + lengthUs, rows);
          assert.ok(atUs + shiftUs >= shownUs);
          shownUs = Math.max(shownUs, atUs + lengthUs + shiftUs);
          for (const [track, from] of rows) assert.ok(from + shiftUs >= Math.max(0, ends.get(track) ?? 0));
          for (const [track, , to] of rows) ends.set(track, Math.max(ends.get(track) ?? 0, to + shiftUs));
          assert.equal(clock.endUs, Math.max(shownUs, ...ends.values()));
        }
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

describe("a clock that stands already", () => {
  test("moves every stretch by the same time, gaps or not", () => {
    const clock = new FixedClock(-500 * SECOND_US);
    assert.equal(tenSeconds(clock, 500 * SECOND_US), -500 * SECOND_US);
    assert.equal(clock.endUs, 10 * SECOND_US);
    assert.equal(tenSeconds(clock, 900 * SECOND_US), -500 * SECOND_US);
    assert.equal(clock.endUs, 410 * SECOND_US);
  });
});
