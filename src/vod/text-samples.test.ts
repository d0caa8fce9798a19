import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ffmpeg, makeClip } from "../../test/support/ffmpeg.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import { needs } from "../../test/support/tools.ts";
import type { MovieTrack } from "../containers/mp4/movie.ts";
import { SUBTITLE_LIMITS } from "../containers/webvtt/reader.ts";
import { readMediaFile } from "./media-file.ts";
import { problemOfText } from "./text-samples.ts";

const SRT = "1\n00:00:01,000 --> 00:00:03,000\nfirst\n\n2\n00:00:05,500 --> 00:00:07,000\n<i>a & b</i>\n";

test(
  "text tracks of a file are subtitles, at the times of its pictures",
  { skip: needs("ffmpeg") },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "weir-text-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const [srt, path] = [join(folder, "one.srt"), join(folder, "film.mp4")];
    await writeFile(srt, SRT);
    const clip = await makeClip({ durationS: 8, gopPictures: 50, bFrames: 2 });
    const maps = ["-map", "0", "-map", "1", "-map", "1"];
    const languages = ["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger"];
    const output = ["-c", "copy", "-c:s", "mov_text", ...languages, path];
    await ffmpeg(["-v", "error", "-i", clip, "-i", srt, ...maps, ...output]);
    const source = new MemorySource(await readFile(path));
    const file = await readMediaFile(source);
    assert.deepEqual(
      file.trackSet.tracks.map(({ id }) => id),
      ["v1", "a1"],
    );
    assert.deepEqual(
      file.texts.map(({ id, language }) => [id, language]),
      [
        ["t1", "en"],
        ["t2", "de"],
      ],
    );
    const cues = await file.texts[0]!.cues();
    assert.deepEqual(
      cues.map(({ text }) => text),
      ["first", "a &amp; b"],
    );
    // The first picture plays where the movie's time 0 is.
    const { track, first } = file.tracks[0]!;
    const pictureUs = (file.tracks[0]!.ptsAt(first) / track.timescale) * 1e6;
    for (const [i, [startS, endS]] of [
      [1, 3],
      [5.5, 7],
    ].entries()) {
      assert.ok(Math.abs(cues[i]!.startUs - startS! * 1e6 - pictureUs) < 2000, `${cues[i]!.startUs} us`);
      assert.ok(Math.abs(cues[i]!.endUs - endS! * 1e6 - pictureUs) < 2000, `${cues[i]!.endUs} us`);
    }
    assert.equal(await file.texts[0]!.cues(), cues);

    const [second] = file.texts.slice(1);
    source.fail = new Error("the disk is gone");
    await assert.rejects(async () => await second!.cues(), /the disk is gone/);
    source.fail = null;
    assert.equal((await second!.cues()).length, 2);
  },
);

test("a text track that is too large is left out", () => {
  const track = (count: number, bytes: number): MovieTrack =>
    ({ samples: { count, bytesBetween: () => bytes } }) as unknown as MovieTrack;
  assert.equal(problemOfText(track(10, 1000)), null);
  assert.match(problemOfText(track(SUBTITLE_LIMITS.cues + 1, 10))!, /50001 samples/);
  assert.match(problemOfText(track(10, SUBTITLE_LIMITS.fileBytes + 1))!, /bytes/);
});
