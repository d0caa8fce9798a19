import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { trackSet } from "../../test/support/media.ts";
import { EdgeWaiters, endAtOnce, hasReached } from "./edge-waiters.ts";
import type { LiveEdge, PartEntry, SegmentEntry } from "./presentation.ts";

const part: PartEntry = { durationUs: 200_000, tracks: [] };
const parts = (count: number): PartEntry[] => Array.from({ length: count }, () => part);
const tracks = trackSet();

/** An edge whose last segment, of that many parts, is 10, and whose open one is 11. */
function edgeOf(finishedParts: number, openParts: number | null): LiveEdge {
  const segment: SegmentEntry = {
    sequence: 10,
    name: "10",
    startUs: 0,
    durationUs: 2_000_000,
    tracks,
    discontinuity: false,
    stretchStartUs: 0,
    isIndependent: true,
    utcUs: 0,
    trackBytes: () => 1,
    trackSamples: () => 1,
    trackUs: () => 1,
    parts: parts(finishedParts),
  };
  const timeline = {
    tracks,
    mutability: "live" as const,
    segments: [segment],
    discontinuitySequence: 0,
    targetDurationUs: 2e6,
  };
  const open =
    openParts === null ? null : { ...segment, sequence: 11, name: "11", parts: parts(openParts) };
  return { timeline, partTargetUs: 208_000, open };
}

const points = [
  { name: "a segment that is there", sequence: 10, part: null, want: true },
  { name: "a segment of long ago", sequence: 3, part: 500, want: true },
  { name: "the segment that grows", sequence: 11, part: null, want: false },
  { name: "a part that is there", sequence: 11, part: 2, want: true },
  { name: "the next part", sequence: 11, part: 3, want: false },
  { name: "the last part of the last segment", sequence: 10, part: 9, want: true },
  { name: "a part too many of it, which is the first of the next", sequence: 10, part: 10, want: true },
  { name: "a part of the segment behind the next", sequence: 12, part: 0, want: false },
];
for (const { name, want, ...point } of points) {
  test(`${name} is ${want ? "there" : "waited for"}`, () => {
    assert.equal(hasReached(edgeOf(10, 3), point), want);
  });
}

test("a part too many of the last segment is waited for until the next one has a part", () => {
  for (const [openParts, want] of [
    [null, false],
    [0, false],
    [1, true],
  ] as const)
    assert.equal(hasReached(edgeOf(10, openParts), { sequence: 10, part: 10 }), want);
});

test("who waits for what will never come is told so, unless he leaves first", async () => {
  const ended: string[] = [];
  const hold = { sequence: 1, part: null, address: "a", end: (how: string) => void ended.push(how) };
  endAtOnce(hold);
  endAtOnce(hold).cancel();
  assert.deepEqual(ended, []);
  await Promise.resolve();
  assert.deepEqual(ended, ["over"]);
});

describe("those who wait", () => {
  let clock: FakeClock;
  let waiters: EdgeWaiters;
  let ended: string[];
  const hold = (sequence: number, index: number | null, address = "a"): { cancel(): void } | null =>
    waiters.hold(
      { sequence, part: index, address, end: (how) => void ended.push(`${sequence}.${index} ${how}`) },
      6000,
    );

  beforeEach(() => {
    clock = new FakeClock();
    waiters = new EdgeWaiters(clock);
    ended = [];
  });

  test("are told in one pass when their part is there, the others stay", () => {
    hold(11, 3);
    hold(11, 4);
    hold(11, null);
    hold(11, 3);
    waiters.wake(edgeOf(10, 4));
    assert.deepEqual(ended, ["11.3 reached", "11.3 reached"]);
    assert.equal(waiters.size, 2);
  });

  test("for a part that its segment turns out not to have wait for the next segment's first", () => {
    waiters.hold({ sequence: 10, part: 12, address: "a", end: () => void ended.push("end") }, 6000);
    waiters.wake(edgeOf(10, 0));
    assert.deepEqual(ended, []);
    waiters.wake(edgeOf(10, 1));
    assert.deepEqual(ended, ["end"]);
  });

  test("are late after their time, each after its own, and leave no timer", () => {
    hold(11, 0);
    clock.advance(4000);
    hold(11, 1);
    clock.advance(1999);
    assert.deepEqual(ended, []);
    clock.advance(1);
    assert.deepEqual(ended, ["11.0 late"]);
    clock.advance(4000);
    assert.deepEqual(ended, ["11.0 late", "11.1 late"]);
    assert.equal(clock.pendingTimers, 0);
  });

  test("are forgotten when they leave, also twice, and never told", () => {
    const one = hold(11, 0)!;
    const other = hold(11, 0)!;
    one.cancel();
    one.cancel();
    assert.equal(waiters.size, 1);
    waiters.wake(edgeOf(10, 1));
    other.cancel();
    assert.deepEqual(ended, ["11.0 reached"]);
    assert.equal(clock.pendingTimers, 0);
  });

  test("are told that it is over", () => {
    hold(11, 0);
    hold(12, null);
    waiters.close();
    assert.deepEqual(ended, ["11.0 over", "12.null over"]);
    assert.deepEqual([waiters.size, clock.pendingTimers], [0, 0]);
  });

  test("may wait again from within the call that told them", () => {
    waiters.hold({ sequence: 11, part: 0, address: "a", end: () => void hold(11, 1) }, 6000);
    waiters.wake(edgeOf(10, 1));
    assert.deepEqual([ended, waiters.size], [[], 1]);
    clock.advance(6000);
    assert.deepEqual(ended, ["11.1 late"]);
  });

  test("are bounded for each address and in all, and leaving gives the place back", () => {
    const held = Array.from({ length: EdgeWaiters.MAX_HELD_PER_ADDRESS }, () => hold(11, 0, "one"));
    assert.ok(held.every((one) => one !== null));
    assert.equal(hold(11, 0, "one"), null);
    assert.notEqual(hold(11, 0, "two"), null);
    held[0]!.cancel();
    assert.notEqual(hold(11, 0, "one"), null);
    for (let n = waiters.size; n < EdgeWaiters.MAX_HELD; n++)
      assert.notEqual(hold(11, 0, `more ${n}`), null);
    assert.equal(hold(11, 0, "last"), null);
    waiters.wake(edgeOf(10, 1));
    assert.deepEqual([waiters.size, ended.length], [0, EdgeWaiters.MAX_HELD]);
    assert.notEqual(hold(11, 0, "one"), null);
  });
});
