import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { ffmpeg, makeClip } from "../../test/support/ffmpeg.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { needs } from "../../test/support/tools.ts";
import { SUBTITLE_LIMITS } from "../containers/webvtt/reader.ts";
import { FileSets } from "./file-sets.ts";
import { MAX_SIDECARS, findSidecars } from "./sidecars.ts";
import { DiskStorage } from "./storages/disk-storage.ts";
import { VodLibrary } from "./vod.ts";

const VTT = "WEBVTT\n\n00:01.000 --> 00:03.000 line:0\nfirst\n\n00:05.000 --> 00:05.500\nsecond\n";
const SRT = "1\n00:00:01,000 --> 00:00:02,000\n<font>eins</font>\n";

describe("subtitles beside a film", { skip: needs("ffmpeg") }, () => {
  const clock = new FakeClock();
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-subtitles-"));
    await copyFile(await makeClip({ durationS: 8, gopPictures: 50 }), join(folder, "film.mp4"));
    await copyFile(join(folder, "film.mp4"), join(folder, "films.mp4"));
    const texts = {
      "film.en.vtt": VTT,
      "film.ger.SRT": SRT,
      "film.vtt": VTT,
      "film.fr.vtt": "not at all",
      "film.en.part2.vtt": VTT,
      "filmed.vtt": VTT,
      "film.txt": VTT,
    };
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("are found by its name, with the language between", async () => {
    const storage = new DiskStorage(folder, clock);
    const found = await findSidecars(storage, "film.mp4");
    assert.deepEqual(
      found.map(({ path, language, isSubRip }) => [path, language, isSubRip]),
      [
        ["film.en.vtt", "en", false],
        ["film.fr.vtt", "fr", false],
        ["film.ger.SRT", "de", true],
        ["film.vtt", "und", false],
      ],
    );
    assert.deepEqual(await findSidecars(storage, "films.mp4"), []);
    assert.deepEqual(await findSidecars(storage, "nowhere/film.mp4"), []);
  });

  test("are read when it is opened; one that is broken is left out, and the log says so", async () => {
    const log = new RecordingLog();
    const vods = [{ name: "vod", storages: [{ path: folder }], segmentDurationMs: 2000 }];
    const vod = new VodLibrary({ vods, clock, log });
    const { texts } = await vod.open("vod/film.mp4");
    assert.deepEqual(
      await Promise.all(
        texts!.map(async (text) => [
          text.id,
          text.language,
          (await text.cues()).map((cue) => cue.text).join("/"),
        ]),
      ),
      [
        ["t1", "en", "first/second"],
        ["t2", "de", "eins"],
        ["t3", "und", "first/second"],
      ],
    );
    assert.match(JSON.stringify(log.lines), /film\.fr\.vtt is left out: .*WEBVTT/);
    await vod.close();
  });

  test("are those of a set by the name of the whole, or else of the first file that has any", async () => {
    const sets = await mkdtemp(join(tmpdir(), "weir-subtitles-"));
    try {
      await mkdir(join(sets, "work"));
      for (const place of ["show-360p.mp4", "show-720p.mp4", "work/1.mp4", "work/2.mp4"])
        await copyFile(join(folder, "film.mp4"), join(sets, place));
      const log = new RecordingLog();
      const vods = [{ name: "vod", storages: [{ path: sets }], segmentDurationMs: 2000, autoMbr: true }];
      const languages = async (path: string): Promise<string[]> => {
        const vod = new VodLibrary({ vods, clock, log });
        const { texts } = await vod.open(`vod/${path}`);
        await vod.close();
        return texts!.map(({ id, language }) => `${id} ${language}`);
      };
      const names = "show-,360p,720p,.mp4";
      assert.deepEqual([await languages(names), await languages("work")], [[], []]);
      await writeFile(join(sets, "show-720p.fr.vtt"), VTT);
      await writeFile(join(sets, "work", "2.en.vtt"), VTT);
      await writeFile(join(sets, "work", "2.de.srt"), SRT);
      assert.deepEqual(await languages(names), ["t1 fr"]);
      assert.deepEqual(await languages("work"), ["t1 de", "t2 en"]);
      await writeFile(join(sets, "show-360p.it.vtt"), VTT);
      assert.deepEqual(await languages(names), ["t1 it"]);
      await writeFile(join(sets, "show.es.vtt"), VTT);
      await writeFile(join(sets, "work.pt.vtt"), VTT);
      assert.deepEqual(await languages(names), ["t1 es"]);
      assert.deepEqual(await languages("work"), ["t1 pt"]);
      await mkdir(join(sets, "show.1"));
      await copyFile(join(folder, "film.mp4"), join(sets, "show.1", "a.mp4"));
      await copyFile(join(folder, "film.mp4"), join(sets, "show.1", "b.mp4"));
      assert.deepEqual(await languages("show.1"), [], "those of show are not those of show.1");
      await writeFile(join(sets, "show.1.nl.vtt"), VTT);
      assert.deepEqual(await languages("show.1"), ["t1 nl"]);
      assert.deepEqual(await languages("show-360p.mp4"), ["t1 it"], "a file alone has its own");
    } finally {
      await rm(sets, { recursive: true, force: true });
    }
  });

  test("inside the files of a set come once, also where there is no sound", async () => {
    const sets = await mkdtemp(join(tmpdir(), "weir-subtitles-"));
    try {
      await writeFile(join(sets, "text.srt"), SRT);
      const input = ["-y", "-i", join(folder, "film.mp4"), "-i", join(sets, "text.srt")];
      for (const name of ["1.mp4", "2.mp4"])
        await ffmpeg([
          ...input,
          "-map",
          "0:v",
          "-map",
          "1",
          "-c",
          "copy",
          "-c:s",
          "mov_text",
          join(sets, name),
        ]);
      const vods = [{ name: "vod", storages: [{ path: sets }], segmentDurationMs: 2000 }];
      const vod = new VodLibrary({ vods, clock, log: new RecordingLog() });
      const set = await vod.open("vod/,1,2,.mp4");
      assert.deepEqual(
        [...set.timeline().tracks.tracks, ...set.texts!].map(({ id }) => id),
        ["v1", "v2", "t1"],
      );
      const [cue] = await set.texts![0]!.cues();
      assert.equal(cue?.text, "eins");
      await vod.close();
    } finally {
      await rm(sets, { recursive: true, force: true });
    }
  });

  test("are noticed within a second when they come, change or go, beside a film and beside a set", async () => {
    const place = await mkdtemp(join(tmpdir(), "weir-subtitles-"));
    const log = new RecordingLog();
    const vods = [{ name: "vod", storages: [{ path: place }], segmentDurationMs: 2000, autoMbr: true }];
    const vod = new VodLibrary({ vods, clock, log });
    try {
      await mkdir(join(place, "work"));
      for (const name of ["film-1.mp4", "film-2.mp4", "work/1.mp4", "work/2.mp4"])
        await copyFile(join(folder, "film.mp4"), join(place, name));
      for (const [path, sidecar] of [
        ["film-1.mp4", "film-1.en.vtt"],
        ["film-,1,2,.mp4", "film.en.vtt"],
        ["work", "work.en.vtt"],
        ["work", "work/2.en.vtt"],
      ] as const) {
        const seen = new Set<string | null>();
        const shown = async (): Promise<string> => {
          const { texts, version } = await vod.open(`vod/${path}`);
          seen.add(version);
          const cues = (await texts![0]?.cues()) ?? [];
          return cues.map(({ text }) => text).join("/");
        };
        assert.equal(await shown(), "", path);
        await writeFile(join(place, sidecar), VTT);
        await utimes(join(place, sidecar), 1000, 1000);
        assert.equal(await shown(), "", "nobody looks more often than once a second");
        clock.advance(1001);
        assert.equal(await shown(), "first/second", `${sidecar} came`);
        // As long as before: the time says that it is another one.
        await writeFile(join(place, sidecar), VTT.replace("second", "SECOND"));
        await utimes(join(place, sidecar), 2000, 2000);
        clock.advance(1001);
        assert.equal(await shown(), "first/SECOND", `${sidecar} changed`);
        await rename(join(place, sidecar), join(place, sidecar.replace(".en", ".de")));
        clock.advance(1001);
        const { texts } = await vod.open(`vod/${path}`);
        assert.equal(texts![0]!.language, "de");
        assert.equal(await shown(), "first/SECOND");
        await rm(join(place, sidecar.replace(".en", ".de")));
        clock.advance(1001);
        assert.equal(await shown(), "", `${sidecar} went`);
        assert.equal(seen.size, 4, "each has its version, and without any it is the first one again");
        const opened = log.lines.length;
        clock.advance(1001);
        await shown();
        assert.equal(log.lines.length, opened, "what did not change is not opened again");
      }
    } finally {
      await vod.close();
      await rm(place, { recursive: true, force: true });
    }
  });

  test("begin when the film does, where its first picture plays a little after 0", async () => {
    const place = await mkdtemp(join(tmpdir(), "weir-subtitles-"));
    try {
      // One cue in a file beside the film, and the same one as a track of it.
      await writeFile(join(place, "text.srt"), SRT);
      const input = ["-i", join(folder, "film.mp4"), "-i", join(place, "text.srt")];
      const output = ["-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text"];
      await ffmpeg([...input, ...output, join(place, "film.mp4")]);
      await writeFile(join(place, "film.vtt"), `${VTT}\n00:00.000 --> 00:01.000\nat once\n`);
      const vods = [{ name: "vod", storages: [{ path: place }], segmentDurationMs: 2000 }];
      const vod = new VodLibrary({ vods, clock, log: new RecordingLog() });
      const file = await vod.openMedia("vod/film.mp4");
      const [beside, inside] = await Promise.all(file.texts.map(async (text) => await text.cues()));
      const video = file.tracks.find(({ track }) => track.kind === "video")!;
      assert.ok(video.startUs > 0, "the first picture plays after 0");
      assert.deepEqual(
        beside!.map(({ startUs, endUs }) => [startUs - video.startUs, endUs - video.startUs]),
        [
          [0, 1_000_000],
          [1_000_000, 3_000_000],
          [5_000_000, 5_500_000],
        ],
      );
      assert.equal(inside![0]!.text, "eins");
      assert.ok(Math.abs(inside![0]!.startUs - beside![1]!.startUs) <= 1000, "both at one second");
      await vod.close();
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  });

  test("do not take the reading of many pieces at a time away from a film", async () => {
    const sets = new FileSets(new DiskStorage(folder, clock), { folders: false });
    const source = await sets.open("film.mp4");
    assert.equal(source!.sidecars!.length, 4);
    const targets = [new Uint8Array(4), new Uint8Array(4)];
    assert.equal(await source!.readInto!(0, targets), 8);
    assert.equal(Buffer.from(targets[1]!).toString("latin1"), "ftyp");
    source!.release();
  });

  test("are bounded in number and length", async () => {
    const crowd = await mkdtemp(join(tmpdir(), "weir-subtitles-"));
    try {
      for (let i = 0; i < MAX_SIDECARS + 3; i++)
        await writeFile(join(crowd, `a.x${String.fromCharCode(97 + i)}.vtt`), VTT);
      assert.equal((await findSidecars(new DiskStorage(crowd, clock), "a.mp4")).length, MAX_SIDECARS);
      await copyFile(join(folder, "film.mp4"), join(crowd, "b.mp4"));
      await writeFile(join(crowd, "b.vtt"), `WEBVTT\n\n${"x\n".repeat(SUBTITLE_LIMITS.fileBytes / 2)}`);
      const log = new RecordingLog();
      const vods = [{ name: "vod", storages: [{ path: crowd }], segmentDurationMs: 2000 }];
      const vod = new VodLibrary({ vods, clock, log });
      assert.deepEqual((await vod.open("vod/b.mp4")).texts, []);
      assert.match(JSON.stringify(log.lines), /b\.vtt is left out: the length of subtitles/);
      await vod.close();
    } finally {
      await rm(crowd, { recursive: true, force: true });
    }
  });
});
