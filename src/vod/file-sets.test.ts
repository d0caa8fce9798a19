import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { makeClip, probePackets } from "../../test/support/ffmpeg.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { needs } from "../../test/support/tools.ts";
import { readSegmentSamples } from "../containers/mp4/segment-samples.ts";
import type { TrackId } from "../media/ids.ts";
import { FileSets, MAX_SET_FILES, parseFileSet } from "./file-sets.ts";
import { JoinedSource, joinVersions } from "./joined-source.ts";
import { DiskStorage } from "./storages/disk-storage.ts";
import { VodLibrary } from "./vod.ts";

const many = (count: number): string => `f,${Array.from({ length: count }, (_, i) => i).join(",")},.mp4`;

const names: [string, string[] | null][] = [
  ["film.,360p,720p,.mp4", ["film.360p.mp4", "film.720p.mp4"]],
  ["a/b,c/film,,-hd,.mp4", ["a/b,c/film.mp4", "a/b,c/film-hd.mp4"]],
  [",one.mp4,two.mp4,", ["one.mp4", "two.mp4"]],
  ["film.mp4", null],
  ["Smith, John.mp4", null],
  ["one,two,.mp4", null],
  ["a,b,c/film.mp4", null],
  ["film,1,1,.mp4", null],
  [many(MAX_SET_FILES), Array.from({ length: MAX_SET_FILES }, (_, i) => `f${i}.mp4`)],
  [many(MAX_SET_FILES + 1), null],
  ["", null],
];
for (const [path, want] of names) {
  test(`"${path.slice(0, 40)}" names ${want === null ? "no set" : `${want.length} files`}`, () =>
    assert.deepEqual(parseFileSet(path), want));
}

describe("joined sources", () => {
  const members = [Uint8Array.of(0, 1, 2), Uint8Array.of(3), Uint8Array.of(4, 5, 6, 7)].map(
    (bytes, i) => new MemorySource(bytes, { version: `${i}` }),
  );
  const joined = new JoinedSource("set", members);

  test("every range is that of the bytes together", async () => {
    const all = [0, 1, 2, 3, 4, 5, 6, 7];
    assert.equal(joined.sizeBytes, all.length);
    for (let from = 0; from <= all.length; from++) {
      for (let length = 0; length <= all.length + 1; length++) {
        assert.deepEqual([...(await joined.read(from, length))], all.slice(from, from + length));
      }
    }
  });

  test("a member that has become shorter ends what is read, and does not move what is behind it", async () => {
    const short = new MemorySource(Uint8Array.of(0, 1), { sizeBytes: 3 });
    const broken = new JoinedSource("set", [short, members[1]!]);
    assert.deepEqual([...(await broken.read(0, 4))], [0, 1]);
    assert.deepEqual([...(await broken.read(3, 1))], [3]);
  });

  test("the version is another one when that of any member is, and all are released", () => {
    assert.equal(joined.version, joinVersions(["0", "1", "2"]));
    assert.notEqual(joined.version, joinVersions(["0", "1", "3"]));
    joined.release();
    assert.deepEqual(
      members.map(({ released }) => released),
      [1, 1, 1],
    );
  });
});

describe("sets of files on a disk", { skip: needs("ffmpeg") }, () => {
  const clock = new FakeClock();
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-sets-"));
    await mkdir(join(folder, "film"));
    const common = { durationS: 8, gopPictures: 50 };
    const low = await makeClip({ ...common, width: 160, height: 90 });
    const high = await makeClip({ ...common, width: 320, height: 180, audio: null, bFrames: 0 });
    const odd = await makeClip({ ...common, width: 240, height: 136, gopPictures: 40 });
    await copyFile(low, join(folder, "film", "160p.mp4"));
    await copyFile(high, join(folder, "film", "1080p.mp4"));
    await mkdir(join(folder, "pair"));
    await copyFile(low, join(folder, "pair", "one.mp4"));
    await copyFile(odd, join(folder, "pair", "one-odd.mp4"));
    await copyFile(low, join(folder, "plain,with,commas,.mp4"));
    await symlink("160p.mp4", join(folder, "film", "320p.mp4"));
    await writeFile(join(folder, "film", "notes.txt"), "");
    await writeFile(join(folder, "film", ".hidden.mp4"), "");
    for (const video of ["libx264", "libx265"] as const) {
      const gops = `open-gop=1:keyint=50:min-keyint=50:scenecut=0:bframes=3:log-level=error`;
      const extra = [video === "libx264" ? "-x264-params" : "-x265-params", gops];
      await mkdir(join(folder, video.slice(3)));
      for (const [name, width] of [
        ["1", 160],
        ["2", 320],
      ] as const) {
        const clip = await makeClip({ durationS: 8, video, width, height: (width * 9) / 16, extra });
        await copyFile(clip, join(folder, video.slice(3), `${name}.mp4`));
      }
    }
    await mkdir(join(folder, "lengths"));
    const longer = { ...common, durationS: 12, width: 240, height: 136 };
    await copyFile(low, join(folder, "lengths", "8.mp4"));
    await copyFile(high, join(folder, "lengths", "8b.mp4"));
    await copyFile(await makeClip(longer), join(folder, "lengths", "12.mp4"));
    // Its key frames are like those of the others for as long as the shortest one lasts.
    const odd8 = ["-force_key_frames", "0,2,4,6,9"];
    const oddLonger = await makeClip({ ...longer, gopPictures: 300, extra: odd8 });
    await copyFile(oddLonger, join(folder, "lengths", "12-odd.mp4"));
    await mkdir(join(folder, "empty"));
    await mkdir(join(folder, "crowd"));
    for (let i = 0; i < MAX_SET_FILES + 4; i++) await writeFile(join(folder, "crowd", `${i}.mp4`), "");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function library(autoMbr: boolean) {
    const log = new RecordingLog();
    const vods = [{ name: "vod", storages: [{ path: folder }], segmentDurationMs: 2000, autoMbr }];
    return { log, vod: new VodLibrary({ vods, clock, log }) };
  }

  test("a folder is a set where that is allowed, and a file's own name comes first", async () => {
    const disk = new DiskStorage(folder, clock);
    const sets = new FileSets(disk, { folders: true });
    const set = await sets.open("film");
    assert.deepEqual(
      set!.members!.map(({ path }) => path),
      ["film/160p.mp4", "film/320p.mp4", "film/1080p.mp4"],
    );
    assert.equal(await sets.versionOf("film"), set!.version);
    set!.release();
    assert.equal(await new FileSets(disk, { folders: false }).open("film"), null);
    assert.equal(await sets.open("empty"), null);
    assert.equal(await sets.versionOf("empty"), null);
    assert.equal(await sets.open("nowhere"), null);
    const crowd = await sets.open("crowd");
    assert.equal(crowd!.members!.length, MAX_SET_FILES);
    assert.equal(crowd!.members!.at(-1)!.path, `crowd/${MAX_SET_FILES - 1}.mp4`);
    crowd!.release();
    const plain = await sets.open("plain,with,commas,.mp4");
    assert.equal(plain!.members, undefined);
    plain!.release();
    await assert.rejects(sets.open("../film"), { code: "VOD_BAD_PATH" });
    await assert.rejects(sets.open("film/,160p,720p,.mp4"), {
      code: "VOD_NOT_FOUND",
      message: /film\/720p\.mp4/,
    });
    assert.equal(await sets.versionOf("film/,160p,720p,.mp4"), null);
  });

  test("qualities are tracks of one timeline, with the sound of one and the bytes of each", async () => {
    const { vod, log } = library(false);
    const given = await vod.open("vod/film/,160p,1080p,.mp4");
    const { tracks, segments } = given.timeline();
    assert.deepEqual(
      tracks.tracks.map(({ id, width }) => [id, width]),
      [
        ["v1", 160],
        ["a1", 0],
        ["v2", 320],
      ],
    );
    assert.equal(segments.length, 4);
    const { samples: high } = await samplesOf(join(folder, "film", "1080p.mp4"));
    const found: Buffer[] = [];
    for (const { name, sequence, startUs, isIndependent } of segments) {
      assert.ok(isIndependent);
      for (const id of ["v1", "v2"] as TrackId[]) {
        const body = await given.segment(name, [id]);
        const samples = readSegmentSamples(body!, tracks.tracks);
        assert.ok(samples[0]!.isSync);
        // B-frames or none: the first picture of a segment plays when the segment begins.
        const beginUs = (samples[0]!.pts / samples[0]!.track.timescale) * 1e6;
        // The first segment begins with the sound that is ahead of them.
        const isThere = sequence === 0 ? beginUs === 40_000 : Math.abs(beginUs - startUs) < 1000;
        assert.ok(isThere, `${id} of ${name} begins at ${beginUs}`);
        if (id === "v2") found.push(...samples.map(({ payload }) => Buffer.from(payload)));
      }
    }
    assert.deepEqual(
      found.map(({ byteLength }) => byteLength),
      high,
    );
    assert.ok(!log.lines.some(({ level }) => level === "warn" || level === "error"));
    await vod.close();
  });

  test("a quality whose key frames are elsewhere is left out, and the log says where, once", async () => {
    const { vod, log } = library(false);
    const set = await vod.open("vod/pair/one,,-odd,.mp4");
    await vod.open("vod/pair/one,,-odd,.mp4");
    assert.deepEqual(
      set.timeline().tracks.tracks.map(({ id }) => id),
      ["v1", "a1"],
    );
    const said = log.lines.filter((line) => JSON.stringify(line).includes("is left out"));
    assert.equal(said.length, 1);
    assert.match(JSON.stringify(said[0]), /quality v2 \(240x136\).*at 2\.0\d+, 4\.0\d+, 6\.0\d+ s;/);
    await vod.close();
  });

  test("qualities with open GOPs stay, in whatever order they are named", async () => {
    const { vod, log } = library(true);
    for (const path of ["x264", "x265", "x264/,2,1,.mp4", "x265/,2,1,.mp4"]) {
      const given = await vod.open(`vod/${path}`);
      const { tracks, segments } = given.timeline();
      const videos = tracks.tracks.filter(({ kind }) => kind === "video").map(({ id }) => id);
      assert.deepEqual(videos, ["v1", "v2"], path);
      assert.equal(segments.length, 4);
      for (const { name, startUs } of segments.slice(1)) {
        for (const id of videos) {
          const [first] = readSegmentSamples((await given.segment(name, [id]))!, tracks.tracks);
          const beginUs = (first!.pts / first!.track.timescale) * 1e6;
          assert.ok(first!.isSync && Math.abs(beginUs - startUs) < 1000, `${id} of ${path} at ${beginUs}`);
        }
      }
    }
    const said = log.lines.map((line) => JSON.stringify(line));
    assert.ok(!said.some((line) => line.includes("left out")));
    const warned = said.map((line) => /v1 \(\S+\), v2 \(\S+\) with open GOPs: .*closed GOPs/.test(line));
    assert.deepEqual(warned, [true, false, true, false], "decoders of HEVC know what to do");
    await vod.close();
  });

  test("a longer and a shorter quality stay, and the log says that their lengths differ", async () => {
    for (const [path, durationsS, left] of [
      ["lengths/,8,12,8b,.mp4", [8, 12, 8], []],
      ["lengths/,12,8,8b,.mp4", [12, 8, 8], []],
      ["lengths/,8,12,12-odd,.mp4", [8, 12], ["v3"]],
    ] as const) {
      const { vod, log } = library(false);
      const given = await vod.open(`vod/${path}`);
      const { tracks, segments } = given.timeline();
      const videos = tracks.tracks.filter(({ kind }) => kind === "video").map(({ id }) => id);
      const pictures = videos.map((id) =>
        segments.reduce((sum, segment) => sum + segment.trackSamples(id), 0),
      );
      assert.deepEqual(
        pictures.map((count) => count / 25),
        durationsS,
        path,
      );
      assert.ok(segments.every(({ durationUs }) => Math.abs(durationUs - 2e6) < 100_000));
      const said = JSON.stringify(log.lines);
      assert.match(
        said,
        /lengths differ: quality v2 \(\d+x\d+\) plays from 0\.\d+ to (8|12)\.\d+ s, and the first one/,
      );
      assert.deepEqual(
        [...said.matchAll(/quality (v\d) \S+ is left out: it has no key frame /g)].map(([, id]) => id),
        left,
      );
      assert.ok(!said.includes("Infinity"));
      await vod.close();
    }
  });
});

/** Sizes of the pictures of a file, by ffprobe's word. */
async function samplesOf(path: string): Promise<{ samples: number[] }> {
  const packets = await probePackets(path, { select: "v:0" });
  return { samples: packets.map(({ size }) => Number(size)) };
}
