import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { ffmpeg, makeClip } from "../../test/support/ffmpeg.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { needs } from "../../test/support/tools.ts";
import { SUBTITLE_LIMITS } from "../containers/webvtt/reader.ts";
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
