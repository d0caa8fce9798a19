import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { diskKeepFiles } from "../keep/storages/disk-keep-files.ts";
import { diskFiles } from "../storages/disk-files.ts";
import { offeredHours, offeredRange } from "./offered-archive.ts";
import { RootStreams } from "./offered-streams.ts";
import { MAX_RANGE_BYTES } from "./peer.ts";
import { parsePeerPath } from "./peer-paths.ts";
import { hasRoom } from "./room.ts";

const HOUR = 496_640;

async function rootWith(t: TestContext, files: Readonly<Record<string, number>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "weir-offers-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(`${root}/${path}`), { recursive: true });
    await writeFile(`${root}/${path}`, Buffer.alloc(bytes, path));
  }
  return root;
}

describe("what a server gives", () => {
  test("is its hours, with the lengths of their indexes", async (t) => {
    const root = await rootWith(t, {
      "cam/2026/08/28/07.idx": 64,
      "cam/2026/08/28/08.idx": 128,
      "cam/2026/08/28/08.fill": 192,
      "cam/2026/08/28/09.fill": 256,
      "cam/2026/08/28/10.mp4": 10,
    });
    assert.deepEqual(await offeredHours(diskFiles, `${root}/cam`, { from: HOUR, to: HOUR + 5 }), [
      { hour: HOUR, indexBytes: 128, fillBytes: 192 },
      { hour: HOUR + 1, indexBytes: 0, fillBytes: 256 },
    ]);
    const until = await offeredHours(diskFiles, `${root}/cam`, { from: 0, to: HOUR - 1 });
    assert.deepEqual(until, [{ hour: HOUR - 1, indexBytes: 64, fillBytes: 0 }]);
    assert.deepEqual(await offeredHours(diskFiles, `${root}/none`, { from: 0, to: HOUR }), []);
  });

  test("is a part of a file, never a large one", async (t) => {
    const root = await rootWith(t, { "cam/2026/08/28/08.mp4": MAX_RANGE_BYTES + 10 });
    const place = { folder: `${root}/cam`, name: "cam", file: "2026/08/28/08.mp4" };
    const part = await offeredRange(diskFiles, place, { offset: 5, maxBytes: 7 });
    assert.deepEqual([part.bytes.byteLength, part.offset, part.totalBytes], [7, 5, MAX_RANGE_BYTES + 10]);
    const all = await offeredRange(diskFiles, place, { offset: 0, maxBytes: Infinity });
    assert.equal(all.bytes.byteLength, MAX_RANGE_BYTES);
    const last = await offeredRange(diskFiles, place, { offset: MAX_RANGE_BYTES, maxBytes: 100 });
    assert.equal(last.bytes.byteLength, 10);
    const behind = offeredRange(diskFiles, place, { offset: MAX_RANGE_BYTES + 10, maxBytes: 1 });
    await assert.rejects(behind, { code: "DVR_PEER_BAD_RANGE" });
    const gone = offeredRange(
      diskFiles,
      { ...place, file: "2026/08/28/09.mp4" },
      { offset: 0, maxBytes: 1 },
    );
    await assert.rejects(gone, { code: "DVR_PEER_NO_FILE" });
  });

  test("is the streams that have an archive, whatever their names look like", async (t) => {
    const root = await rootWith(t, {
      "cam/2026/08/28/08.idx": 1,
      "cam/.writer/1": 1,
      "news/one/2026/01/01/00.mp4": 1,
      "news/2026/2025/01/01/00.mp4": 1,
      "empty/x/y": 1,
    });
    const clock = new FakeClock();
    const streams = new RootStreams(diskKeepFiles, clock);
    assert.deepEqual(await streams.of(root), ["cam", "news/2026", "news/one"]);
    await mkdir(`${root}/late/2026/01`, { recursive: true });
    assert.equal((await streams.of(root)).length, 3);
    clock.advance(10_000);
    assert.deepEqual(await streams.of(root), ["cam", "late", "news/2026", "news/one"]);
    assert.deepEqual(await streams.of(`${root}/none`), []);
    assert.equal((await new RootStreams(diskKeepFiles, clock, 2).of(root)).length <= 2, true);
  });
});

describe("the path of what is asked for", () => {
  const good = ["08.idx", "08.del", "08.fill", "08.mp4", "08.7.mp4", "08.fill.mp4", "08.fill.255.mp4"];
  for (const file of good) {
    test(`is good with ${file}`, () => {
      assert.deepEqual(parsePeerPath(`/a/b/archive-files/2026/08/28/${file}`), {
        kind: "file",
        name: "a/b",
        file: `2026/08/28/${file}`,
      });
    });
  }
  const bad = [
    "24.idx",
    "08.idx.new",
    "08.fill.new",
    "08.del.new",
    "24.del",
    "08.txt",
    "08.fill.256.mp4",
    "08.0.mp4",
    "8.idx",
    "08.",
  ];
  for (const file of bad) {
    test(`is none with ${file}`, () => {
      assert.equal(parsePeerPath(`/a/archive-files/2026/08/28/${file}`), null);
    });
  }
  for (const path of [
    "/archive-files/2026/08/28/08.idx",
    "/a/archive-files/../.writer/1",
    "/archive-hours.json",
    "/",
  ]) {
    test(`is none with ${path}`, () => {
      assert.equal(parsePeerPath(path), null);
    });
  }
  test("is that of a list", () => {
    assert.deepEqual(parsePeerPath("/archive-streams.json"), { kind: "streams" });
    assert.deepEqual(parsePeerPath("/a/b/archive-hours.json"), { kind: "hours", name: "a/b" });
  });
});

describe("room for copies", () => {
  const cases: readonly (readonly [
    used: number,
    bounds: Parameters<typeof hasRoom>[2],
    isRoom: boolean,
  ])[] = [
    [0, {}, true],
    [979, {}, false],
    [970, {}, true],
    [900, { diskPercent: 92 }, true],
    [901, { diskPercent: 92 }, false],
    [0, { sizeBytes: 160 }, true],
    [0, { sizeBytes: 159 }, false],
  ];
  for (const [usedBytes, bounds, isRoom] of cases) {
    test(`${isRoom ? "is" : "is not"} there with ${usedBytes} of 1000 bytes used and ${JSON.stringify(bounds)}`, async (t) => {
      const root = await rootWith(t, { "cam/2026/08/28/08.idx": 50, "cam/2026/08/28/08.mp4": 100 });
      const keepFiles = {
        ...diskKeepFiles,
        space: async () => await Promise.resolve({ totalBytes: 1000, usedBytes }),
      };
      const place = { root, stream: "cam" };
      assert.equal(await hasRoom({ files: diskFiles, keepFiles }, place, bounds, 10), isRoom);
    });
  }
});
