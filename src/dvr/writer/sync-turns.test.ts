import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { settle } from "../../../test/support/memory-recording.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { SyncTurns } from "./sync-turns.ts";

test("syncs that a slow disk holds up are a few at a time, and it is said once an hour how late they are", async () => {
  const [clock, log] = [new FakeClock(), new RecordingLog()];
  const syncs = new SyncTurns({ clock, log, limits: { running: 2, waiting: 100 } });
  const running: (() => void)[] = [];
  const sync = async (): Promise<string> =>
    await syncs.run(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      running.push(resolve);
      await promise;
      return "synced";
    });
  const round = async (tookMs: number): Promise<void> => {
    const all = Promise.all(Array.from({ length: 10 }, sync));
    for (let left = 10; left > 0; left -= 2) {
      assert.equal(running.length, 2);
      clock.advance(tookMs);
      for (const finish of running.splice(0)) finish();
      await settle();
    }
    assert.deepEqual(new Set(await all), new Set(["synced"]));
  };
  await round(1000);
  assert.deepEqual(log.lines, []);
  await round(4000);
  await round(4000);
  const told = (): unknown[] => log.of("warn").map(({ fields }) => fields);
  assert.deepEqual(told(), [{ tookMs: 12_000, waiting: 5 }]);
  clock.advance(3_600_000);
  await round(4000);
  assert.equal(told().length, 2);
});

test("a sync that fails tells who asked for it, and lets the next one have its turn", async () => {
  const [clock, log] = [new FakeClock(), new RecordingLog()];
  const syncs = new SyncTurns({ clock, log, limits: { running: 1, waiting: 10 } });
  const failing = syncs.run(async () => await Promise.reject(new Error("EIO")));
  const next = syncs.run(async () => await Promise.resolve(1));
  await assert.rejects(failing, { message: "EIO" });
  assert.equal(await next, 1);
});
