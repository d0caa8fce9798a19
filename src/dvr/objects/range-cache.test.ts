import assert from "node:assert/strict";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { asMediaError } from "../../base/errors.ts";
import type { ByteSource } from "../../vod/byte-source.ts";
import { FileBlockDisk } from "./blocks-storage.ts";
import type { BlockDisk } from "./blocks-storage.ts";
import { objectErrors } from "./errors.ts";
import { RangeCache } from "./range-cache.ts";
import type { RangeCacheLimits } from "./range-cache.ts";

const BLOCK = 4096;
/** What a block of 4096 bytes and its trailer take of a disk. */
const ROOM = 8192;
const KEY = "live/2026/11/23/08.mp4";

function media(bytes: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}

async function room(
  context: TestContext,
  options: { bytes?: number; limits?: Partial<RangeCacheLimits> } = {},
) {
  const directory = await mkdtemp(join(tmpdir(), "weir-cache-"));
  const store = new MemoryStore();
  const clock = new FakeClock();
  const log = new RecordingLog();
  const disk = new FileBlockDisk(directory);
  const { bytes = 100 * ROOM, limits = {} } = options;
  const open = async (on: BlockDisk = disk): Promise<RangeCache> =>
    await RangeCache.open({ disk: on, bytes, clock, log, limits: { blockBytes: BLOCK, ...limits } });
  context.after(async () => await rm(directory, { recursive: true, force: true }));
  return { directory, store, clock, log, disk, open };
}

async function opened(cache: RangeCache, store: MemoryStore, key = KEY): Promise<ByteSource> {
  const object = await cache.openObject(store, key);
  assert.ok(object !== null);
  return object;
}

async function blockFiles(directory: string): Promise<string[]> {
  const names = await readdir(join(directory, "weir-blocks"), { recursive: true });
  return names.filter((name) => name.includes("/")).map((name) => join(directory, "weir-blocks", name));
}

const gets = (store: MemoryStore): number => store.keysOf("get").length;

test("an object that is not there is none", async (context) => {
  const { open, store } = await room(context);
  assert.equal(await (await open()).openObject(store, KEY), null);
});

test("every range of an object is what a file would give, from the store and from the disk", async (context) => {
  const { open, store } = await room(context);
  const bytes = media(3 * BLOCK + 100);
  store.objects.set(KEY, bytes);
  const edges = [
    0,
    1,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    3 * BLOCK - 1,
    3 * BLOCK,
    bytes.byteLength - 1,
    bytes.byteLength,
    99_999,
  ];
  for (const pass of ["store", "disk", "disk of an earlier process"]) {
    const cache = await open();
    const source = await opened(cache, store);
    assert.equal(source.sizeBytes, bytes.byteLength);
    for (const from of edges) {
      for (const to of edges.filter((edge) => edge >= from)) {
        const read = await source.read(from, to - from);
        assert.deepEqual(
          Buffer.from(read),
          Buffer.from(bytes.subarray(from, to)),
          `${pass}: ${from}-${to}`,
        );
        if (pass === "store") await cache.settled();
      }
    }
  }
  // Each block once, in the first pass.
  assert.equal(gets(store), 4);
});

test("targets of any sizes are filled one behind the other", async (context) => {
  const { open, store } = await room(context);
  const bytes = media(2 * BLOCK + 10);
  store.objects.set(KEY, bytes);
  const source = await opened(await open(), store);
  const sizes = [1, 0, BLOCK, 7, BLOCK - 20, 100];
  const targets = sizes.map((size) => new Uint8Array(size));
  const count = await source.readInto!(5, targets);
  assert.equal(count, bytes.byteLength - 5);
  const joined = Buffer.concat(targets);
  assert.deepEqual(joined.subarray(0, count), Buffer.from(bytes.subarray(5)));
  assert.ok(joined.subarray(count).every((byte) => byte === 0));
  assert.equal(await source.readInto!(bytes.byteLength, targets), 0);
  assert.equal(await source.readInto!(0, []), 0);
  source.release();
});

test("who asks for a block that is being read waits for that", async (context) => {
  const { open, store } = await room(context);
  store.objects.set(KEY, media(BLOCK));
  const cache = await open();
  const source = await opened(cache, store);
  const gate = Promise.withResolvers<void>();
  store.onCall = async () => await gate.promise;
  const reads = Array.from({ length: 50 }, async (_, i) => await source.read(i, 10));
  gate.resolve();
  const results = await Promise.all(reads);
  assert.deepEqual([...results[3]!], [...media(BLOCK).subarray(3, 13)]);
  assert.equal(gets(store), 1);
  // Not written yet, and still not asked for again.
  await source.read(0, BLOCK);
  assert.equal(gets(store), 1);
  await cache.settled();
});

test("the disk has no more than it may, and what was not used for the longest time goes first", async (context) => {
  const { open, store, directory } = await room(context, { bytes: 3 * ROOM });
  store.objects.set(KEY, media(6 * BLOCK));
  const cache = await open();
  const source = await opened(cache, store);
  const read = async (block: number): Promise<void> => {
    await source.read(block * BLOCK, 10);
    await cache.settled();
    assert.ok(cache.stats().bytes <= 3 * ROOM);
    const sizes = await Promise.all(
      (await blockFiles(directory)).map(async (path) => (await stat(path)).size),
    );
    assert.ok(sizes.reduce((sum, size) => sum + Math.ceil(size / 4096) * 4096, 0) <= 3 * ROOM);
  };
  for (const block of [0, 1, 2, 0, 3]) await read(block);
  assert.equal(gets(store), 4);
  await read(0); // used again, so block 1 went
  assert.equal(gets(store), 4);
  await read(1);
  assert.equal(gets(store), 5);
  assert.equal(cache.stats().blocks, 3);
});

test("many blocks at a time do not go beyond the bound either", async (context) => {
  const { open, store, directory } = await room(context, { bytes: 3 * ROOM });
  const bytes = media(40 * BLOCK);
  store.objects.set(KEY, bytes);
  const cache = await open();
  const source = await opened(cache, store);
  assert.deepEqual(Buffer.from(await source.read(0, bytes.byteLength)), Buffer.from(bytes));
  await cache.settled();
  assert.ok(cache.stats().bytes <= 3 * ROOM);
  assert.ok((await blockFiles(directory)).length <= 3);
});

test("the number of blocks is bounded", async (context) => {
  const { open, store } = await room(context, { limits: { blocks: 2 } });
  store.objects.set(KEY, media(6 * BLOCK));
  const cache = await open();
  const source = await opened(cache, store);
  await source.read(0, 6 * BLOCK);
  await cache.settled();
  assert.ok(cache.stats().blocks <= 2);
});

test("a bound that is smaller than a block keeps nothing", async (context) => {
  const { open, store, directory } = await room(context, { bytes: 100 });
  store.objects.set(KEY, media(BLOCK));
  const cache = await open();
  await (await opened(cache, store)).read(0, 10);
  await cache.settled();
  assert.deepEqual(await blockFiles(directory), []);
});

test("a bound that was made smaller is kept from the start", async (context) => {
  const { open, store, directory, disk, clock, log } = await room(context);
  store.objects.set(KEY, media(6 * BLOCK));
  const first = await open();
  await (await opened(first, store)).read(0, 6 * BLOCK);
  await first.settled();
  const next = await RangeCache.open({ disk, bytes: 2 * ROOM, clock, log, limits: { blockBytes: BLOCK } });
  assert.equal(next.stats().blocks, 2);
  assert.equal((await blockFiles(directory)).length, 2);
});

test("after a restart, the blocks that were written first go first", async (context) => {
  const { open, store, directory, disk, clock, log } = await room(context);
  store.objects.set(KEY, media(4 * BLOCK));
  const first = await open();
  const source = await opened(first, store);
  for (const block of [0, 1, 2, 3]) {
    const before = new Set(await blockFiles(directory));
    await source.read(block * BLOCK, 1);
    await first.settled();
    const made = (await blockFiles(directory)).find((path) => !before.has(path))!;
    // The last ones are the oldest by their times.
    await utimes(made, 1000 - block, 1000 - block);
  }
  const next = await RangeCache.open({ disk, bytes: 2 * ROOM, clock, log, limits: { blockBytes: BLOCK } });
  const again = await opened(next, store);
  await again.read(0, 2 * BLOCK);
  assert.equal(gets(store), 4);
});

test("a file that is torn or damaged is never given, and read anew", async (context) => {
  const { open, store, directory } = await room(context);
  const bytes = media(BLOCK - 3);
  store.objects.set(KEY, bytes);
  const first = await open();
  await (await opened(first, store)).read(0, 1);
  await first.settled();
  const [path] = await blockFiles(directory);
  const whole = await readFile(path!);
  assert.equal(whole.byteLength, bytes.byteLength + 12);
  const flipped = (at: number): Buffer => {
    const other = Buffer.from(whole);
    other[at] = other[at]! ^ 1;
    return other;
  };
  const cuts = [0, 1, 11, 12, 13, 2000, whole.byteLength - 1].map((to) => whole.subarray(0, to));
  const flips = [
    0,
    2000,
    bytes.byteLength - 1,
    ...Array.from({ length: 12 }, (_, i) => bytes.byteLength + i),
  ];
  const longer = Buffer.concat([whole, Buffer.alloc(1)]);
  const zeros = Buffer.alloc(whole.byteLength);
  for (const file of [...cuts, ...flips.map(flipped), longer, zeros, whole.subarray(1)]) {
    await writeFile(path!, file);
    const before = gets(store);
    const cache = await open();
    const source = await opened(cache, store);
    assert.deepEqual(Buffer.from(await source.read(0, 5000)), Buffer.from(bytes));
    assert.equal(gets(store), before + 1);
    assert.equal(cache.stats().damaged, 1);
    await cache.settled();
    assert.deepEqual(await readFile(path!), whole);
  }
});

test("a whole file of another block is not taken for this one", async (context) => {
  const { open, store, directory } = await room(context);
  const bytes = media(2 * BLOCK);
  store.objects.set(KEY, bytes);
  const first = await open();
  await (await opened(first, store)).read(0, 2 * BLOCK);
  await first.settled();
  const [one, other] = await blockFiles(directory);
  await writeFile(one!, await readFile(other!));
  const source = await opened(await open(), store);
  assert.deepEqual(Buffer.from(await source.read(0, 2 * BLOCK)), Buffer.from(bytes));
  assert.equal(gets(store), 3);
});

test("a file that is cut off or deleted while the cache is open is read anew", async (context) => {
  const { open, store, directory } = await room(context);
  const bytes = media(BLOCK);
  store.objects.set(KEY, bytes);
  const cache = await open();
  const source = await opened(cache, store);
  for (const harm of [
    async (path: string) => await truncate(path, 100),
    async (path: string) => await rm(path),
  ]) {
    await source.read(0, BLOCK);
    await cache.settled();
    const [path] = await blockFiles(directory);
    await harm(path!);
    const before = gets(store);
    assert.deepEqual(Buffer.from(await source.read(50, 100)), Buffer.from(bytes.subarray(50, 150)));
    assert.equal(gets(store), before + 1);
    await cache.settled();
  }
});

test("another version of an object, and another store's, have blocks of their own", async (context) => {
  const { open, store } = await room(context);
  const cache = await open();
  store.objects.set(KEY, media(BLOCK, 1));
  await (await opened(cache, store)).read(0, BLOCK);
  await cache.settled();
  store.objects.set(KEY, media(BLOCK, 2));
  assert.deepEqual([...(await (await opened(cache, store)).read(0, 10))], [...media(10, 2)]);
  const other = new MemoryStore("memory://other");
  other.objects.set(KEY, media(BLOCK, 1));
  await (await opened(cache, other)).read(0, 10);
  assert.equal(gets(other), 1);
});

test("what is no block is removed from our folder, and nothing outside of it", async (context) => {
  const { open, store, directory } = await room(context);
  const ours = join(directory, "weir-blocks");
  await mkdir(join(ours, "ab"), { recursive: true });
  await mkdir(join(ours, "a person's"), { recursive: true });
  const kept = [join(directory, "film.mp4"), join(ours, "a person's", "letter")];
  const strangers = [
    join(ours, "core"),
    join(ours, "ab", "note.txt"),
    join(ours, "ab", `${"ab".repeat(16)}-0.part`),
    join(ours, "ab", `${"cd".repeat(16)}-0`),
    join(ours, "ab", `${"AB".repeat(16)}-0`),
  ];
  for (const path of [...kept, ...strangers]) await writeFile(path, "x");
  await symlink(join(directory, "film.mp4"), join(ours, "ab", `${"ab".repeat(16)}-1`));
  await symlink(join(directory, "film.mp4"), join(ours, "link"));
  const cache = await open();
  for (const path of kept) assert.equal(await readFile(path, "utf8"), "x");
  for (const path of strangers) await assert.rejects(stat(path), /ENOENT/);
  store.objects.set(KEY, media(BLOCK));
  await (await opened(cache, store)).read(0, 1);
  await cache.settled();
  assert.equal(await readFile(kept[0]!, "utf8"), "x");
});

/** A disk of which single operations fail. */
function faulty(
  disk: BlockDisk,
  fails: Partial<Record<keyof BlockDisk, () => boolean>>,
  code = "ENOSPC",
): BlockDisk {
  const check = (operation: keyof BlockDisk): void => {
    if (fails[operation]?.() === true)
      throw Object.assign(new Error(`${code}: it failed`), { code, errno: -28 });
  };
  return {
    directory: disk.directory,
    open: async () => {
      check("open");
      return await disk.open();
    },
    read: async (name) => {
      check("read");
      return await disk.read(name);
    },
    readPart: async (name, offset, into) => {
      check("readPart");
      return await disk.readPart(name, offset, into);
    },
    write: async (name, parts) => {
      check("write");
      await disk.write(name, parts);
    },
    remove: async (name) => {
      check("remove");
      await disk.remove(name);
    },
  };
}

test("a full disk is done without, said once, and tried again a minute later", async (context) => {
  const { open, store, disk, clock, log } = await room(context);
  store.objects.set(KEY, media(8 * BLOCK));
  let isFull = true;
  let writes = 0;
  const write = (): boolean => {
    writes++;
    return isFull;
  };
  const cache = await open(faulty(disk, { write }));
  const source = await opened(cache, store);
  const read = async (block: number): Promise<void> => {
    const bytes = await source.read(block * BLOCK, 10);
    assert.deepEqual([...bytes], [...media(8 * BLOCK).subarray(block * BLOCK, block * BLOCK + 10)]);
    await cache.settled();
  };
  for (const block of [0, 1, 2, 0]) await read(block);
  assert.equal(gets(store), 4);
  assert.equal(writes, 1);
  assert.equal(cache.stats().isUsable, false);
  assert.equal(cache.stats().bytes, 0);
  assert.equal(log.lines.length, 1);
  assert.equal(log.lines[0]?.fields["code"], "OBJECT_CACHE_UNUSABLE");
  assert.match(log.lines[0]?.message ?? "", /the disk cache in .*weir-blocks is not used for now: ENOSPC/);
  isFull = false;
  clock.advance(60_000);
  await read(3);
  await read(3);
  assert.equal(gets(store), 5);
  assert.equal(cache.stats().isUsable, true);
  assert.equal(cache.stats().hits, 1);
});

test("a disk that cannot be opened is tried again, and what lies there is found then", async (context) => {
  const { open, store, disk, clock } = await room(context);
  store.objects.set(KEY, media(2 * BLOCK));
  const first = await open();
  await (await opened(first, store)).read(0, BLOCK);
  await first.settled();
  let isAway = true;
  const cache = await open(faulty(disk, { open: () => isAway }, "EACCES"));
  const source = await opened(cache, store);
  await source.read(0, BLOCK);
  await cache.settled();
  assert.equal(gets(store), 2);
  isAway = false;
  clock.advance(60_000);
  await source.read(BLOCK, BLOCK);
  await cache.settled();
  assert.equal(cache.stats().blocks, 2);
  await source.read(0, BLOCK);
  assert.equal(gets(store), 3);
});

test("a disk that cannot be read is done without", async (context) => {
  const { open, store, disk, log } = await room(context);
  const bytes = media(BLOCK);
  store.objects.set(KEY, bytes);
  const cache = await open(faulty(disk, { readPart: () => true }, "EIO"));
  const source = await opened(cache, store);
  await source.read(0, 1);
  await cache.settled();
  assert.deepEqual(Buffer.from(await source.read(0, BLOCK)), Buffer.from(bytes));
  assert.equal(gets(store), 2);
  assert.equal(log.lines.length, 1);
});

test("files that cannot be removed stay counted", async (context) => {
  const { open, store, disk } = await room(context, { bytes: 2 * ROOM });
  store.objects.set(KEY, media(5 * BLOCK));
  const cache = await open(faulty(disk, { remove: () => true }, "EROFS"));
  const source = await opened(cache, store);
  for (const block of [0, 1, 2, 3]) {
    await source.read(block * BLOCK, 1);
    await cache.settled();
  }
  assert.deepEqual([cache.stats().blocks, cache.stats().bytes], [2, 2 * ROOM]);
});

test("a read that fails fails for who waits for it, writes nothing behind that, and is tried anew by the next", async (context) => {
  const { open, store } = await room(context);
  const bytes = media(2 * BLOCK);
  store.objects.set(KEY, bytes);
  const cache = await open();
  const source = await opened(cache, store);
  const gate = Promise.withResolvers<void>();
  let calls = 0;
  store.onCall = async () => {
    if (++calls === 1) throw objectErrors.error("OBJECT_CHANGED", { key: KEY, location: store.location });
    await gate.promise;
  };
  const target = new Uint8Array(2 * BLOCK);
  let isOver = false;
  const reading = source.readInto!(0, [target]).finally(() => {
    isOver = true;
  });
  reading.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isOver, false); // the other block is still under way
  gate.resolve();
  await assert.rejects(reading, (caught) => asMediaError(caught)?.code === "OBJECT_CHANGED");
  const after = Buffer.from(target);
  await cache.settled();
  assert.deepEqual(Buffer.from(target), after);
  assert.deepEqual(Buffer.from(await source.read(0, 2 * BLOCK)), Buffer.from(bytes));
});

test("reads from the store are bounded in number, and so are those that wait", async (context) => {
  const { open, store } = await room(context, { limits: { reads: { running: 2, waiting: 3 } } });
  store.objects.set(KEY, media(10 * BLOCK));
  const source = await opened(await open(), store);
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  store.onCall = async () => {
    most = Math.max(most, ++running);
    await gate.promise;
    running--;
  };
  const reads = Array.from({ length: 10 }, async (_, block) => await source.read(block * BLOCK, 1));
  const settled = Promise.allSettled(reads);
  await new Promise((resolve) => setImmediate(resolve));
  gate.resolve();
  const results = await settled;
  const refused = results.filter((result) => result.status === "rejected");
  assert.equal(refused.length, 5);
  for (const { reason } of refused) assert.equal(asMediaError(reason)?.code, "OBJECT_READS_BUSY");
  assert.equal(most, 2);
});

test("memory of blocks that wait to be written is bounded: what is beyond is given and not kept", async (context) => {
  const { open, store, disk } = await room(context, { limits: { unwrittenBytes: 2 * BLOCK } });
  const bytes = media(6 * BLOCK);
  store.objects.set(KEY, bytes);
  const gate = Promise.withResolvers<void>();
  const slow: BlockDisk = {
    directory: disk.directory,
    open: async () => await disk.open(),
    read: async (name) => await disk.read(name),
    readPart: async (name, offset, into) => await disk.readPart(name, offset, into),
    remove: async (name) => await disk.remove(name),
    write: async (name, parts) => {
      await gate.promise;
      await disk.write(name, parts);
    },
  };
  const cache = await open(slow);
  const source = await opened(cache, store);
  assert.deepEqual(Buffer.from(await source.read(0, bytes.byteLength)), Buffer.from(bytes));
  gate.resolve();
  await cache.settled();
  assert.equal(cache.stats().blocks, 2);
});
