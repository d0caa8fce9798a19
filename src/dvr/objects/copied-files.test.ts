import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { asMediaError } from "../../base/errors.ts";
import { HOUR_US } from "../format/hour.ts";
import { CopiedFiles } from "./copied-files.ts";
import { CopyCaches } from "./copy-caches.ts";
import { CopyStores } from "./copy-stores.ts";
import { objectErrors } from "./errors.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-copied-files-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ROOT = "/archive";
const DAY = `${ROOT}/tv/news/2026/11/23`;
/** Noon of that day. */
const NOON_US = (Date.UTC(2026, 10, 23, 12) / 3_600_000) * HOUR_US;

let rooms = 0;

function room(onDisk: readonly string[], inBucket: readonly string[]) {
  const contents = Object.fromEntries(onDisk.map((path) => [path, Buffer.from(`disk ${path}`)]));
  const disk = new MemoryFiles(contents);
  // What one test has read is not what another one reads.
  const store = new MemoryStore(`memory://${++rooms}`);
  const put = (key: string): void => void store.objects.set(key, Buffer.from(`bucket ${key}`));
  for (const key of inBucket) put(key);
  const clock = new FakeClock(NOON_US);
  const log = new RecordingLog();
  const stores = new CopyStores({ clock, open: () => Promise.resolve(store) });
  const caches = new CopyCaches({ clock, log, owner: { index: 0, count: 1 }, temporary: folder });
  const place = { endpoint: "https://host", bucket: "b", prefix: "" };
  const rules = {
    roots: () => new Set([ROOT]),
    of: (root: string, stream: string) =>
      root === ROOT && stream.startsWith("tv/") ? { place, cache: null } : null,
  };
  const files = new CopiedFiles({ disk, rules, stores, caches, clock, log });
  const textOf = async (path: string): Promise<string | null> => {
    const file = await files.open(path);
    if (file === null) return null;
    const bytes = new Uint8Array(await file.sizeBytes());
    assert.equal(await file.read(0, bytes), bytes.byteLength);
    await file.close();
    return Buffer.from(bytes).toString();
  };
  return { disk, store, put, clock, log, files, textOf };
}

const HOUR_8 = ["tv/news/2026/11/23/08.idx", "tv/news/2026/11/23/08.mp4"];

function down(store: MemoryStore): void {
  store.onCall = () => {
    throw objectErrors.error("OBJECT_UNREACHABLE", { location: "b", operation: "list", reason: "no" });
  };
}

describe("files that are on the disk or in the bucket", () => {
  test("are read where they are, from the disk when they are in both", async () => {
    const { textOf, files, disk } = room([`${DAY}/08.idx`, `${DAY}/09.idx`, `${DAY}/09.mp4`], HOUR_8);
    assert.equal(await textOf(`${DAY}/08.idx`), `disk ${DAY}/08.idx`);
    assert.equal(await textOf(`${DAY}/08.mp4`), "bucket tv/news/2026/11/23/08.mp4");
    assert.equal(await files.stat(`${DAY}/08.mp4`), "bucket tv/news/2026/11/23/08.mp4".length);
    assert.equal(await textOf(`${DAY}/09.mp4`), `disk ${DAY}/09.mp4`);
    assert.equal(await textOf(`${DAY}/07.mp4`), null);
    assert.equal(await files.stat(`${DAY}/07.idx`), null);
    assert.equal(disk.openFiles, 0);
  });

  test("are listed together, at each level", async () => {
    const { files } = room(
      [`${DAY}/10.idx`, `${DAY}/10.mp4`],
      [...HOUR_8, "tv/news/2025/01/01/00.idx", "tv/news/2026/10/01/00.idx"],
    );
    const sorted = async (path: string): Promise<string[]> => [...(await files.list(path))].toSorted();
    assert.deepEqual(await sorted(`${ROOT}/tv/news`), ["2025", "2026"]);
    assert.deepEqual(await sorted(`${ROOT}/tv/news/2026`), ["10", "11"]);
    assert.deepEqual(await sorted(`${ROOT}/tv/news/2026/11`), ["23"]);
    assert.deepEqual(await sorted(DAY), ["08.idx", "08.mp4", "10.idx", "10.mp4"]);
    assert.deepEqual(await sorted(`${ROOT}/tv/news/2024`), []);
  });

  test("without an index are not listed: an hour is copied when its index is", async () => {
    const { files } = room([], ["tv/news/2026/11/23/08.mp4", "tv/news/2026/11/23/09.idx"]);
    assert.deepEqual(await files.list(DAY), ["09.idx"]);
  });

  test("that were deleted here are none, though the bucket still has them", async () => {
    const nine = ["tv/news/2026/11/23/09.idx", "tv/news/2026/11/23/09.mp4"];
    const { files, textOf } = room([`${DAY}/08.dropped`], [...HOUR_8, ...nine]);
    assert.deepEqual([...(await files.list(DAY))].toSorted(), ["08.dropped", "09.idx", "09.mp4"]);
    for (const name of ["08.idx", "08.mp4"]) assert.equal(await textOf(`${DAY}/${name}`), null);
    assert.notEqual(await textOf(`${DAY}/09.idx`), null);
  });

  test("of streams that are not copied are those of the disk", async () => {
    const { files, store, textOf } = room([`${ROOT}/radio/2026/11/23/08.idx`], ["radio/2026/11/23/08.mp4"]);
    assert.deepEqual(await files.list(`${ROOT}/radio/2026/11/23`), ["08.idx"]);
    assert.equal(await textOf(`${ROOT}/radio/2026/11/23/08.mp4`), null);
    for (const path of [
      `${ROOT}/tv/news/.writer/1`,
      `${ROOT}/tv/news/2026/11/23/08.copied`,
      "/else/tv/news",
    ])
      assert.equal(await textOf(path), null);
    assert.deepEqual(store.calls, []);
  });

  test("of a day that the disk has all of are not asked for", async () => {
    const hours = Array.from({ length: 13 }, (_, i) => `${DAY}/${String(i).padStart(2, "0")}.idx`);
    const { files, store } = room(hours, HOUR_8);
    assert.equal((await files.list(DAY)).length, 13);
    assert.deepEqual(store.calls, []);
  });

  test("that tell what is deleted or was copied from a peer are those of the disk where that has the hour", async () => {
    const endings = ["del", "fill", "fill.mp4", "idx", "mp4"];
    const far = ["08", "09"].flatMap((hour) =>
      endings.map((ending) => `tv/news/2026/11/23/${hour}.${ending}`),
    );
    const { files, textOf, store } = room([`${DAY}/08.fill`], far);
    assert.equal(await textOf(`${DAY}/09.del`), "bucket tv/news/2026/11/23/09.del");
    assert.equal(await textOf(`${DAY}/09.fill`), "bucket tv/news/2026/11/23/09.fill");
    assert.equal(await textOf(`${DAY}/09.fill.mp4`), "bucket tv/news/2026/11/23/09.fill.mp4");
    assert.equal(await files.stat(`${DAY}/09.del`), "bucket tv/news/2026/11/23/09.del".length);
    assert.equal(await textOf(`${DAY}/08.fill`), `disk ${DAY}/08.fill`);
    assert.equal(await textOf(`${DAY}/08.fill.mp4`), "bucket tv/news/2026/11/23/08.fill.mp4");
    down(store);
    // Nobody waits for the bucket to learn that the disk has none.
    assert.equal(await textOf(`${DAY}/08.del`), null);
    assert.equal(await files.stat(`${DAY}/08.del`), null);
  });

  test("of fills alone make an hour, what is deleted does not", async () => {
    const keys = ["08.fill", "08.fill.mp4", "09.del", "10.fill.mp4"].map(
      (name) => `tv/news/2026/11/23/${name}`,
    );
    const { files } = room([], keys);
    assert.deepEqual([...(await files.list(DAY))].toSorted(), ["08.fill", "08.fill.mp4"]);
  });

  test("that say by how much fills move numbers are asked for every few seconds, and outlast a failure", async () => {
    const { textOf, store, put, clock, log } = room([], ["tv/news/.fills"]);
    const path = `${ROOT}/tv/news/.fills`;
    const heads = (): number => store.keysOf("head").length;
    assert.equal(await textOf(path), "bucket tv/news/.fills");
    assert.equal(await textOf(path), "bucket tv/news/.fills");
    assert.equal(heads(), 1);
    store.objects.set("tv/news/.fills", Buffer.from("another"));
    clock.advance(5000);
    assert.equal(await textOf(path), "another");
    down(store);
    clock.advance(5000);
    const file = await room([`${ROOT}/tv/news/.fills`], []).textOf(path);
    assert.equal(file, `disk ${path}`);
    assert.equal(await textOf(path), "another", "what was read is known");
    assert.equal(log.of("warn").length, 1);
    put("tv/news/.fills");
    assert.equal(await textOf(`${ROOT}/tv/other/.fills`), null);
  });

  test("that have just left the disk are found, however lately the bucket was asked", async () => {
    const { textOf, put, clock, disk, files } = room([`${DAY}/08.idx`, `${DAY}/08.mp4`], []);
    await files.list(DAY);
    clock.advance(5000);
    for (const key of HOUR_8) put(key);
    disk.contents.delete(`${DAY}/08.mp4`);
    assert.equal(await textOf(`${DAY}/08.mp4`), "bucket tv/news/2026/11/23/08.mp4");
  });

  test("that were replaced or deleted in the bucket are an error once, and then what is there", async () => {
    const { textOf, store, files } = room([], HOUR_8);
    const file = (await files.open(`${DAY}/08.mp4`))!;
    store.onCall = ({ method, key }) => {
      if (method === "get") throw objectErrors.error("OBJECT_CHANGED", { location: "b", key });
    };
    store.objects.set("tv/news/2026/11/23/08.mp4", Buffer.from("another"));
    await assert.rejects(file.read(0, new Uint8Array(3)), { code: "OBJECT_CHANGED" });
    store.onCall = () => {};
    assert.equal(await textOf(`${DAY}/08.mp4`), "another");
    store.objects.delete("tv/news/2026/11/23/08.mp4");
  });

  test("in the bucket are not written to", async () => {
    const { files } = room([], HOUR_8);
    const file = (await files.open(`${DAY}/08.mp4`))!;
    for (const attempt of [file.append([]), file.truncate(0), file.sync()])
      await assert.rejects(attempt, { code: "DVR_DISK_FAILED" });
    const made = await files.create(`${DAY}/10.mp4`);
    assert.equal(made.path, `${DAY}/10.mp4`);
    await made.close();
  });
});

describe("a bucket that does not answer", () => {
  test("hides what is there alone, and is told of once a minute", async () => {
    const { files, store, log, clock, textOf } = room([`${DAY}/09.idx`, `${DAY}/09.mp4`], HOUR_8);
    down(store);
    for (let i = 0; i < 5; i++) assert.deepEqual(await files.list(DAY), ["09.idx", "09.mp4"]);
    assert.deepEqual(await files.list(`${ROOT}/tv/news/2025`), []);
    assert.equal(await textOf(`${DAY}/09.mp4`), `disk ${DAY}/09.mp4`);
    assert.equal(log.of("warn").length, 1);
    clock.advance(61_000);
    await files.list(DAY);
    assert.equal(log.of("warn").length, 2);
    // Nobody knows whether this is there.
    await assert.rejects(files.open(`${DAY}/08.mp4`), { code: "OBJECT_UNREACHABLE", httpStatus: 503 });
  });

  test("is an error where nothing of the stream is on the disk", async () => {
    const { files, store } = room([], HOUR_8);
    down(store);
    const isThat = (caught: unknown): boolean => asMediaError(caught)?.code === "OBJECT_UNREACHABLE";
    await assert.rejects(files.list(DAY), isThat);
    await assert.rejects(files.open(`${DAY}/08.idx`), isThat);
  });

  test("is waited for for four seconds where the disk has something, and is asked on", async () => {
    const { files, store, clock } = room([`${DAY}/09.idx`], HOUR_8);
    const answer = Promise.withResolvers<void>();
    store.onCall = () => answer.promise;
    let listed: readonly string[] | null = null;
    const listing = files.list(DAY).then((names) => (listed = names));
    await eventually(() => assert.equal(clock.pendingTimers, 1));
    clock.advance(3999);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(listed, null);
    clock.advance(1);
    assert.deepEqual(await listing, ["09.idx"]);
    answer.resolve();
    assert.deepEqual([...(await files.list(DAY))].toSorted(), ["08.idx", "08.mp4", "09.idx"]);
    assert.equal(clock.pendingTimers, 0);
  });
});
