import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume } from "../../../test/support/memory-volume.ts";
import { MAX_WATCHED, WriterWatch } from "./writer-watch.ts";
import { writeLifeRecord } from "./writer-records.ts";

const LIFE = "/archive/.writers";
const identity = { host: "h", pod: "", machine: "", pid: 1, birth: "" };

function watching(): { volume: MemoryVolume; clock: FakeClock; watch: WriterWatch } {
  const [volume, clock] = [new MemoryVolume(), new FakeClock()];
  const files = volume.seenBy();
  const watch = new WriterWatch({ root: "/archive", files, clock, leaseMs: 15_000, isGone: () => false });
  return { volume, clock, watch };
}

function giveSign(volume: MemoryVolume, renewedAt: number, leaseMs = 15_000): void {
  volume.put(`${LIFE}/writer-a-1`, writeLifeRecord({ writer: "writer-a-1", identity, renewedAt, leaseMs }));
}

describe("a writer that is watched", () => {
  test("is dead when its sign of life stood still for its lease, counted from when it was first seen", async () => {
    const { volume, clock, watch } = watching();
    giveSign(volume, 1);
    for (const [advanceMs, isDead] of [
      [0, false],
      [14_999, false],
      [1, true],
    ] as const) {
      clock.advance(advanceMs);
      assert.equal(await watch.isDead("writer-a-1"), isDead);
    }
    giveSign(volume, 2);
    assert.equal(await watch.isDead("writer-a-1"), false);
  });

  test("is waited for as long as it says itself, within bounds", async () => {
    for (const [leaseMs, waitMs] of [
      [60_000, 60_000],
      [1, 15_000],
      [600_000, 600_000],
    ] as const) {
      const { volume, clock, watch } = watching();
      giveSign(volume, 1, leaseMs);
      await watch.isDead("writer-a-1");
      clock.advance(waitMs - 1);
      assert.equal(await watch.isDead("writer-a-1"), false);
      clock.advance(1);
      assert.equal(await watch.isDead("writer-a-1"), true);
    }
  });

  test("is dead when it has no sign of life, a name that none has, or was given up by this process", async () => {
    const { volume, watch } = watching();
    assert.equal(await watch.isDead("writer-b-1"), true);
    assert.equal(await watch.isDead("../../etc/passwd"), true);
    await watch.bury("../../etc/passwd");
    giveSign(volume, 1);
    watch.giveUp("writer-a-1");
    assert.equal(await watch.isDead("writer-a-1"), true);
    await watch.bury("writer-a-1");
    assert.deepEqual(volume.paths(), []);
  });

  test("is one of so many; of one more, the first is watched from the start", () => {
    const { clock, watch } = watching();
    const still = (key: number): boolean =>
      watch.hasStoodStill(`claim-${key}`, Uint8Array.of(key & 0xff), {
        startUs: clock.nowUs(),
        leaseMs: 15_000,
      });
    for (let key = 0; key <= MAX_WATCHED; key++) assert.equal(still(key), false);
    clock.advance(15_000);
    assert.deepEqual([still(MAX_WATCHED), still(1), still(0)], [true, true, false]);
    for (let key = 0; key <= MAX_WATCHED; key++) watch.giveUp(`writer-x-${key}`);
  });
});
