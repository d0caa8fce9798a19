import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { hoursToDelete } from "./retention.ts";
import type { Deletion, DiskUse, RetentionRules, StoredHour, StreamHours } from "./retention.ts";

const HOUR_MS = 3_600_000;
const GB = 1e9;
/** The hour that is written now. */
const NOW_HOUR = 500_000;
const NOW_MS = NOW_HOUR * HOUR_MS + 1_800_000;

function hour(hoursAgo: number, more: Partial<StoredHour> = {}): StoredHour {
  const stored = {
    hour: NOW_HOUR - hoursAgo,
    bytes: GB,
    mediaBytes: GB,
    isOpen: hoursAgo <= 0,
    isProtected: false,
    isCopied: false,
  };
  return { ...stored, ...more };
}

function hours(count: number, more: Partial<StoredHour> = {}): StoredHour[] {
  return Array.from({ length: count }, (_, i) => hour(count - 1 - i, more));
}

function stream(name: string, rules: RetentionRules, stored: readonly StoredHour[]): StreamHours {
  return { stream: name, rules, hours: stored };
}

function choose(streams: readonly StreamHours[], disk: DiskUse | null = null, limit = 1000): Deletion[] {
  return hoursToDelete({ streams, disk, nowMs: NOW_MS, limit });
}

/** The chosen hours as hours ago. */
function ago(deletions: readonly Deletion[]): number[] {
  return deletions.map((deletion) => NOW_HOUR - deletion.hour);
}

describe("retention by depth", () => {
  test("takes hours whose end is as old, oldest first", () => {
    const chosen = choose([stream("a", { depthMs: 5 * HOUR_MS }, hours(10))]);
    // It is half past: the hour that ended 5.5 hours ago goes, the one that ended 4.5 hours ago stays.
    assert.deepEqual(ago(chosen), [9, 8, 7, 6]);
    assert.deepEqual(chosen[0], {
      ...{ stream: "a", hour: NOW_HOUR - 9, reason: "depth", bytes: GB, keepsIndex: false },
    });
  });

  test("is exact to the millisecond", () => {
    const only = (depthMs: number): number => choose([stream("a", { depthMs }, [hour(3)])]).length;
    const ageMs = NOW_MS - (NOW_HOUR - 2) * HOUR_MS;
    assert.deepEqual([only(ageMs), only(ageMs + 1)], [1, 0]);
  });

  test("takes what is copied as well, whole", () => {
    const copied = hours(4, { isCopied: true, mediaBytes: 0, bytes: 5 });
    const chosen = choose([stream("a", { depthMs: HOUR_MS }, copied)]);
    assert.deepEqual(ago(chosen), [3, 2]);
    assert.ok(chosen.every(({ keepsIndex, bytes }) => !keepsIndex && bytes === 5));
  });

  test("of nothing takes all but what is open; of hours in the future none", () => {
    const future = hour(-5, { isOpen: false });
    assert.deepEqual(ago(choose([stream("a", { depthMs: 0 }, [...hours(3), future])])), [2, 1]);
  });

  test("takes nothing where no rule is", () => {
    assert.deepEqual(choose([stream("a", {}, hours(1000))], { usedPercent: 100, totalBytes: GB }), []);
  });
});

describe("retention by size", () => {
  test("takes the oldest until the rest is within the size", () => {
    assert.deepEqual(ago(choose([stream("a", { sizeBytes: 7 * GB }, hours(10))])), [9, 8, 7]);
    assert.deepEqual(ago(choose([stream("a", { sizeBytes: 7 * GB + 1 }, hours(10))])), [9, 8, 7]);
    assert.deepEqual(ago(choose([stream("a", { sizeBytes: 7 * GB - 1 }, hours(10))])), [9, 8, 7, 6]);
    assert.deepEqual(ago(choose([stream("a", { sizeBytes: 10 * GB }, hours(10))])), []);
  });

  test("counts what the depth takes, and does not take more for it", () => {
    const rules = { depthMs: 5 * HOUR_MS, sizeBytes: 5 * GB };
    const chosen = choose([stream("a", rules, hours(10))]);
    assert.deepEqual(
      chosen.map(({ reason }) => reason),
      ["depth", "depth", "depth", "depth", "size"],
    );
  });

  test("passes over what is protected, and counts it", () => {
    const stored = hours(10).map((one) => ({ ...one, isProtected: one.hour <= NOW_HOUR - 8 }));
    assert.deepEqual(ago(choose([stream("a", { sizeBytes: 7 * GB }, stored)])), [7, 6, 5]);
  });

  test("takes only media of what is copied, and nothing more when that has left", () => {
    const stored = [
      hour(4, { isCopied: true, bytes: 10, mediaBytes: 0 }),
      hour(3, { isCopied: true, bytes: GB + 10 }),
      hour(2),
      hour(0),
    ];
    const chosen = choose([stream("a", { sizeBytes: 2 * GB + 20 }, stored)]);
    assert.deepEqual(chosen, [
      { stream: "a", hour: NOW_HOUR - 3, reason: "size", bytes: GB, keepsIndex: true },
    ]);
  });

  test("that nothing fits into leaves what is open", () => {
    assert.deepEqual(ago(choose([stream("a", { sizeBytes: 0 }, hours(3))])), [2, 1]);
  });
});

describe("the media of copied hours", () => {
  test("leaves the volume after its time, and the hours stay", () => {
    const chosen = choose([
      stream("a", { localMs: 2 * HOUR_MS }, hours(6, { isCopied: true, bytes: GB + 7 })),
    ]);
    assert.deepEqual(ago(chosen), [5, 4, 3]);
    assert.ok(
      chosen.every(({ keepsIndex, bytes, reason }) => keepsIndex && bytes === GB && reason === "local"),
    );
  });

  test("stays while it is not copied, is protected or open", () => {
    assert.deepEqual(choose([stream("a", { localMs: 0 }, hours(6))]), []);
    assert.deepEqual(
      choose([stream("a", { localMs: 0 }, hours(6, { isCopied: true, isProtected: true }))]),
      [],
    );
    assert.deepEqual(choose([stream("a", { localMs: 0 }, hours(6, { isCopied: true, isOpen: true }))]), []);
  });
});

describe("retention by the use of the disk", () => {
  const disk = (usedPercent: number): DiskUse => ({ usedPercent, totalBytes: 100 * GB });

  test("takes as much as is needed, and no more", () => {
    const archive = [stream("a", { diskPercent: 90 }, hours(10))];
    assert.deepEqual(ago(choose(archive, disk(90))), []);
    assert.deepEqual(ago(choose(archive, disk(90.5))), [9]);
    assert.deepEqual(ago(choose(archive, disk(93))), [9, 8, 7]);
    assert.deepEqual(ago(choose(archive, null)), []);
    assert.deepEqual(ago(choose(archive, { usedPercent: 99, totalBytes: 0 })), []);
  });

  test("takes the oldest of all streams with one percentage", () => {
    const one = stream("one", { diskPercent: 90 }, [hour(9), hour(7)]);
    const two = stream("two", { diskPercent: 90 }, [hour(8), hour(6)]);
    const chosen = choose([one, two], disk(93));
    assert.deepEqual(
      chosen.map((deletion) => `${deletion.stream} ${NOW_HOUR - deletion.hour}`),
      ["one 9", "two 8", "one 7"],
    );
  });

  test("cleans the streams with the lowest percentage first, until they are empty", () => {
    const low = stream("low", { diskPercent: 50 }, hours(5));
    const high = stream("high", { diskPercent: 90 }, hours(300).slice(0, 100));
    const none = stream("none", {}, hours(10));
    const few = choose([high, low, none], disk(52));
    assert.deepEqual(
      few.map((deletion) => deletion.stream),
      ["low", "low"],
    );
    const some = choose([high, low, none], disk(80));
    assert.deepEqual(
      some.map((deletion) => deletion.stream),
      ["low", "low", "low", "low"],
    );
    const many = choose([high, low, none], disk(97));
    assert.equal(many.filter((deletion) => deletion.stream === "low").length, 4);
    assert.equal(many.filter((deletion) => deletion.stream === "high").length, 3);
  });

  test("takes copied hours first: nothing is lost with them", () => {
    const stored = [
      hour(9),
      hour(8),
      hour(3, { isCopied: true }),
      hour(2, { isCopied: true, mediaBytes: 0 }),
    ];
    const chosen = choose([stream("a", { diskPercent: 90 }, stored)], disk(92));
    assert.deepEqual(ago(chosen), [9, 3]);
    assert.deepEqual(
      chosen.map(({ keepsIndex }) => keepsIndex),
      [false, true],
    );
  });

  test("counts what the other rules free", () => {
    const rules = { depthMs: 7 * HOUR_MS, diskPercent: 90 };
    const chosen = choose([stream("a", rules, hours(10))], disk(93));
    assert.deepEqual(
      chosen.map(({ reason }) => reason),
      ["depth", "depth", "disk"],
    );
  });
});

describe("one round", () => {
  test("takes a bounded number of hours, the oldest", () => {
    const archive = ["a", "b", "c"].map((name) => stream(name, { depthMs: HOUR_MS }, hours(100)));
    const chosen = choose(archive, null, 7);
    assert.deepEqual(ago(chosen), [99, 99, 99, 98, 98, 98, 97]);
    assert.deepEqual(choose(archive, null, 0), []);
  });

  test("takes no more for the disk when others have taken the number", () => {
    const archive = [stream("a", { depthMs: HOUR_MS, diskPercent: 10 }, hours(100))];
    assert.equal(choose(archive, { usedPercent: 99, totalBytes: 1000 * GB }, 5).length, 5);
    const full = [stream("a", { diskPercent: 10 }, hours(100))];
    assert.equal(choose(full, { usedPercent: 99, totalBytes: 1000 * GB }, 5).length, 5);
  });
});

describe("of any archive", () => {
  const flags = { isOpen: fc.boolean(), isProtected: fc.boolean(), isCopied: fc.boolean() };
  const stored = fc
    .record({
      hour: fc.integer({ min: NOW_HOUR - 40, max: NOW_HOUR + 1 }),
      index: fc.nat(20),
      mediaBytes: fc.nat(1000),
      ...flags,
    })
    .map(({ index, ...rest }): StoredHour => ({ ...rest, bytes: index + rest.mediaBytes }));
  const some = (max: number): fc.Arbitrary<number | undefined> =>
    fc.option(fc.nat(max), { nil: undefined });
  const rules = fc.record({
    depthMs: some(50 * HOUR_MS),
    localMs: some(50 * HOUR_MS),
    sizeBytes: some(20_000),
    diskPercent: some(100),
  });
  const archive = fc.array(
    fc.record({ rules, hours: fc.uniqueArray(stored, { selector: (one) => one.hour, maxLength: 40 }) }),
    { maxLength: 4 },
  );
  const disk = fc.option(fc.record({ usedPercent: fc.nat(100), totalBytes: fc.nat(100_000) }), {
    nil: null,
  });

  test("nothing open or protected goes, nothing twice, nothing beyond the limit, and the oldest first", () => {
    fc.assert(
      fc.property(archive, disk, fc.nat(100), (found, use, limit) => {
        const streams = found.map((one, i) => ({ stream: `s${i}`, ...one }));
        const chosen = choose(streams, use, limit);
        assert.ok(chosen.length <= limit);
        assert.equal(new Set(chosen.map((one) => `${one.stream} ${one.hour}`)).size, chosen.length);
        assert.deepEqual(
          chosen.map((one) => one.hour),
          chosen.map((one) => one.hour).sort((a, b) => a - b),
        );
        for (const deletion of chosen) {
          const from = streams.find((one) => one.stream === deletion.stream)!;
          const of = from.hours.find((one) => one.hour === deletion.hour)!;
          assert.ok(!of.isOpen && !of.isProtected);
          assert.equal(deletion.keepsIndex, of.isCopied && deletion.reason !== "depth");
          assert.equal(deletion.bytes, deletion.keepsIndex ? of.mediaBytes : of.bytes);
        }
      }),
    );
  });

  test("what goes for size or disk is needed: without the last of it, the limit would not be kept", () => {
    fc.assert(
      fc.property(archive, disk, (found, use) => {
        const streams = found.map((one, i) => ({ stream: `s${i}`, ...one }));
        const chosen = choose(streams, use, 1000);
        for (const {
          stream: name,
          rules: { sizeBytes },
          hours: of,
        } of streams) {
          const own = chosen.filter((one) => one.stream === name && one.reason !== "disk");
          const bySize = own.filter(({ reason }) => reason === "size");
          if (bySize.length === 0 || sizeBytes === undefined) continue;
          const left = sum(of) - sum(own);
          assert.ok(left + Math.max(...bySize.map(({ bytes }) => bytes)) > sizeBytes);
        }
        const byDisk = chosen.filter(({ reason }) => reason === "disk");
        if (byDisk.length === 0 || use === null) return;
        const leftBytes = (use.usedPercent / 100) * use.totalBytes - sum(chosen);
        const percents = byDisk.map(
          (one) => streams.find(({ stream: name }) => name === one.stream)!.rules.diskPercent!,
        );
        const last = byDisk
          .filter((_one, i) => percents[i] === Math.max(...percents))
          .map(({ bytes }) => bytes);
        assert.ok(leftBytes + Math.max(...last) + 1e-6 > (Math.max(...percents) / 100) * use.totalBytes);
      }),
    );
  });
});

function sum(items: readonly { readonly bytes: number }[]): number {
  return items.reduce((total, { bytes }) => total + bytes, 0);
}
