import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { asMediaError } from "../../base/errors.ts";
import { BucketFolders } from "./bucket-folders.ts";
import type { BucketFolder } from "./bucket-folders.ts";
import { objectErrors } from "./errors.ts";
import type { ListOptions } from "./object-store.ts";

/** A store whose pages are short, so that there are many. */
class ShortPages extends MemoryStore {
  pageSize = 1000;
  override list(prefix: string, options: ListOptions = {}): ReturnType<MemoryStore["list"]> {
    return super.list(prefix, { ...options, limit: this.pageSize });
  }
}

function room(keys: readonly string[]) {
  const store = new ShortPages();
  for (const key of keys) store.objects.set(key, Uint8Array.of(1, 2));
  const clock = new FakeClock();
  const folders = new BucketFolders(store, clock);
  const folder = async (inside: string, sinceUs?: number): Promise<BucketFolder> =>
    await folders.folder({ stream: "tv/news", inside }, sinceUs);
  return { store, clock, folders, folder };
}

const names = ({ folders, files }: BucketFolder): string[] => [...folders, ...files.keys()];

const KEYS = [
  "tv/news/-first/2024/11/23/08.idx",
  "tv/news/.fills",
  "tv/news/1/2026/11/23/08.idx",
  "tv/news/2025-show/2025/11/23/08.idx",
  "tv/news/2025/12/31/23.idx",
  "tv/news/2025/12/31/23.mp4",
  "tv/news/2026",
  "tv/news/2026/11/22/08.idx",
  "tv/news/2026/11/23/08.1.mp4",
  "tv/news/2026/11/23/08.idx",
  "tv/news/2026/11/23/08.mp4",
  "tv/news/2026/11/23/deep/08.mp4",
  "tv/news/2026/12/01/00.idx",
  "tv/news/sport/2024/11/23/08.idx",
  "tv/newsroom/2023/11/23/08.idx",
];

describe("folders of a stream in a bucket", () => {
  for (const pageSize of [1, 2, 3, 1000])
    test(`are what they would be on a disk, in pages of ${pageSize}`, async () => {
      const { store, folder } = room(KEYS);
      store.pageSize = pageSize;
      assert.deepEqual(names(await folder("")), ["2025", "2026"]);
      assert.deepEqual(names(await folder("2026")), ["11", "12"]);
      assert.deepEqual(names(await folder("2026/11")), ["22", "23"]);
      assert.deepEqual(names(await folder("2026/11/23")), ["08.1.mp4", "08.idx", "08.mp4"]);
      assert.deepEqual(names(await folder("2025/12/31")), ["23.idx", "23.mp4"]);
    });

  test("of days are not given as they were long ago, unless the store does not answer", async () => {
    const { store, clock, folder } = room(KEYS);
    const day = "2026/11/23";
    assert.equal((await folder(day)).files.size, 3);
    store.objects.set(`tv/news/${day}/08.del`, Uint8Array.of(1));
    clock.advance(179_000);
    assert.equal((await folder(day)).files.size, 3, "and it is asked for");
    await eventually(async () => assert.equal((await folder(day)).files.size, 4));
    clock.advance(180_000);
    store.objects.delete(`tv/news/${day}/08.del`);
    assert.equal((await folder(day)).files.size, 3);
    clock.advance(181_000);
    store.onCall = () => {
      throw objectErrors.error("OBJECT_UNREACHABLE", { location: "b", operation: "list", reason: "no" });
    };
    assert.equal((await folder(day)).files.size, 3);
    clock.advance(3_600_000);
    await assert.rejects(folder(day), { code: "OBJECT_UNREACHABLE" });
  });

  test("that are not there are not asked for", async () => {
    const { store, folder } = room(KEYS);
    await folder("2026/11/23");
    const asked = store.calls.length;
    for (const inside of ["1970/01/01", "2024", "2026/10/31", "2026/11/01", "2026/11/30"])
      assert.deepEqual(names(await folder(inside)), []);
    assert.equal(store.calls.length, asked);
  });

  test("are asked for again when they are old, or it has to be known", async () => {
    const { store, clock, folder, folders } = room(KEYS);
    await folder("2026/11/23");
    const asked = store.calls.length;
    clock.advance(59_000);
    await folder("2026/11/23");
    assert.equal(store.calls.length, asked);
    store.objects.set("tv/news/2026/11/23/09.idx", Uint8Array.of(1));
    // What is known is given, and what is asked for meanwhile the next time.
    clock.advance(2000);
    assert.equal((await folder("2026/11/23")).files.size, 3);
    await eventually(async () => assert.equal((await folder("2026/11/23")).files.size, 4));
    store.objects.set("tv/news/2026/11/23/10.idx", Uint8Array.of(1));
    assert.equal((await folder("2026/11/23", clock.nowUs())).files.size, 4, "asked just now");
    clock.advance(1);
    assert.equal((await folder("2026/11/23", clock.nowUs())).files.size, 5);
    store.objects.set("tv/news/2026/11/23/11.idx", Uint8Array.of(1));
    folders.forget({ stream: "tv/news", inside: "2026/11/23" });
    assert.equal((await folder("2026/11/23")).files.size, 6);
    store.objects.set("tv/news/2027/01/01/00.idx", Uint8Array.of(1));
    clock.advance(3_600_001);
    assert.deepEqual(names(await folder("")), ["2025", "2026", "2027"]);
  });

  test("are asked for once by all who ask at a time", async () => {
    const { store, folder } = room(KEYS);
    const all = await Promise.all(Array.from({ length: 50 }, async () => await folder("2026/11/23")));
    assert.equal(new Set(all).size, 1);
    assert.ok(store.calls.length <= 4, `${store.calls.length} questions`);
  });

  test("of a store that fails are not asked for all the time", async () => {
    const { store, clock, folder } = room(KEYS);
    let isDown = true;
    store.onCall = () => {
      const context = { location: "memory", operation: "list", reason: "503" };
      if (isDown) throw objectErrors.error("OBJECT_STORE_BUSY", context);
    };
    for (let i = 0; i < 5; i++)
      await assert.rejects(folder(""), (caught) => asMediaError(caught)?.code === "OBJECT_STORE_BUSY");
    assert.equal(store.calls.length, 1);
    isDown = false;
    clock.advance(10_001);
    assert.deepEqual(names(await folder("")), ["2025", "2026"]);
    // One that has failed since gives what was known.
    isDown = true;
    clock.advance(700_000);
    assert.deepEqual(names(await folder("")), ["2025", "2026"]);
    await eventually(() => assert.equal(store.calls.length, 3));
  });

  test("are remembered up to a bound", async () => {
    const { store, clock } = room([]);
    const hours = Array.from({ length: 24 }, (_, i) => `${String(i).padStart(2, "0")}.idx`);
    for (const name of hours) store.objects.set(`tv/news/2026/11/23/${name}`, Uint8Array.of(1));
    const folders = new BucketFolders(store, clock);
    for (let i = 0; i < 9000; i++) await folders.folder({ stream: `s${i}`, inside: "" });
    const asked = store.calls.length;
    await folders.folder({ stream: "s8999", inside: "" });
    assert.equal(store.calls.length, asked);
    await folders.folder({ stream: "s0", inside: "" });
    assert.equal(store.calls.length, asked + 1);
  });

  test("that repeat themselves are an error", async () => {
    const { store, folder } = room(KEYS);
    await folder("2026");
    const list = store.list.bind(store);
    store.list = async (prefix, options) => ({ ...(await list(prefix, options)), next: "again" });
    const isEndless = (caught: unknown): boolean => asMediaError(caught)?.code === "OBJECT_LIST_ENDLESS";
    await assert.rejects(folder("2026/11"), isEndless);
  });

  test("that have no end are an error", async () => {
    const { store, folder } = room([]);
    for (let i = 0; i < 2100; i++) store.objects.set(`tv/news/9${i}/x`, Uint8Array.of(1));
    store.pageSize = 1;
    const isEndless = (caught: unknown): boolean => asMediaError(caught)?.code === "OBJECT_LIST_ENDLESS";
    await assert.rejects(folder(""), isEndless);
  });
});
