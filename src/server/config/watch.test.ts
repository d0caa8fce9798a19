import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { ProjectedVolume } from "../../../test/support/projected-volume.ts";
import { volumesState } from "./files.ts";
import { ConfigWatch } from "./watch.ts";

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-watch-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Lets the watch look once. */
async function look(clock: FakeClock): Promise<void> {
  await eventually(() => assert.equal(clock.pendingTimers, 1));
  clock.advance(400);
  await eventually(() => assert.equal(clock.pendingTimers, 1));
}

/** Where the volume is mounted, seen from the folder of the configuration. */
for (const place of ["", "flussonic.conf.d"]) {
  test(`a volume that is written anew is noticed once, mounted at "${place}"`, async (t) => {
    const folder = await makeFolder(t);
    const volume = new ProjectedVolume(join(folder, place));
    await volume.write({ "a.conf": "" });
    const clock = new FakeClock();
    const watch = new ConfigWatch(folder, clock);
    watch.remember(await volumesState(folder));
    let changes = 0;
    watch.start(async () => {
      changes++;
      watch.remember(await volumesState(folder));
    });
    await look(clock);
    assert.equal(changes, 0);
    await volume.write({ "a.conf": "http 80;" });
    await look(clock);
    await look(clock);
    assert.equal(changes, 1);
    watch.stop();
    assert.equal(clock.pendingTimers, 0);
  });
}

test("what changed between reading and start is noticed, a volume that is mounted late too", async (t) => {
  const folder = await makeFolder(t);
  const clock = new FakeClock();
  const path = join(folder, "flussonic.conf");
  const watch = new ConfigWatch(path, clock);
  watch.remember(await volumesState(path));
  await new ProjectedVolume(join(folder, "flussonic.conf.d")).write({ "a.conf": "" });
  let changes = 0;
  watch.start(() => Promise.resolve(void changes++));
  await look(clock);
  assert.equal(changes, 1);
  watch.stop();
});

test("a file that a person edits is left alone", async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, "flussonic.conf"), "");
  const clock = new FakeClock();
  const watch = new ConfigWatch(folder, clock);
  watch.remember(await volumesState(folder));
  let changes = 0;
  watch.start(() => Promise.resolve(void changes++));
  await writeFile(join(folder, "flussonic.conf"), "http 80;");
  await look(clock);
  assert.equal(changes, 0);
  watch.stop();
});

test("nothing is looked at while a change is being taken", async (t) => {
  const folder = await makeFolder(t);
  const volume = new ProjectedVolume(folder);
  const clock = new FakeClock();
  const watch = new ConfigWatch(folder, clock);
  watch.remember(await volumesState(folder));
  let isTaken: (() => void) | null = null;
  watch.start(() => new Promise((resolve) => (isTaken = resolve)));
  await volume.write({ "a.conf": "" });
  clock.advance(400);
  await eventually(() => assert.notEqual(isTaken, null));
  assert.equal(clock.pendingTimers, 0);
  isTaken!();
  await turn();
  await eventually(() => assert.equal(clock.pendingTimers, 1));
  watch.stop();
});

test("a change is told again until it is remembered, and one that came meanwhile is told too", async (t) => {
  const folder = await makeFolder(t);
  const volume = new ProjectedVolume(folder);
  const clock = new FakeClock();
  const watch = new ConfigWatch(folder, clock);
  watch.remember(await volumesState(folder));
  await volume.write({ "a.conf": "" });
  let changes = 0;
  watch.start(async () => {
    changes++;
    if (changes === 1) return;
    const read = await volumesState(folder);
    if (changes === 2) await volume.write({ "b.conf": "" });
    watch.remember(read);
  });
  for (let i = 0; i < 5; i++) await look(clock);
  assert.equal(changes, 3);
  watch.stop();
});
