import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { temporaryCacheFolder, threadCacheFolder } from "./cache-folders-storage.ts";
import { CopyCaches } from "./copy-caches.ts";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-caches-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const UID = process.getuid?.() ?? 0;

test("a cache of nobody's wish is a folder of the process, and those of processes that are gone go", async (t) => {
  const temporary = await folderOf(t);
  const base = join(temporary, `weir-archive-cache-${UID}`);
  // No process has this number: it is beyond what the system gives.
  for (const name of ["999999999", String(process.ppid), "notes"])
    await mkdir(join(base, name), { recursive: true });
  const folder = await temporaryCacheFolder({ index: 1, count: 2 }, temporary);
  assert.equal(folder, join(base, String(process.pid), "thread-1"));
  assert.deepEqual(
    (await readdir(base)).toSorted(),
    [String(process.pid), String(process.ppid), "notes"].toSorted(),
  );
});

test("a folder that leads somewhere else is not used", async (t) => {
  const temporary = await folderOf(t);
  const elsewhere = join(temporary, "elsewhere");
  await mkdir(join(elsewhere, "999999999"), { recursive: true });
  await symlink(elsewhere, join(temporary, `weir-archive-cache-${UID}`));
  const folder = await temporaryCacheFolder({ index: 0, count: 1 }, temporary);
  assert.ok(!folder.startsWith(`${join(temporary, `weir-archive-cache-${UID}`)}/`), folder);
  assert.ok(existsSync(join(elsewhere, "999999999")), "nothing of it was removed");
});

test("threads that are not there any more leave nothing behind in a folder that is configured", async (t) => {
  const folder = await folderOf(t);
  for (const name of ["thread-0", "thread-1", "thread-7", "thread-x", "other"])
    await mkdir(join(folder, name));
  assert.equal(await threadCacheFolder(folder, { index: 1, count: 2 }), join(folder, "thread-1"));
  assert.equal((await readdir(folder)).length, 5);
  await threadCacheFolder(folder, { index: 0, count: 2 });
  assert.deepEqual((await readdir(folder)).toSorted(), ["other", "thread-0", "thread-1", "thread-x"]);
});

test("a thread has its part of a cache, and one cache for each folder, up to a bound", async (t) => {
  const folder = await folderOf(t);
  const clock = new FakeClock();
  const caches = new CopyCaches({ clock, log: new RecordingLog(), owner: { index: 0, count: 4 } });
  const rule = (name: string, sizeBytes = 2 ** 20): { path: string; sizeBytes: number } => ({
    path: join(folder, name),
    sizeBytes,
  });
  const cache = await caches.get(rule("a"));
  assert.equal(await caches.get(rule("a", 2 ** 30)), cache);
  const store = new MemoryStore();
  store.objects.set("key", new Uint8Array(1_000_000));
  const facts = { bytes: 1_000_000, etag: "x", crc32: null, hasMd5Etag: false, modifiedMs: 0 };
  const object = cache.object(store, { key: "key", ...facts }, 65_536);
  await object.read(0, 1_000_000);
  await caches.settled();
  assert.ok(cache.stats().bytes > 0 && cache.stats().bytes <= 2 ** 18, `${cache.stats().bytes}`);
  for (let i = 0; i < 20; i++) await caches.get(rule(`b${i}`));
  assert.equal(await caches.get(rule("one-too-many")), cache);
});

test("a folder that cannot be made is done without, and that is said", async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, "file"), "");
  const log = new RecordingLog();
  const rule = { path: join(folder, "file"), sizeBytes: 2 ** 20 };
  const owner = { index: 0, count: 1 };
  const caches = new CopyCaches({ clock: new FakeClock(), log, owner, temporary: join(folder, "file") });
  const store = new MemoryStore();
  store.objects.set("key", Uint8Array.of(1, 2, 3));
  for (const each of [rule, null]) {
    const cache = await caches.get(each);
    assert.deepEqual([...(await (await cache.openObject(store, "key"))!.read(0, 3))], [1, 2, 3]);
    assert.ok(!cache.stats().isUsable);
  }
  assert.match(log.text, /OBJECT_CACHE_UNUSABLE/);
});
