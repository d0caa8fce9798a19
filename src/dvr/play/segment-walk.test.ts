import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { trackSet } from "../../../test/support/media.ts";
import { HOUR_US } from "../format/hour.ts";
import type { HourChunk } from "../format/hour-index.ts";
import type { ArchivedSegment } from "../reader/archived-segment.ts";
import { SegmentWalk } from "./segment-walk.ts";

const HOUR = 496_640;
const BEGIN_US = HOUR * HOUR_US;
const tracks = trackSet();

/** Two seconds of pictures that are shown 80 ms after they are decoded. Units: seconds since the hour began. */
function segment(atS: number, isIndependent = true): ArchivedSegment {
  const startUs = BEGIN_US + atS * 1_000_000;
  const chunk = { trackNumber: 1, startUs: startUs - 80_000, durationUs: 2_000_000 } as HourChunk;
  return {
    ...{ startUs, durationUs: 2_000_000, tracks, isIndependent, discontinuity: false },
    chunks: () => [chunk],
  } as unknown as ArchivedSegment;
}

/** An archive of these segments. */
function walk(...segments: readonly ArchivedSegment[]): SegmentWalk {
  const within = (fromUs: number, toUs: number): ArchivedSegment[] =>
    segments.filter(({ startUs }) => startUs >= fromUs && startUs < toUs);
  const clock = new FakeClock(BEGIN_US + HOUR_US);
  return new SegmentWalk(
    {
      segments: async (fromUs, toUs) => within(fromUs, toUs),
      async *hours(from, to) {
        for (const hour of new Set(segments.map(({ startUs }) => Math.floor(startUs / HOUR_US))))
          if (hour >= from && hour <= to) yield hour;
      },
      nearest: async (us) => ({
        beforeUs: (segments.findLast(({ startUs }) => startUs <= us)?.startUs ?? -2e6) + 2e6 || null,
        afterUs: null,
      }),
    },
    clock,
  );
}

/** Seconds since the hour began. */
const secondOf = (found: ArchivedSegment | null | undefined): number | null =>
  found === null || found === undefined ? null : (found.startUs - BEGIN_US) / 1_000_000;

describe("where playing a time begins", () => {
  const recorded = [0, 2, 4, 6].map((at) => segment(at));
  const later = [7200, 7202].map((at) => segment(at));
  const dependent = [segment(100), segment(102, false), segment(104, false), segment(106)];
  const headless = [segment(200, false), segment(202, false), segment(204)];
  for (const [what, segments, atS, want] of [
    ["in a segment", recorded, 3, 2],
    ["when its first picture is decoded", recorded, 1.92, 2],
    ["just before that", recorded, 1.9, 0],
    ["in the last one", recorded, 7.9, 6],
    ["in front of all", recorded, -1000, 0],
    ["behind all", recorded, 1000, 6],
    ["in a gap of hours", [...recorded, ...later], 1000, 7200],
    ["in a gap of seconds", [segment(0), segment(5)], 3, 5],
    ["in a hole that is no gap", [segment(0), segment(2.5)], 2.2, 0],
    ["in a segment that no decoder can start with", dependent, 105, 100],
    ["in one of them at the beginning of all", headless, 203, 204],
    ["where no decoder can start at all", headless.slice(0, 2), 203, 202],
    ["behind a gap, with one that no decoder can start with", [segment(0), ...headless], 201, 204],
  ] as const) {
    test(`${what}: ${atS} s`, async () => {
      const found = await walk(...segments).startAt(BEGIN_US + atS * 1_000_000);
      assert.equal(secondOf(found), want);
    });
  }

  test("is nowhere where nothing is recorded", async () => {
    assert.equal(await walk().startAt(BEGIN_US), null);
  });
});

describe("what comes behind a segment", () => {
  test("is half a minute, or what comes behind a gap, in pieces of 64 at most", async () => {
    const many = Array.from({ length: 100 }, (_, i) => segment(i * 2));
    const found = await walk(...many).after(many[3]!);
    assert.deepEqual([secondOf(found[0]), found.length], [8, 15]);
    const dense = Array.from({ length: 1000 }, (_, i) => segment(7200 + i / 10));
    assert.equal((await walk(many[0]!, ...dense).after(many[0]!)).length, 64);
    assert.equal((await walk(...dense).after(dense[0]!)).length, 64);
  });

  test("is nothing yet behind the newest one", async () => {
    assert.deepEqual(await walk(segment(0)).after(segment(0)), []);
  });
});
