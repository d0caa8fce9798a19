import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { HttpFile } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { dvrErrors } from "../errors.ts";
import { ExportJobs } from "./export-jobs.ts";
import type { ExportJob, ExportLimits, ExportOrder } from "./export-jobs.ts";
import type { ExportFiles } from "./export-files.ts";
import { exportJobErrors } from "./errors.ts";

const MIB = 2 ** 20;

/** Exports into memory. */
class Bench implements ExportFiles {
  readonly clock = new FakeClock();
  readonly published = new Map<string, Uint8Array>();
  readonly parts = new Set<string>();
  readonly store = new MemoryStore();
  /** Reads wait for this. */
  gate: Promise<void> = Promise.resolve();
  reads = 0;
  readonly jobs: ExportJobs<HttpFile | Error>;

  constructor(limits: Partial<ExportLimits> = {}) {
    this.jobs = new ExportJobs<HttpFile | Error>({
      ...{ clock: this.clock, log: silentLogger, files: this, limits },
      open: (source) => (source instanceof Error ? Promise.reject(source) : Promise.resolve(source)),
      store: () => Promise.resolve(this.store),
    });
  }

  source(bytes: number): HttpFile {
    const read = async (offset: number, maxBytes: number): Promise<Uint8Array> => {
      await this.gate;
      this.reads++;
      return new Uint8Array(Math.min(maxBytes, bytes - offset)).fill(offset / maxBytes);
    };
    return { sizeBytes: bytes, read };
  }

  async begin(folder: string, id: string) {
    const pieces: Uint8Array[] = [];
    const path = `${folder}/.part/${id}`;
    this.parts.add(path);
    return {
      path,
      write: async (bytes: Uint8Array) => void pieces.push(bytes),
      finish: async () => {},
      publish: async (to: string, overwrites: boolean) => {
        if (this.published.has(to) && !overwrites)
          throw exportJobErrors.error("DVR_EXPORT_EXISTS", { path: to });
        this.published.set(to, concatBytes(pieces));
      },
      discard: async () => void this.parts.delete(path),
    };
  }

  async exists(_: string, path: string): Promise<boolean> {
    return this.published.has(path);
  }

  async sweep(): Promise<void> {}

  async add(
    path: string,
    bytes: number | Error,
    more: Partial<ExportOrder<HttpFile>> = {},
  ): Promise<string> {
    const source = bytes instanceof Error ? bytes : this.source(bytes);
    const place = { folder: "/dvr/.exports", path };
    const order = { stream: "cam", fromS: 5, durationS: 6, place, meta: null, overwrites: false };
    return (await this.jobs.add({ ...order, ...more, source })).id;
  }

  /** Lets time pass until a job is over. */
  async over(id: string): Promise<ExportJob> {
    for (let i = 0; i < 1000 && this.jobs.find(id).finishedAtMs === null; i++)
      await this.clock.advanceSettling(100);
    return this.jobs.find(id);
  }
}

/** Something that a test opens. */
function gated(t: TestContext, bench: Bench): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.gate = promise;
  t.after(() => resolve());
  return resolve;
}

test("an export is written piece by piece, and has its name when it is whole", async () => {
  const bench = new Bench();
  const id = await bench.add("a.mp4", 3 * MIB + 5);
  assert.deepEqual([bench.jobs.find(id).status, bench.published.size], ["running", 0]);
  const job = await bench.over(id);
  assert.deepEqual(
    [job.status, job.percent, job.bytes, job.totalBytes, job.error],
    ["done", 100, 3 * MIB + 5, 3 * MIB + 5, null],
  );
  assert.equal(bench.published.get("a.mp4")!.byteLength, 3 * MIB + 5);
  assert.equal(bench.parts.size, 0);
  assert.equal(bench.clock.pendingTimers, 0);
});

test("exports take their turns, and are no faster than they may be", async () => {
  const bench = new Bench({ bytesPerSecond: MIB });
  const first = await bench.add("a.mp4", 4 * MIB);
  const second = await bench.add("b.mp4", MIB);
  await bench.clock.advanceSettling(2000);
  const { percent, bytes } = bench.jobs.find(first);
  assert.ok(bytes >= 1.5 * MIB && bytes <= 3 * MIB, `${bytes} bytes after 2 s`);
  assert.ok(percent > 30 && percent < 80, `${percent} percent`);
  assert.equal(bench.jobs.find(second).status, "waiting");
  await bench.over(second);
  assert.deepEqual(
    bench.jobs.list().map(({ id, status }) => [id, status]),
    [
      [first, "done"],
      [second, "done"],
    ],
  );
  const [done, then] = bench.jobs.list();
  assert.ok(then!.startedAtMs! >= done!.finishedAtMs!);
});

test("so many wait and no more", async (t) => {
  const bench = new Bench({ waiting: 2 });
  const open = gated(t, bench);
  const ids = [await bench.add("1.mp4", 5), await bench.add("2.mp4", 5), await bench.add("3.mp4", 5)];
  await assert.rejects(bench.add("4.mp4", 5), { code: "DVR_EXPORTS_FULL", httpStatus: 429 });
  await bench.jobs.remove(ids[2]!);
  const fourth = await bench.add("4.mp4", 5);
  open();
  assert.equal((await bench.over(fourth)).status, "done");
  assert.deepEqual([...bench.published.keys()], ["1.mp4", "2.mp4", "4.mp4"]);
});

test("of those that are over so many are known and no more", async () => {
  const bench = new Bench({ kept: 3 });
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    ids.push(await bench.add(`${i}.mp4`, 5));
    await bench.over(ids.at(-1)!);
  }
  assert.equal(bench.jobs.list().length, 4);
  assert.throws(() => bench.jobs.find(ids[0]!), { code: "DVR_EXPORT_UNKNOWN" });
  await assert.rejects(bench.jobs.remove(ids[0]!), { code: "DVR_EXPORT_UNKNOWN" });
});

test("one that is cancelled ends with its next piece and leaves nothing", async (t) => {
  const bench = new Bench();
  const open = gated(t, bench);
  const id = await bench.add("a.mp4", 100 * MIB);
  const next = await bench.add("b.mp4", 5);
  const removed = bench.jobs.remove(id);
  assert.equal(bench.parts.size, 1);
  open();
  await bench.clock.advanceSettling(1000);
  await removed;
  assert.equal(bench.reads, 2);
  assert.equal((await bench.over(next)).status, "done");
  assert.deepEqual([[...bench.published.keys()], bench.parts.size], [["b.mp4"], 0]);
});

test("one that fails says why, and the next one begins", async () => {
  const bench = new Bench();
  const failure = dvrErrors.error("DVR_BAD_MEDIA", { path: "/dvr/cam/08.mp4", reason: "it is not there" });
  const failed = await bench.over(await bench.add("a.mp4", failure));
  assert.deepEqual([failed.status, failed.error?.code], ["failed", "DVR_BAD_MEDIA"]);
  assert.match(failed.error!.message, /it is not there/);
  assert.equal((await bench.over(await bench.add("a.mp4", 5))).status, "done");
});

test("no file's place is taken unless that is asked for, also when two want the same", async () => {
  const bench = new Bench();
  const [first, second] = [await bench.add("a.mp4", 5), await bench.add("a.mp4", 6)];
  await bench.over(first);
  const job = await bench.over(second);
  assert.deepEqual([job.status, job.error?.code], ["failed", "DVR_EXPORT_EXISTS"]);
  await assert.rejects(bench.add("a.mp4", 7), { code: "DVR_EXPORT_EXISTS" });
  await bench.over(await bench.add("a.mp4", 8, { overwrites: true }));
  assert.equal(bench.published.get("a.mp4")!.byteLength, 8);
});

test("a stop cancels all, and nothing is taken any more", async (t) => {
  const bench = new Bench();
  const open = gated(t, bench);
  await bench.add("a.mp4", 5 * MIB);
  await bench.add("b.mp4", 5);
  const stopped = bench.jobs.stop();
  open();
  await bench.clock.advanceSettling(1000);
  await stopped;
  assert.deepEqual([bench.jobs.list(), bench.parts.size, bench.published.size], [[], 0, 0]);
  await assert.rejects(bench.add("c.mp4", 5), { code: "DVR_EXPORTS_FULL" });
});

test("an object that is there stays, and the store is closed", async () => {
  const bench = new Bench();
  bench.store.objects.set("clips/a.mp4", Uint8Array.of(1));
  const s3 = { endpoint: "http://127.0.0.1:1", bucket: "bucket", prefix: "" };
  const place = {
    folder: "/dvr/.exports",
    path: "s3://bucket/clips/a.mp4",
    bucket: { place: s3, key: "clips/a.mp4" },
  };
  const job = await bench.over(await bench.add("", 5, { place }));
  assert.deepEqual([job.status, job.error?.code], ["failed", "DVR_EXPORT_EXISTS"]);
  assert.deepEqual([...bench.store.objects.get("clips/a.mp4")!], [1]);
  assert.equal(bench.parts.size, 0);
});
