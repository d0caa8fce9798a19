import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import { smallMovie } from "../../test/support/mp4-boxes.ts";
import { BlockPool } from "./block-pool.ts";
import type { Storage } from "./byte-source.ts";
import { vodErrors } from "./errors.ts";
import { FileCache } from "./file-cache.ts";
import { BlockCache } from "./segment-reading.ts";

/** A storage with one file, or with none, or that fails; it counts what it is asked. */
class OneFileStorage implements Storage {
  readonly location: string;
  readonly opened: MemorySource[] = [];
  version: string | null;
  failure: Error | null = null;
  /** Resolves before anything is opened. */
  gate: Promise<void> = Promise.resolve();

  constructor(location: string, version: string | null) {
    this.location = location;
    this.version = version;
  }

  async open(path: string): Promise<MemorySource | null> {
    await this.gate;
    if (this.failure !== null) throw this.failure;
    if (this.version === null) return null;
    const source = new MemorySource(smallMovie(), { path, version: this.version });
    this.opened.push(source);
    return source;
  }

  async versionOf(): Promise<string | null> {
    await this.gate;
    if (this.failure !== null) throw this.failure;
    return this.version;
  }

  problem(): Promise<string | null> {
    return Promise.resolve(null);
  }

  list(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}

const DISK_FAILED = vodErrors.error("VOD_READ_FAILED", { path: "one.mp4", reason: "EIO" });

function cacheOf(limits = { bytes: 2 ** 20, items: 10 }) {
  const clock = new FakeClock();
  const blocks = new BlockCache({ bytes: 2 ** 20, items: 100 });
  const work = { running: 1, waiting: 1 };
  const pool = new BlockPool(0);
  const cache = new FileCache({
    limits,
    blocks,
    pool,
    reads: work,
    openings: work,
    clock,
    log: silentLogger,
  });
  const open = (storages: readonly Storage[], key = "one") =>
    cache.open({ key, name: `vod/${key}.mp4`, storages, path: `${key}.mp4`, segmentDurationMs: 4000 });
  return { cache, clock, open };
}

describe("FileCache", () => {
  test("passes over a storage that fails when another one has the file", async () => {
    const [broken, good] = [new OneFileStorage("a", "1"), new OneFileStorage("b", "1")];
    broken.failure = DISK_FAILED;
    const { open } = cacheOf();
    assert.equal((await open([broken, good])).version, "1");
  });

  test("says that a storage failed when no other one has the file", async () => {
    const [broken, empty] = [new OneFileStorage("a", "1"), new OneFileStorage("b", null)];
    broken.failure = DISK_FAILED;
    const { open } = cacheOf();
    await assert.rejects(open([broken, empty]), { code: "VOD_READ_FAILED", httpStatus: 503 });
    await assert.rejects(open([empty]), { code: "VOD_NOT_FOUND", httpStatus: 404 });
    broken.failure = null;
    assert.equal((await open([broken, empty])).version, "1", "a failing disk is asked again");
  });

  test("opens the new version of a file and gives the old one back", async () => {
    const storage = new OneFileStorage("a", "1");
    const { open, clock } = cacheOf();
    await open([storage]);
    storage.version = "2";
    clock.advance(1001);
    assert.equal((await open([storage])).version, "2");
    assert.deepEqual(
      storage.opened.map(({ released }) => released),
      [1, 0],
    );
  });

  test("is bounded in number, and gives back what was used least lately", async () => {
    const storage = new OneFileStorage("a", "1");
    const { open, cache } = cacheOf({ bytes: 2 ** 20, items: 2 });
    for (const key of ["one", "two", "one", "three"]) await open([storage], key);
    assert.equal(cache.size, 2);
    assert.deepEqual(
      storage.opened.map(({ path, released }) => `${path} ${released}`),
      ["one.mp4 0", "two.mp4 1", "three.mp4 0"],
    );
  });

  test("is bounded in bytes", async () => {
    const storage = new OneFileStorage("a", "1");
    const { open, cache } = cacheOf({ bytes: 10_000, items: 100 });
    for (const key of ["one", "two", "three"]) await open([storage], key);
    assert.equal(cache.size, 1);
  });

  test("lets a storage that hangs hold up nobody but those who ask it", async () => {
    const [hanging, good] = [new OneFileStorage("a", "1"), new OneFileStorage("b", "1")];
    const { promise, resolve } = Promise.withResolvers<void>();
    hanging.gate = promise;
    const { open } = cacheOf();
    const waiting = [open([hanging], "one"), open([hanging], "two")];
    await assert.rejects(open([hanging], "three"), { code: "VOD_BUSY" });
    assert.equal((await open([good], "four")).version, "1");
    resolve();
    assert.equal((await Promise.all(waiting)).length, 2);
  });

  test("waits at its end for what is being opened, and keeps nothing", async () => {
    const storage = new OneFileStorage("a", "1");
    const { open, cache } = cacheOf();
    const opening = open([storage]);
    await cache.close();
    await opening;
    assert.equal(cache.size, 0);
    assert.equal(storage.opened[0]!.released, 1);
    await assert.rejects(open([storage]), { code: "VOD_CLOSED" });
  });
});
