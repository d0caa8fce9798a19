import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import type { VolumeStep } from "../../../test/support/memory-volume.ts";
import { ArchiveWalk } from "./archive-walk.ts";
import type { ArchiveWalkOptions, DayFolder } from "./archive-walk.ts";

const ROOT = "/archive";
const NOW_MS = Date.UTC(2026, 10, 23, 8, 30);

function archive(options: Partial<ArchiveWalkOptions> = {}) {
  const volume = new MemoryVolume();
  const clock = new FakeClock(NOW_MS * 1000);
  const steps: VolumeStep[] = [];
  const problems: string[] = [];
  const fault: { of: ((step: VolumeStep) => Error | null) | null } = { of: null };
  const before = (step: VolumeStep): { error: Error } | void => {
    steps.push(step);
    const error = fault.of?.(step) ?? null;
    if (error !== null) return { error };
  };
  const walk = new ArchiveWalk({
    root: ROOT,
    files: volume.seenBy({ before }),
    clock,
    onFailure: (path, caught) => problems.push(`${path}: ${(caught as Error).message.slice(0, 6)}`),
    onLimit: (what, limit) => problems.push(`${what}: ${limit}`),
    ...options,
  });
  const put = (path: string, bytes: number): void => volume.put(`${ROOT}/${path}`, new Uint8Array(bytes));
  const days = async (): Promise<string[]> => (await walk.days(() => false)).flatMap(describeDay).sort();
  return { volume, clock, steps, problems, fault, walk, put, days };
}

function describeDay({ stream, day, hours }: DayFolder): string[] {
  const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
  return hours.map(
    (hour) => `${stream} ${date} ${hour.hourOfDay}: ${hour.bytes}/${hour.mediaBytes} ${hour.names.length}`,
  );
}

describe("a walk through an archive", () => {
  test("finds the hours of all streams, with the bytes of their files", async () => {
    const { put, days, problems } = archive();
    put("live/one/2026/11/23/08.idx", 64);
    put("live/one/2026/11/23/08.mp4", 1000);
    put("live/one/2026/11/23/08.1.mp4", 500);
    put("live/one/2026/11/23/07.mp4", 7);
    put("live/one/2025/12/31/23.copied", 3);
    put("two/2026/02/28/00.deleted", 2);
    assert.deepEqual(await days(), [
      "live/one 2025-12-31 23: 3/0 1",
      "live/one 2026-11-23 7: 7/7 1",
      "live/one 2026-11-23 8: 1564/1500 3",
      "two 2026-02-28 0: 2/0 1",
    ]);
    assert.deepEqual(problems, []);
  });

  test("finds streams whose names look like dates, and within one another", async () => {
    const { put, days } = archive();
    put("2026/2026/11/23/01.mp4", 1);
    put("live/2026/11/23/02.mp4", 2);
    put("live/2026/2026/11/23/03.mp4", 3);
    put("live/2026/11/23/2026/11/22/04.mp4", 4);
    assert.deepEqual(await days(), [
      "2026 2026-11-23 1: 1/1 1",
      "live 2026-11-23 2: 2/2 1",
      "live/2026 2026-11-23 3: 3/3 1",
      "live/2026/11/23 2026-11-22 4: 4/4 1",
    ]);
  });

  test("leaves alone what is none of the archive's", async () => {
    const { put, days } = archive();
    put("2026/11/23/08.mp4", 1);
    put("live/2026/11/08.mp4", 1);
    put("live/2026/13/01/08.mp4", 1);
    put("live/2026/02/29/08.mp4", 1);
    put("live/1969/12/31/08.mp4", 1);
    put("live/2026/11/23/24.mp4", 1);
    put("live/2026/11/23/8.mp4", 1);
    put("live/2026/11/23/notes.txt", 1);
    put("live/.writer/2026/11/23/08.mp4", 1);
    put("a stream/2026/11/23/08.mp4", 1);
    put(`${"x".repeat(256)}/2026/11/23/08.mp4`, 1);
    assert.deepEqual(await days(), []);
  });

  test("finds nothing where there is no root", async () => {
    const { days, problems } = archive();
    assert.deepEqual(await days(), []);
    assert.deepEqual(problems, []);
  });

  test("removes folders of the calendar that are empty and over, and no others", async () => {
    const { volume, put, days, clock } = archive();
    for (const folder of ["2025", "2026/10", "2026/11/21", "2026/11/22", "2026/11/23"]) {
      put(`live/one/${folder}/x`, 1);
      volume.files.delete(`${ROOT}/live/one/${folder}/x`);
    }
    put("empty/x", 1);
    volume.files.delete(`${ROOT}/empty/x`);
    await days();
    const left = (): string[] => [...volume.folders].map((path) => path.slice(ROOT.length + 1)).sort();
    const kept = ["", "empty", "live", "live/one", "live/one/2026", "live/one/2026/11"];
    // The day that ended 8 hours ago may still be wanted by a clock that is behind.
    assert.deepEqual(left(), [...kept, "live/one/2026/11/22", "live/one/2026/11/23"].sort());
    clock.stepWall(400 * 86_400_000);
    for (let round = 0; round < 3; round++) {
      clock.advance(2 * 3_600_000);
      await days();
    }
    assert.deepEqual(left(), ["", "empty", "live", "live/one"]);
  });

  test("does not read again what is over, for an hour or two, unless it is told to", async () => {
    const { put, days, steps, walk, clock, volume } = archive();
    put("live/2026/11/01/08.mp4", 10);
    put("live/2026/11/23/08.mp4", 10);
    const first = await days();
    steps.length = 0;
    put("live/2026/11/01/09.mp4", 5);
    assert.deepEqual(await days(), first);
    assert.ok(!steps.some(({ path }) => path.includes("/01")), "the old day was read");
    walk.forget(new Set(["other"]));
    assert.deepEqual(await days(), first);
    walk.forget(new Set(["live"]));
    assert.equal((await days()).length, 3);
    volume.files.delete(`${ROOT}/live/2026/11/01/08.mp4`);
    walk.forgetDay(`${ROOT}/live/2026/11/01`);
    assert.equal((await days()).length, 2);
    put("live/2026/11/01/10.mp4", 5);
    assert.equal((await days()).length, 2);
    clock.advance(2 * 3_600_000);
    assert.equal((await days()).length, 3);
  });

  test("keeps the names that hours of all days have alike once", async () => {
    const { put, walk } = archive();
    for (let day = 10; day < 30; day++)
      for (const name of day % 2 === 0 ? ["08.idx", "08.mp4"] : ["08.mp4", "08.idx"])
        put(`one/2025/11/${day}/${name}`, 10);
    const found = await walk.days(() => false);
    assert.deepEqual([found.length, new Set(found.map(({ hours }) => hours[0]!.names)).size], [20, 1]);
  });

  test("asks nothing of files where only hours are wanted", async () => {
    const { put, days, steps } = archive({ isMeasuring: false });
    put("one/2026/11/23/08.idx", 64);
    put("one/2026/11/23/08.mp4", 1000);
    assert.deepEqual(await days(), ["one 2026-11-23 8: 0/0 2"]);
    assert.ok(steps.length > 0 && steps.every(({ kind }) => kind === "list"));
  });

  test("measures hours that may still grow every few minutes, and others once", async () => {
    const { put, days, steps, clock } = archive();
    put("live/2026/11/23/01.mp4", 10);
    put("live/2026/11/23/07.mp4", 10);
    put("live/2026/11/23/08.mp4", 10);
    await days();
    put("live/2026/11/23/08.mp4", 25);
    clock.advance(8 * 60_000);
    steps.length = 0;
    assert.deepEqual(await days(), [
      "live 2026-11-23 1: 10/10 1",
      "live 2026-11-23 7: 10/10 1",
      "live 2026-11-23 8: 25/25 1",
    ]);
    const measured = steps.filter(({ kind }) => kind === "facts").map(({ path }) => path);
    assert.deepEqual(measured, [`${ROOT}/live/2026/11/23/08.mp4`]);
  });

  test("measures an hour once more when it is over, however long the last walk was ago", async () => {
    const { put, days, clock } = archive();
    put("live/2026/11/23/08.mp4", 10);
    await days();
    put("live/2026/11/23/08.mp4", 99);
    clock.advance(5 * 3_600_000);
    assert.deepEqual(await days(), ["live 2026-11-23 8: 99/99 1"]);
  });

  test("reads the names of folders that hardly change every few minutes only", async () => {
    const { put, days, steps, clock } = archive();
    put("live/2026/11/23/08.mp4", 10);
    await days();
    steps.length = 0;
    put("late/2026/11/23/08.mp4", 10);
    assert.equal((await days()).length, 1);
    assert.deepEqual(
      steps.map(({ path }) => path),
      [],
    );
    clock.advance(20 * 60_000);
    assert.equal((await days()).length, 2);
  });

  test("says which folder it cannot read, and goes on", async () => {
    const { put, days, problems, fault } = archive();
    put("one/2026/11/23/08.mp4", 10);
    put("two/2026/11/23/08.mp4", 10);
    fault.of = ({ path }) => (path.includes("/one/2026/11/23") ? systemError("EACCES") : null);
    assert.deepEqual(await days(), ["two 2026-11-23 8: 10/10 1"]);
    assert.deepEqual(problems, [`${ROOT}/one/2026/11/23: EACCES`]);
    fault.of = null;
    assert.equal((await days()).length, 2);
  });

  test("passes over files that vanish while it looks", async () => {
    const { put, days, fault, volume, problems } = archive();
    put("one/2026/11/23/08.mp4", 10);
    fault.of = ({ kind, path }) => {
      if (kind === "facts") volume.files.delete(path);
      return null;
    };
    assert.deepEqual(await days(), ["one 2026-11-23 8: 0/0 1"]);
    assert.deepEqual(problems, []);
  });

  for (const [limits, said] of [
    [{ days: 3 }, "days: 3"],
    [{ folders: 12 }, "folders: 12"],
    [{ entries: 2 }, "files in a folder: 2"],
  ] as const)
    test(`keeps to its bound of ${said}, and says so`, async () => {
      const { put, walk, problems } = archive({ limits });
      for (let day = 10; day < 20; day++)
        for (const hour of ["01", "02", "03"]) put(`a/2026/11/${day}/${hour}.mp4`, 1);
      const found = await walk.days(() => false);
      assert.ok(found.length > 0 && found.length < 10, `${found.length} days`);
      assert.ok(problems.includes(said), problems.join());
      assert.ok(walk.size <= 14, `${walk.size} folders are remembered`);
    });

  test("ends soon when it should", async () => {
    const { put, walk, steps } = archive();
    for (let day = 10; day < 30; day++) put(`a/2026/11/${day}/01.mp4`, 1);
    await walk.days(() => steps.length > 10);
    assert.ok(steps.length < 15, `${steps.length} steps`);
  });
});
