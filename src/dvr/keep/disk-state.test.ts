import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import type { VolumeStep } from "../../../test/support/memory-volume.ts";
import { silentLogger } from "../../base/log.ts";
import { DiskStates } from "./disk-state.ts";
import type { DiskChange, DiskStatesOptions } from "./disk-state.ts";
import { keepErrors } from "./errors.ts";

const ROOT = "/archive";

function disks(options: Partial<DiskStatesOptions> = {}) {
  const [volume, clock] = [new MemoryVolume(), new FakeClock()];
  volume.folders.add(ROOT);
  const changes: DiskChange[] = [];
  const lines: string[] = [];
  const probes: VolumeStep[] = [];
  const fault: { code: string | null } = { code: null };
  const states = new DiskStates({
    files: volume.seenBy({
      before: (step) => {
        if (step.kind === "make") probes.push(step);
        if (fault.code !== null && step.kind === "make") return { error: systemError(fault.code) };
      },
    }),
    clock,
    logger: {
      ...silentLogger,
      info: (message) => lines.push(message),
      error: (message) => lines.push(message),
    },
    onChange: (change) => changes.push(change),
    ...options,
  });
  const seen = (): string[] => changes.map(({ from, to, lastedMs }) => `${from} ${to} ${lastedMs}`);
  return { volume, clock, changes, lines, probes, fault, states, seen };
}

describe("a volume", () => {
  test("takes recordings until a failure is reported", () => {
    const { states } = disks();
    assert.equal(states.mayWrite(ROOT), true);
    assert.equal(states.report(ROOT, systemError("EMFILE")), "ok");
    assert.equal(states.report(ROOT, new Error("a bug")), "ok");
    assert.equal(states.report(ROOT, "no error at all"), "ok");
    assert.equal(states.mayWrite(ROOT), true);
  });

  test("is known by what is behind an error of the archive", () => {
    const { states } = disks();
    const caught = keepErrors.error(
      "DVR_LEASE_FAILED",
      { root: ROOT, reason: "full" },
      systemError("ENOSPC"),
    );
    assert.equal(states.report(ROOT, caught), "full");
    assert.equal(states.report("/other", keepErrors.error("DVR_LEASE_FAILED")), "ok");
  });

  for (const [code, condition, said] of [
    ["ENOSPC", "full", "DVR_VOLUME_FULL"],
    ["EDQUOT", "full", "DVR_VOLUME_FULL"],
    ["EIO", "failing", "DVR_VOLUME_FAILING"],
    ["EROFS", "failing", "DVR_VOLUME_FAILING"],
    ["ESTALE", "failing", "DVR_VOLUME_FAILING"],
    ["ETIMEDOUT", "failing", "DVR_VOLUME_FAILING"],
  ] as const)
    test(`that reports ${code} is ${condition}, said once however many streams find it, until a probe succeeds`, async () => {
      const { states, clock, fault, changes, lines, seen, volume } = disks();
      fault.code = code;
      for (let i = 0; i < 100; i++) assert.equal(states.report(ROOT, systemError(code)), condition);
      assert.equal(states.mayWrite(ROOT), false);
      assert.equal(states.mayWrite("/other"), true);
      assert.equal(states.errorOf(ROOT)?.code, said);
      assert.match(states.errorOf(ROOT)!.message, new RegExp(`${ROOT}.*${code}`));
      await clock.advanceSettling(60_000, 1000);
      assert.equal(changes.length, 1);
      fault.code = null;
      await clock.advanceSettling(5000, 1000);
      assert.equal(states.mayWrite(ROOT), true);
      assert.equal(states.errorOf(ROOT), null);
      assert.equal(lines.length, 2);
      assert.match(seen()[1]!, new RegExp(`^${condition} ok 6\\d000$`));
      assert.equal(changes[0]!.atMs, Math.floor((clock.wallUs() - clock.nowUs()) / 1000));
      assert.deepEqual(volume.paths(), []);
      assert.equal(clock.pendingTimers, 0);
    });

  test("is probed every 5 s, with room for more than a moment of a recording", async () => {
    const { states, clock, probes, volume } = disks();
    volume.put(`${ROOT}/media`, new Uint8Array(1000));
    volume.capacityBytes = 1_000_000;
    states.report(ROOT, systemError("ENOSPC"));
    await clock.advanceSettling(50_000, 1000);
    assert.equal(probes.length, 10);
    assert.equal(states.conditionOf(ROOT), "full");
    assert.deepEqual(volume.paths(), [`${ROOT}/media`]);
    volume.capacityBytes = 2_000_000;
    await clock.advanceSettling(5000, 1000);
    assert.equal(states.conditionOf(ROOT), "ok");
  });

  test("that is found to have another trouble says so", async () => {
    const { states, clock, fault, seen } = disks();
    fault.code = "EROFS";
    states.report(ROOT, systemError("ENOSPC"));
    await clock.advanceSettling(5000, 1000);
    fault.code = "EDQUOT";
    await clock.advanceSettling(5000, 1000);
    fault.code = "EMFILE";
    await clock.advanceSettling(5000, 1000);
    assert.deepEqual(seen(), ["ok full 0", "full failing 5000", "failing full 5000"]);
  });

  test("that fails again soon is probed less often, up to a minute, and as before when it was steady", async () => {
    const { states, clock } = disks();
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      states.report(ROOT, systemError("ENOSPC"));
      const startUs = clock.nowUs();
      while (!states.mayWrite(ROOT)) await clock.advanceSettling(500, 500);
      pauses.push((clock.nowUs() - startUs) / 1_000_000);
    }
    assert.deepEqual(pauses, [5, 10, 20, 40, 60, 60, 60]);
    clock.advance(60_000);
    states.report(ROOT, systemError("ENOSPC"));
    await clock.advanceSettling(5000, 500);
    assert.equal(states.mayWrite(ROOT), true);
  });

  for (const code of ["ENOENT", "EACCES"])
    test(`is probed at once when ${code} may be the trouble of one stream only`, async () => {
      const { states, clock, fault, probes, seen } = disks();
      for (let i = 0; i < 10; i++) assert.equal(states.report(ROOT, systemError(code)), "ok");
      await clock.advanceSettling(100);
      assert.deepEqual([probes.length, states.mayWrite(ROOT)], [1, true]);
      assert.equal(states.report(ROOT, systemError(code)), "ok");
      assert.equal(probes.length, 1, "not more often than every 5 s");
      clock.advance(5000);
      fault.code = code;
      states.report(ROOT, systemError(code));
      await clock.advanceSettling(100);
      assert.equal(states.conditionOf(ROOT), "failing");
      fault.code = null;
      await clock.advanceSettling(5000);
      assert.deepEqual(seen(), ["ok failing 0", "failing ok 5000"]);
    });

  test("that hangs has one probe under way, and is well when that ends well", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    volume.folders.add(ROOT);
    const held = Promise.withResolvers<void>();
    let probes = 0;
    const files = volume.seenBy({
      before: async ({ kind }) => {
        probes += Number(kind === "make");
        await held.promise;
      },
    });
    const states = new DiskStates({ files, clock, logger: silentLogger, onChange: () => {} });
    states.report(ROOT, systemError("ETIMEDOUT"));
    await clock.advanceSettling(600_000, 5000);
    assert.deepEqual([probes, states.conditionOf(ROOT)], [1, "failing"]);
    held.resolve();
    await clock.advanceSettling(1000);
    assert.equal(states.conditionOf(ROOT), "ok");
  });

  test("is one of so many at most", () => {
    const { states } = disks({ limit: 2 });
    states.report("/a", systemError("EIO"));
    states.report("/b", systemError("EIO"));
    assert.throws(() => states.report("/c", systemError("EIO")), { code: "DVR_ROOT_LIMIT" });
  });

  test("is not probed any more when all stops", async () => {
    const { states, clock, probes } = disks();
    states.report(ROOT, systemError("EIO"));
    states.stop();
    assert.equal(clock.pendingTimers, 0);
    assert.equal(states.report("/other", systemError("EIO")), "ok");
    await clock.advanceSettling(10_000, 1000);
    assert.equal(probes.length, 0);
  });
});
