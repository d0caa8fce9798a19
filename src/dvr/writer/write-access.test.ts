import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import type { VolumeHooks } from "../../../test/support/memory-volume.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import type { DiskChange } from "../keep/disk-state.ts";
import { RecordingRoots } from "./write-access.ts";

/** A process that records into a volume. */
function processOn(
  volume: MemoryVolume,
  hooks: VolumeHooks = {},
  pid = 10,
): {
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  readonly changes: DiskChange[];
  readonly roots: RecordingRoots;
} {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const changes: DiskChange[] = [];
  const roots = new RecordingRoots({
    ...{ files: volume.seenBy(hooks), clock, log },
    identity: { pod: "", host: `host-${pid}`, machine: "", pid, birth: "" },
    isAlive: () => true,
    onDiskChange: (change) => void changes.push(change),
  });
  return { clock, log, changes, roots };
}

const isSettled = async (promise: Promise<unknown>): Promise<boolean> =>
  await Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);

describe("the roots of a thread", () => {
  test("give a stream's archive to one who asks, and take it back", async () => {
    const volume = new MemoryVolume();
    const { clock, roots } = processOn(volume);
    const access = roots.access("/archive", "cam", () => {});
    assert.equal(access.mayWrite(), false);
    await clock.advanceSettling(2000);
    assert.ok(await isSettled(access.whenHeld()));
    assert.ok(access.mayWrite());
    await access.release();
    assert.equal(access.mayWrite(), false);
    await roots.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  test("do not let a stream's second writer write before the first one has let go", async () => {
    const volume = new MemoryVolume();
    const [one, other] = [processOn(volume, {}, 10), processOn(volume, {}, 11)];
    const first = one.roots.access("/archive", "cam", () => {});
    await one.clock.advanceSettling(2000);
    const second = other.roots.access("/archive", "cam", () => {});
    for (let i = 0; i < 20; i++) {
      await one.clock.advanceSettling(1000);
      await other.clock.advanceSettling(1000);
      assert.ok(!(first.mayWrite() && second.mayWrite()));
    }
    assert.ok(first.mayWrite());
    await first.release();
    for (let i = 0; i < 30 && !second.mayWrite(); i++) await other.clock.advanceSettling(1000);
    assert.ok(second.mayWrite());
    await Promise.all([second.release(), one.roots.stop(), other.roots.stop()]);
  });

  test("give a stream to the next one of this thread when the one before has given it back", async () => {
    const volume = new MemoryVolume();
    const { clock, roots } = processOn(volume);
    const first = roots.access("/archive", "cam", () => {});
    await clock.advanceSettling(2000);
    const [second, third] = [1, 2].map(() => roots.access("/archive", "cam", () => {}));
    await clock.advanceSettling(30_000);
    assert.deepEqual(
      [first, second!, third!].map((access) => access.mayWrite()),
      [true, false, false],
    );
    await second!.release();
    const fourth = roots.access("/archive", "cam", () => {});
    await clock.advanceSettling(2000);
    assert.equal(third!.mayWrite(), false, "the first one has it still");
    await first.release();
    await clock.advanceSettling(2000);
    assert.deepEqual([third!.mayWrite(), fourth.mayWrite()], [true, false]);
    await third!.release();
    await clock.advanceSettling(2000);
    assert.ok(fourth.mayWrite());
    await fourth.release();
    await roots.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  test("leave a root in peace that nothing is recorded into any more, until something is again", async () => {
    const volume = new MemoryVolume();
    const { clock, roots } = processOn(volume);
    const signs = (): string[] => volume.paths().filter((path) => path.includes("/.writers/"));
    const [one, other] = ["one", "other"].map((name) => roots.access("/archive", name, () => {}));
    await clock.advanceSettling(2000);
    await one!.release();
    assert.equal(signs().length, 1);
    await other!.release();
    assert.deepEqual([signs(), clock.pendingTimers], [[], 0]);
    const again = roots.access("/archive", "one", () => {});
    await clock.advanceSettling(2000);
    assert.deepEqual([again.mayWrite(), signs().length], [true, 1]);
    await again.release();
    await roots.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  test("of which more fail than are known are a line in the log, and the process lives", async () => {
    const { roots, log } = processOn(new MemoryVolume());
    for (let root = 0; root < 1002; root++) {
      const access = roots.access(`/archive-${root}`, "cam", () => {});
      access.failed(systemError("EIO"));
      await access.release();
    }
    const told = log.of("error").filter(({ message }) => message === "the state of a volume is not known");
    assert.equal(told.length, 1);
    assert.match(String(told[0]!.fields["error"]), /1000 roots/);
    await roots.stop();
  });

  test("end waiting for a stream that is given up", async () => {
    const volume = new MemoryVolume();
    const { roots } = processOn(volume);
    const access = roots.access("/archive", "cam", () => {});
    await access.release();
    assert.ok(await isSettled(access.whenHeld()));
    assert.equal(access.mayWrite(), false);
    await roots.stop();
  });

  test("keep all streams of a volume that is full from writing, which is told once, until a probe is through", async () => {
    const volume = new MemoryVolume();
    const { clock, roots, changes, log } = processOn(volume);
    const accesses = ["a", "b", "c"].map((name) => roots.access("/archive", name, () => {}));
    await clock.advanceSettling(3000);
    assert.ok(accesses.every((access) => access.mayWrite()));
    volume.capacityBytes = volume.usedBytes() + 1000;
    for (const access of accesses) access.failed(systemError("ENOSPC"));
    assert.ok(accesses.every((access) => !access.mayWrite()));
    await clock.advanceSettling(6000);
    assert.deepEqual(
      changes.map(({ to }) => to),
      ["full"],
    );
    volume.capacityBytes = Infinity;
    await clock.advanceSettling(20_000);
    assert.ok(accesses.every((access) => access.mayWrite()));
    assert.deepEqual(
      changes.map(({ to }) => to),
      ["full", "ok"],
    );
    assert.equal(log.of("error").length, 1);
    for (const access of accesses) await access.release();
    await roots.stop();
  });

  test("tell a stream at once that it is its no more", async () => {
    const volume = new MemoryVolume();
    let isHanging = false;
    const { clock, roots } = processOn(volume, {
      before: () => (isHanging ? { error: systemError("EIO") } : undefined),
    });
    let lost = 0;
    const access = roots.access("/archive", "cam", () => lost++);
    await clock.advanceSettling(2000);
    assert.ok(access.mayWrite());
    isHanging = true;
    await clock.advanceSettling(120_000, 1000);
    assert.equal(access.mayWrite(), false);
    assert.equal(lost, 1);
    const again = access.whenHeld();
    assert.equal(await isSettled(again), false, "it is waited for again");
    isHanging = false;
    await clock.advanceSettling(120_000, 1000);
    assert.deepEqual([access.mayWrite(), await isSettled(again)], [true, true]);
    await access.release();
    await roots.stop();
  });
});
