import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../test/support/archive-hour.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { systemError } from "../../test/support/memory-volume.ts";
import { silentLogger } from "../base/log.ts";
import { ArchiveChanges } from "./archive-changes.ts";
import type { DeletedRange } from "./archive-changes.ts";
import { DELETED_SPAN_BYTES, MAX_DELETED_BYTES, buildDeletedSpan } from "./format/deleted-spans.ts";
import { buildFillIndex, storedFills } from "./format/fill.ts";
import { HOUR_US, hourPath } from "./format/hour.ts";
import { HourIndex } from "./format/hour-index.ts";
import { writeLog } from "./keep/episode-log.ts";
import type { KeepFiles } from "./keep/keep-files.ts";
import { Protections } from "./keep/protections.ts";
import type { RetentionRules } from "./keep/retention.ts";
import { diskKeepFiles } from "./keep/storages/disk-keep-files.ts";
import { Keepers } from "./keepers.ts";
import { NO_COPIES } from "./objects/copy-rules.ts";
import { HourCache } from "./reader/hour-cache.ts";
import { diskFiles } from "./storages/disk-files.ts";

const HOUR = 496_640;
const START_US = HOUR * HOUR_US;
const DAY = "2026/08/28";
/** Of those who keep roots of which nothing is copied. */
const keeping = { files: diskKeepFiles, log: silentLogger, copies: NO_COPIES };

type Room = {
  readonly root: string;
  readonly clock: FakeClock;
  readonly changes: ArchiveChanges;
  readonly protections: Protections;
  readonly forgotten: string[];
  readonly place: { readonly root: string; readonly stream: string };
  /** The stream's files of the day, without their folder. */
  readonly files: () => Promise<string[]>;
  /** Seconds since the first hour's beginning at which segments start. */
  readonly starts: () => Promise<number[]>;
  readonly remove: (fromS: number, toS: number) => Promise<DeletedRange>;
};

/** Hours of so many segments of 2 s each, the first one at 08:00; `nowS`: since then. */
async function room(
  t: TestContext,
  hours: readonly number[],
  { nowS = 10 * 3600, faults = {} }: { nowS?: number; faults?: Partial<KeepFiles> } = {},
): Promise<Room> {
  const root = await mkdtemp(join(tmpdir(), "weir-changes-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const [number, segments] of hours.entries()) {
    const hour = new ArchiveHour(HOUR + number, { firstOrdinal: 7000 + number * 2000 });
    for (let i = 0; i < segments; i++) hour.segment();
    for (const [path, bytes] of Object.entries(hour.files(join(root, "cam")))) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  }
  const clock = new FakeClock(START_US + nowS * 1e6);
  const files: KeepFiles = { ...diskKeepFiles, ...faults };
  const protections = new Protections({ root, files, clock });
  const cache = new HourCache(diskFiles, clock);
  const forgotten: string[] = [];
  const changes = new ArchiveChanges({
    ...{ files: diskFiles, keepFiles: files, hours: cache, clock, log: silentLogger },
    keepers: () => ({ protectionsOf: (_, stream) => protections.of(stream) }),
    forget: (folder) => {
      forgotten.push(folder);
      cache.forget(folder);
    },
  });
  const place = { root, stream: "cam" };
  return {
    ...{ root, clock, changes, protections, forgotten, place },
    files: async () => (await readdir(join(root, "cam", DAY))).toSorted(),
    starts: async () => {
      const starts: number[] = [];
      for (const number of hours.keys()) {
        const index = (await cache.hour(join(root, "cam"), HOUR + number))?.index;
        for (let at = 0; at < (index?.segmentCount ?? 0); at++)
          starts.push((index!.segment(at).startUs - START_US) / 1e6);
      }
      return starts;
    },
    remove: (fromS, toS) =>
      changes.deleteRange(place, { fromUs: START_US + fromS * 1e6, toUs: START_US + toS * 1e6 }),
  };
}

test("every segment that has a part of the range is deleted, and none beside it", async (t) => {
  const { root, remove, starts, files, forgotten } = await room(t, [10]);
  assert.deepEqual(await remove(5, 9), { kind: "deleted", segments: 3 });
  assert.deepEqual(await starts(), [0, 2, 10, 12, 14, 16, 18]);
  assert.deepEqual(await files(), ["08.del", "08.idx", "08.mp4"]);
  assert.deepEqual(forgotten, Array(2).fill(join(root, "cam")));
  const noted = await readFile(join(root, "cam", DAY, "08.del"));
  // Once more there is nothing to delete, and nothing is written.
  assert.deepEqual(await remove(5, 9), { kind: "deleted", segments: 0 });
  assert.deepEqual(await readFile(join(root, "cam", DAY, "08.del")), noted);
});

test("a range that ends where a segment begins, or begins where one ends, spares it", async (t) => {
  const { remove, starts } = await room(t, [5]);
  await remove(2, 4);
  assert.deepEqual(await starts(), [0, 4, 6, 8]);
});

test("the media of what is hidden stays as it was, byte by byte, and so does the index", async (t) => {
  const { remove, root } = await room(t, [10]);
  const read = (): Promise<Buffer[]> =>
    Promise.all([".idx", ".mp4"].map((ending) => readFile(join(root, "cam", DAY, `08${ending}`))));
  const before = await read();
  await remove(0, 6);
  assert.deepEqual(await read(), before);
});

test("hours that are deleted whole go but for a note of it, and what is next begins with a break", async (t) => {
  const { remove, starts, files } = await room(t, [5, 5, 5, 5]);
  assert.deepEqual(await remove(4, 3 * 3600), {
    kind: "deleted",
    segments: 13,
  });
  assert.deepEqual(await files(), [
    "08.del",
    "08.idx",
    "08.mp4",
    "09.del",
    "10.del",
    "11.del",
    "11.idx",
    "11.mp4",
  ]);
  assert.deepEqual(await starts(), [0, 2, ...[0, 2, 4, 6, 8].map((s) => 3 * 3600 + s)]);
});

test("the segment that goes on over the hour goes with the range in the next one", async (t) => {
  const { remove, starts } = await room(t, [1800, 5]);
  // The last one of 1800 ends at the full hour: one that begins there has no part of it.
  await remove(3600, 3602);
  assert.equal((await starts()).length, 1804);
  await remove(3599, 3600);
  assert.equal((await starts()).length, 1803);
});

test("of an hour that may still be written no file is removed, and of what is to come nothing is hidden", async (t) => {
  const { remove, starts, files, clock } = await room(t, [5], { nowS: 8 });
  assert.equal((await remove(0, 9_000_000)).kind, "deleted");
  assert.deepEqual(await files(), ["08.del", "08.idx", "08.mp4"]);
  // The segment at 8 s begins when the range was cut off: at the present.
  assert.deepEqual(await starts(), [8]);
  // Ten minutes after its end the hour goes, but for the note that it was deleted.
  clock.advance(3_600_000 + 600_001);
  await remove(0, 3600);
  assert.deepEqual(await files(), ["08.del"]);
});

test("what an episode or a lock keeps stands in the way, until it expires or is let go", async (t) => {
  const { remove, starts, changes, place, clock } = await room(t, [10]);
  const startMs = START_US / 1000;
  const expiresAtMs = startMs + 10 * 3_600_000 + 60_000;
  const made = { episodeId: "goal", openedAtMs: startMs + 4000, closedAtMs: startMs + 5000, expiresAtMs };
  await changes.createEpisode(place, made);
  const lock = { fromMs: startMs + 14_000, toMs: startMs + 15_000 };
  await changes.changeLock(place, "lock", lock);
  assert.deepEqual(await remove(0, 20), { kind: "protected", episodes: ["goal"], locks: [lock] });
  // The range does not touch the episode, but the segment does that has its beginning.
  assert.deepEqual(await remove(5.5, 7), { kind: "protected", episodes: ["goal"], locks: [] });
  assert.deepEqual(await remove(13, 13.5), { kind: "deleted", segments: 1 });
  assert.equal((await starts()).length, 9);
  clock.advance(60_000);
  assert.deepEqual(await remove(0, 13), { kind: "deleted", segments: 6 });
  assert.deepEqual(await remove(14, 16), { kind: "protected", episodes: [], locks: [lock] });
  await changes.changeLock(place, "unlock", lock);
  assert.equal((await remove(0, 100)).kind, "deleted");
  assert.deepEqual(await starts(), []);
});

test("a segment that has begun in the range, and is complete later, is not listed either", async (t) => {
  const { remove, starts, root } = await room(t, [5], { nowS: 13 });
  // 10 s to 12 s is being written, 12 s to 14 s has begun.
  assert.deepEqual(await remove(11, 9_000_000), { kind: "deleted", segments: 0 });
  const hour = new ArchiveHour(HOUR);
  for (let i = 0; i < 9; i++) hour.segment();
  for (const [path, bytes] of Object.entries(hour.files(join(root, "cam")))) await writeFile(path, bytes);
  assert.deepEqual(await starts(), [0, 2, 4, 6, 8, 10, 14, 16]);
});

test("an episode that is put is made, changed and kept for longer, but begins when it began", async (t) => {
  const { changes, place } = await room(t, []);
  const put = await changes.putEpisode(place, { episodeId: "e", openedAtMs: 5, closedAtMs: 9 });
  assert.equal(put.isNew, true);
  const later = await changes.putEpisode(place, { episodeId: "e", title: "News", openedAtMs: 5 });
  assert.deepEqual([later.isNew, later.episode.title, later.episode.closedAtMs], [false, "News", 9]);
  await assert.rejects(changes.putEpisode(place, { episodeId: "e", openedAtMs: 6 }), {
    code: "DVR_EPISODE_INVALID",
  });
  await assert.rejects(changes.putEpisode(place, { episodeId: "new" }), { code: "DVR_EPISODE_INVALID" });
  await changes.deleteEpisode(place, "e");
  assert.deepEqual(await changes.episodes(place, {}), []);
});

test("a volume that refuses leaves what a next try deletes", async (t) => {
  let refuses = true;
  const remove: KeepFiles["remove"] = async (path) => {
    if (refuses && path.endsWith("09.mp4")) throw systemError("EIO");
    return await diskKeepFiles.remove(path);
  };
  const made = await room(t, [5, 5], { faults: { remove } });
  await assert.rejects(made.remove(8, 7200), { code: "DVR_DELETE_FAILED" });
  assert.deepEqual(await made.starts(), [0, 2, 4, 6]);
  assert.equal(made.forgotten.length, 2);
  refuses = false;
  assert.deepEqual(await made.remove(0, 10), { kind: "deleted", segments: 4 });
  assert.deepEqual(await made.files(), ["08.del", "09.del", "09.deleted", "09.mp4"]);
  // The hour whose files were in the way has a tombstone, by which the next round ends what was begun.
  const { root, clock } = made;
  const keepers = new Keepers({ ...keeping, clock, rulesOf: () => ({}) });
  t.after(() => keepers.stop());
  keepers.setRoots(new Set([root]));
  await eventually(async () => assert.deepEqual(await made.files(), ["08.del", "09.del"]));
});

test("of hours with fills, and of fills alone, all is deleted that was shown", async (t) => {
  const { remove, root, files, clock } = await room(t, [5, 5]);
  const fills = (number: number, seconds: readonly number[]): Promise<void[]> => {
    const made = new ArchiveHour(HOUR + number, { firstOrdinal: 1 });
    for (const second of seconds) made.segment({ atUs: second * 1_000_000 });
    const folder = join(root, "cam", hourPath(HOUR + number));
    const index = buildFillIndex(HOUR + number, storedFills(HourIndex.parse(made.index)));
    return Promise.all([
      writeFile(`${folder}.fill`, index),
      writeFile(`${folder}.fill.mp4`, made.media[0]!),
    ]);
  };
  await fills(0, [2, 20, 30, 40]);
  await fills(2, [4, 8]);
  const archive = new HourCache(diskFiles, clock);
  const starts = async (number: number): Promise<number[]> => {
    clock.advance(60_000);
    const index = (await archive.hour(join(root, "cam"), HOUR + number))?.index;
    return Array.from(
      { length: index?.segmentCount ?? 0 },
      (_, at) => index!.segment(at).startUs / 1e6 - (HOUR + number) * 3600,
    );
  };
  assert.deepEqual(await remove(31, 42), { kind: "deleted", segments: 2 });
  assert.deepEqual(await starts(0), [0, 2, 4, 6, 8, 20]);
  assert.deepEqual(await remove(2 * 3600 + 5, 2 * 3600 + 6), { kind: "deleted", segments: 1 });
  assert.deepEqual(await starts(2), [8]);
  // All of it, bit by bit.
  assert.equal((await remove(3600, 4 * 3600)).kind, "deleted");
  assert.deepEqual(await files(), [
    "08.del",
    "08.fill",
    "08.fill.mp4",
    "08.idx",
    "08.mp4",
    "09.del",
    "10.del",
  ]);
  assert.deepEqual(await remove(0, 3600), { kind: "deleted", segments: 6 });
  assert.deepEqual(await files(), ["08.del", "09.del", "10.del"]);
});

test("what was hidden and not removed is removed by the next try", async (t) => {
  let refuses = true;
  const list: KeepFiles["list"] = async (folder, limit) => {
    if (refuses) throw systemError("EIO");
    return await diskKeepFiles.list(folder, limit);
  };
  const made = await room(t, [5], { faults: { list } });
  await assert.rejects(made.remove(0, 10), { code: "DVR_DELETE_FAILED" });
  assert.deepEqual([await made.starts(), await made.files()], [[], ["08.del", "08.idx", "08.mp4"]]);
  refuses = false;
  assert.deepEqual(await made.remove(0, 10), { kind: "deleted", segments: 0 });
  assert.deepEqual(await made.files(), ["08.del"]);
});

test("an hour that is hidden piece by piece goes with its last piece", async (t) => {
  const { remove, files, starts } = await room(t, [5, 5]);
  await remove(4, 10);
  assert.deepEqual(await files(), ["08.del", "08.idx", "08.mp4", "09.del", "09.idx", "09.mp4"]);
  await remove(0, 4);
  assert.deepEqual(await files(), ["08.del", "09.del", "09.idx", "09.mp4"]);
  assert.deepEqual(
    await starts(),
    [0, 2, 4, 6, 8].map((s) => 3600 + s),
  );
});

test("an hour has so many deleted spans and no more", async (t) => {
  const { remove, root, files } = await room(t, [10]);
  const many = Buffer.concat(
    Array.from({ length: MAX_DELETED_BYTES / DELETED_SPAN_BYTES }, (_, i) =>
      buildDeletedSpan({ fromUs: START_US + 3_000_000_000 + i, toUs: START_US + 3_000_000_001 + i }, 0),
    ),
  );
  await writeFile(join(root, "cam", DAY, "08.del"), many);
  await assert.rejects(remove(2, 4), { code: "DVR_DELETE_LIMIT" });
  // What the error says can be done.
  assert.deepEqual(await remove(0, 3600), { kind: "deleted", segments: 10 });
  assert.deepEqual(await files(), ["08.del"]);
});

test("a torn record is written over by the next one", async (t) => {
  const { remove, root, starts } = await room(t, [5]);
  await writeFile(join(root, "cam", DAY, "08.del"), new Uint8Array(17).fill(7));
  await remove(2, 4);
  assert.deepEqual(await starts(), [0, 4, 6, 8]);
  assert.equal((await readFile(join(root, "cam", DAY, "08.del"))).byteLength, 32);
});

test("episodes that cannot be read keep all, and a root that nobody keeps is not touched", async (t) => {
  const { remove, root, starts } = await room(t, [3]);
  const good = Buffer.from(writeLog([{ op: "lock", fromMs: 1, toMs: 2 }])).toString();
  await writeFile(join(root, "cam", "episodes.jsonl"), `damage\n${good}`);
  await assert.rejects(remove(0, 10), { code: "DVR_EPISODES_UNREADABLE" });
  assert.equal((await starts()).length, 3);
  const clock = new FakeClock();
  const keepers = new Keepers({ ...keeping, clock, rulesOf: () => null });
  await assert.rejects(keepers.protectionsOf(root, "cam"), { code: "DVR_NOT_KEPT" });
});

test("an episode keeps its hours beyond the depth, until it has expired", async (t) => {
  const { root, clock, files, protections } = await room(t, [5, 5, 5]);
  const rulesOf = (): RetentionRules => ({ depthMs: 2 * 3_600_000 });
  const keepers = new Keepers({ ...keeping, clock, rulesOf });
  const openedAtMs = START_US / 1000 + 3_600_000;
  const expiresAtMs = START_US / 1000 + 11 * 3_600_000;
  await (
    await protections.of("cam")
  ).createEpisode({ episodeId: "e", openedAtMs, closedAtMs: openedAtMs + 5, expiresAtMs });
  t.after(() => keepers.stop());
  const left = async (): Promise<string[]> => await files().catch(() => []);
  keepers.setRoots(new Set([root]));
  await eventually(async () => assert.deepEqual(await left(), ["09.idx", "09.mp4"]));
  clock.advance(3_600_000);
  await eventually(async () => {
    // A round begins a minute after the one before has ended.
    clock.advance(60_000);
    assert.deepEqual(await left(), []);
  });
});
