/** What was recorded, copied from a peer and deleted by hand, on a disk and in a bucket: both show the same. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../test/support/archive-hour.ts";
import { MemoryFiles } from "../../test/support/archive-files.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryStore } from "../../test/support/memory-store.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { concatBytes } from "../base/bytes.ts";
import type { TrackId } from "../media/ids.ts";
import { BlockPool } from "../vod/block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "../vod/busy.ts";
import { ArchiveChanges } from "./archive-changes.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { storedFills } from "./format/fill.ts";
import { HOUR_US, hourPath } from "./format/hour.ts";
import { HourIndex } from "./format/hour-index.ts";
import { Protections } from "./keep/protections.ts";
import type { RetentionRules } from "./keep/retention.ts";
import { diskKeepFiles } from "./keep/storages/disk-keep-files.ts";
import { Keepers } from "./keepers.ts";
import { CopiedFiles } from "./objects/copied-files.ts";
import { CopyCaches } from "./objects/copy-caches.ts";
import type { CopyRules } from "./objects/copy-rules.ts";
import { CopyStores } from "./objects/copy-stores.ts";
import { objectErrors } from "./objects/errors.ts";
import { locationOf } from "./objects/object-store.ts";
import { RootCopies } from "./objects/root-copies.ts";
import { HourCache } from "./reader/hour-cache.ts";
import { StreamArchive } from "./reader/stream-archive.ts";
import { countFills } from "./replicate/fill-numbering.ts";
import { FillHour } from "./replicate/fill-hour.ts";
import { diskFiles } from "./storages/disk-files.ts";

const HOUR = 496_640;
const START_US = HOUR * HOUR_US;
const BOTH = ["v1", "a1"] as TrackId[];

let rooms = 0;

/** A server with a volume and a bucket, and one that has the bucket alone. */
class Room {
  readonly root: string;
  readonly clock = new FakeClock(START_US + 10 * HOUR_US);
  readonly log = new RecordingLog();
  /** What one test has read is not what another one reads. */
  readonly #place = { endpoint: "https://host", bucket: `b${++rooms}`, prefix: "" };
  readonly store = new MemoryStore(locationOf(this.#place));
  readonly copies: RootCopies;
  readonly changes: ArchiveChanges;
  readonly near: StreamArchive;
  readonly far: StreamArchive;
  readonly #rules: CopyRules;
  readonly #stores: CopyStores;

  constructor(root: string) {
    this.root = root;
    const { clock, log, store } = this;
    const rules: CopyRules = {
      roots: () => new Set([root]),
      of: () => ({ place: this.#place, cache: null }),
    };
    const stores = new CopyStores({ clock, open: () => Promise.resolve(store) });
    [this.#rules, this.#stores] = [rules, stores];
    this.copies = new RootCopies({
      ...{ root, files: diskKeepFiles, clock, log, rules, stores, isOurs: () => true },
    });
    const near = this.#hours(diskFiles);
    this.near = this.#archive(diskFiles, near);
    const none = new MemoryFiles();
    this.far = this.#archive(none, this.#hours(none));
    const protections = new Protections({ root, files: diskKeepFiles, clock });
    this.changes = new ArchiveChanges({
      ...{ files: diskFiles, keepFiles: diskKeepFiles, hours: near.cache, clock, log },
      keepers: () => ({ protectionsOf: (_, stream) => protections.of(stream) }),
      forget: (folder) => {
        near.cache.forget(folder);
        this.near.forget();
      },
      onDeleted: ({ stream }) => this.copies.changed(stream),
    });
  }

  static async make(t: TestContext): Promise<Room> {
    const room = new Room(await mkdtemp(join(tmpdir(), "weir-interplay-")));
    t.after(async () => {
      await room.copies.stop();
      await rm(room.root, { recursive: true, force: true });
    });
    return room;
  }

  #hours(disk: ArchiveFiles): { readonly files: CopiedFiles; readonly cache: HourCache } {
    const { clock, log } = this;
    const caches = new CopyCaches({ clock, log, owner: { index: 0, count: 1 }, temporary: this.root });
    const files = new CopiedFiles({
      ...{ disk, rules: this.#rules, stores: this.#stores, caches, clock, log },
    });
    return { files, cache: new HourCache(files, clock, disk) };
  }

  #archive(
    disk: ArchiveFiles,
    { files, cache: hours }: { readonly files: CopiedFiles; readonly cache: HourCache },
  ): StreamArchive {
    const work = new BoundedWork({ running: 4, waiting: 10 }, vodBusy);
    return new StreamArchive(this.folder, {
      ...{ files, disk, hours, clock: this.clock, work, farWork: work },
      ...{ pool: new BlockPool(0), maxSegments: 100_000 },
    });
  }

  get folder(): string {
    return `${this.root}/cam`;
  }

  /** Segments of two seconds. Units: seconds of the hour. */
  async record(number: number, seconds: readonly number[], firstOrdinal: number): Promise<void> {
    for (const [path, bytes] of Object.entries(hourOf(number, seconds, firstOrdinal).files(this.folder))) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  }

  /** As who copies from a peer does. */
  async fill(number: number, seconds: readonly number[]): Promise<void> {
    const made = hourOf(number, seconds, 1);
    const [media] = made.media;
    const segments = storedFills(HourIndex.parse(made.index));
    const init = media!.subarray(0, segments[0]!.chunks[0]!.offset);
    const place = { files: diskFiles, keepFiles: diskKeepFiles, folder: this.folder, hour: HOUR + number };
    await mkdir(dirname(`${this.folder}/${hourPath(HOUR + number)}`), { recursive: true });
    const fill = await FillHour.open(place);
    const file = await fill.fileFor(init);
    const at = await fill.append(file, media!.subarray(init.byteLength));
    const moved = segments.map((segment) => ({
      ...segment,
      file,
      chunks: segment.chunks.map((chunk) => ({ ...chunk, offset: chunk.offset - init.byteLength + at })),
    }));
    await fill.commit(moved, (index) => countFills(place, index));
    await fill.close();
    this.copies.changed("cam");
  }

  async remove(fromS: number, toS: number): Promise<void> {
    const span = { fromUs: START_US + fromS * 1e6, toUs: START_US + toS * 1e6 };
    const deleted = await this.changes.deleteRange({ root: this.root, stream: "cam" }, span);
    assert.equal(deleted.kind, "deleted");
  }

  /** What leaves the disk, by these rules. */
  async keep(rules: RetentionRules): Promise<{ stop(): Promise<void> }> {
    const { clock, log } = this;
    const keepers = new Keepers({
      ...{ files: diskKeepFiles, clock, log, rulesOf: () => rules, copies: this.#rules },
      onDropped: (_, stream) => this.copies.changed(stream),
    });
    keepers.setRoots(new Set([this.root]));
    return await Promise.resolve(keepers);
  }

  async names(): Promise<string[]> {
    return (await readdir(join(this.folder, "2026/08/28"))).toSorted();
  }

  get keys(): string[] {
    return [...this.store.objects.keys()].map((key) => key.slice(key.lastIndexOf("/") + 1)).toSorted();
  }

  /** Moves the clock on, looking at the disk each minute, until something holds. */
  async inTime(holds: () => void | Promise<void>): Promise<void> {
    const look = async (): Promise<void> => {
      try {
        await holds();
      } catch (caught) {
        this.clock.advance(10_000);
        throw caught;
      }
    };
    await eventually(look, { timeoutMs: 60_000, intervalMs: 5 });
  }
}

function hourOf(number: number, seconds: readonly number[], firstOrdinal: number): ArchiveHour {
  const made = new ArchiveHour(HOUR + number, { firstOrdinal });
  let endS = -1;
  for (const second of seconds) {
    made.segment({ atUs: second * 1e6, discontinuity: second !== endS, sampleBytes: 100 + second });
    endS = second + 2;
  }
  return made;
}

/** All that an archive shows: `START:NUMBER`, with `*` for a break and the bytes of the media. Numbers follow by one. */
async function shown(archive: StreamArchive): Promise<string> {
  const segments = await archive.segments(START_US, START_US + 9 * HOUR_US);
  const rows: string[] = [];
  for (const { name, startUs, sequence, discontinuity } of segments) {
    const lent = await archive.lendSegment(name, BOTH);
    assert.ok(lent !== null, name);
    const bytes = concatBytes(lent.body).byteLength;
    lent.release();
    rows.push(`${(startUs - START_US) / 1e6}:${sequence}${discontinuity ? "*" : ""}/${bytes}`);
  }
  const numbers = archive.numbered(segments).map(({ sequence }) => sequence);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => numbers[0]! + i),
  );
  return rows.join(" ");
}

function secondsOf(text: string): number[] {
  return text === "" ? [] : text.split(" ").map((row) => Number(row.split(":")[0]));
}

test("an hour with fills, and one of fills alone, are in the bucket as on the disk, numbers and all", async (t) => {
  const room = await Room.make(t);
  await room.record(0, [0, 2, 10], 100);
  await room.fill(0, [4, 6]);
  await room.fill(1, [8, 10, 20]);
  await room.record(2, [0, 2], 103);
  const expected = await shown(room.near);
  assert.deepEqual(secondsOf(expected), [0, 2, 4, 6, 10, 3608, 3610, 3620, 7200, 7202]);
  room.copies.start();
  await room.inTime(async () => assert.equal(await shown(room.far), expected));
  assert.deepEqual(room.keys, [
    ...[".fills", "08.fill", "08.fill.mp4", "08.idx", "08.mp4"],
    ...["09.fill", "09.fill.mp4", "10.idx", "10.mp4"],
  ]);
  const span = [START_US + HOUR_US, START_US + 2 * HOUR_US] as const;
  const ranges = [
    { fromUs: span[0] + 8e6, toUs: span[0] + 12e6 },
    { fromUs: span[0] + 20e6, toUs: span[0] + 22e6 },
  ];
  for (const archive of [room.near, room.far])
    assert.deepEqual((await archive.ranges(...span)).ranges, ranges, "the hour of fills alone");
  const sent = room.store.keysOf("put").map((key) => key.slice(key.lastIndexOf("/") + 1));
  assert.deepEqual(sent.slice(0, 5), ["08.mp4", "08.idx", "08.fill.mp4", ".fills", "08.fill"]);
});

test("what comes to an hour that was copied, and has left the disk, comes to the bucket too", async (t) => {
  const room = await Room.make(t);
  await room.record(0, [0, 2, 10], 100);
  await room.fill(0, [4]);
  room.copies.start();
  await room.inTime(async () => assert.ok((await room.names()).includes("08.copied")));
  const keepers = await room.keep({ localMs: 0 });
  t.after(() => keepers.stop());
  const index = ["08.copied", "08.fill", "08.idx"];
  await room.inTime(async () => assert.deepEqual(await room.names(), index));
  await keepers.stop();
  assert.deepEqual(secondsOf(await shown(room.near)), [0, 2, 4, 10]);
  await room.fill(0, [6, 20]);
  assert.deepEqual(await room.names(), [...index, "08.fill.1.mp4"].toSorted());
  room.clock.advance(60_000);
  const expected = await shown(room.near);
  assert.deepEqual(secondsOf(expected), [0, 2, 4, 6, 10, 20]);
  await room.inTime(async () => assert.equal(await shown(room.far), expected));
  // It leaves the disk when the note proves that it is in the bucket, too.
  const again = await room.keep({ localMs: 0 });
  t.after(() => again.stop());
  await room.inTime(async () => assert.deepEqual(await room.names(), index));
  assert.equal(await shown(room.near), expected);
});

test("media of fills that is not copied stays on the disk", async (t) => {
  const room = await Room.make(t);
  await room.record(0, [0, 2, 10], 100);
  room.copies.start();
  await room.inTime(async () => assert.ok((await room.names()).includes("08.copied")));
  await room.copies.stop();
  await room.fill(0, [4]);
  const keepers = await room.keep({ localMs: 0 });
  t.after(() => keepers.stop());
  await room.inTime(() => assert.ok(room.log.text.includes("DVR_COPY_NOT_PROVEN")));
  assert.deepEqual(await room.names(), ["08.copied", "08.fill", "08.fill.mp4", "08.idx", "08.mp4"]);
});

test("what is deleted of an hour is not played from the bucket, whenever it was deleted", async (t) => {
  const room = await Room.make(t);
  await room.record(0, [0, 2, 4, 10], 100);
  await room.fill(0, [6, 8]);
  await room.record(1, [0, 2, 4], 104);
  await room.remove(2, 4);
  room.copies.start();
  const before = await shown(room.near);
  assert.deepEqual(secondsOf(before), [0, 4, 6, 8, 10, 3600, 3602, 3604]);
  await room.inTime(async () => assert.equal(await shown(room.far), before));
  assert.equal(room.store.keysOf("put")[0], "cam/2026/08/28/08.del", "what is deleted is copied first");
  await room.inTime(async () => assert.ok((await room.names()).includes("09.copied")));
  const keepers = await room.keep({ localMs: 0 });
  await room.inTime(async () => assert.ok(!(await room.names()).some((name) => name.endsWith(".mp4"))));
  await keepers.stop();
  // The one of them was copied with something deleted, the other one without.
  await room.remove(7, 9);
  await room.remove(3602, 3603);
  const expected = await shown(room.near);
  assert.deepEqual(secondsOf(expected), [0, 4, 10, 3600, 3604]);
  await room.inTime(async () => assert.equal(await shown(room.far), expected));
});

test("a whole hour that is deleted leaves the bucket, fills and all, and only the note of it stays", async (t) => {
  const room = await Room.make(t);
  await room.record(0, [0, 2, 4, 10], 100);
  await room.fill(0, [6, 8]);
  await room.fill(1, [0, 2]);
  await room.record(2, [0, 2], 104);
  room.copies.start();
  await room.inTime(async () => assert.ok((await room.names()).includes("10.copied")));
  // It begins behind a break, since what was in front of it is deleted.
  const stays = ["10.del", "10.idx", "10.mp4"];
  await room.remove(4, 5);
  await room.remove(0, 2 * 3600);
  assert.deepEqual(secondsOf(await shown(room.near)), [7200, 7202]);
  await room.inTime(() => assert.deepEqual(room.keys, [".fills", ...stays]));
  await room.inTime(async () => assert.deepEqual(secondsOf(await shown(room.far)), [7200, 7202]));
  await room.inTime(async () =>
    assert.deepEqual(await room.names(), ["08.del", "09.del", "10.copied", ...stays].toSorted()),
  );
  assert.equal(await shown(room.far), await shown(room.near));
});

test("files that are replaced in the bucket while they are read are read anew", async (t) => {
  const room = await Room.make(t);
  await room.record(0, [0, 2, 10], 100);
  await room.fill(0, [4]);
  room.copies.start();
  const expected = await shown(room.near);
  await room.inTime(() => assert.ok(room.keys.includes("08.fill")));
  let isReplaced = false;
  room.store.onCall = ({ method, key }) => {
    if (isReplaced || method !== "get" || !key.endsWith(".fill")) return;
    isReplaced = true;
    throw objectErrors.error("OBJECT_CHANGED", { location: "b", key });
  };
  await room.inTime(async () => assert.equal(await shown(room.far), expected));
  assert.ok(isReplaced);
});
