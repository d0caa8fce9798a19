/** Subtitles beside a film, shown by hls.js when they are due. */
import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, probePackets, runTool } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import { hlsJsState, playInHlsJs } from "./hls-js.ts";

const ENGLISH =
  "WEBVTT\n\n00:01.000 --> 00:03.000\nfrom one to three\n\n00:05.500 --> 00:09.000\nover a border\n";
const GERMAN = "1\n00:00:00,000 --> 00:00:12,000\nimmer\n";

test(
  "hls.js shows them in time, with fMP4 and with MPEG-TS; ffmpeg reads the same times",
  { skip: needs("ffmpeg", "chromium"), timeout: 180_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "weir-subtitles-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await copyFile(await makeClip({ durationS: 12, gopPictures: 50 }), join(folder, "film.mp4"));
    await writeFile(join(folder, "film.en.vtt"), ENGLISH);
    await writeFile(join(folder, "film.de.srt"), GERMAN);
    const weir = await startWeir(t, { config: `vod vod { storage ${folder}; segment_duration 2; }` });

    const { page } = await openPage(t);
    for (const playlist of ["index.m3u8", "index.ts.m3u8"]) {
      await playInHlsJs(page, weir.url(`/vod/film.mp4/${playlist}`));
      const isReady = async (): Promise<void> => {
        const { subtitles, timeS, errors } = await hlsJsState(page);
        // The first picture plays a little after 0, where B-frames are reordered (see IndexedTrack).
        const others = errors.filter((error) => !/^bufferSeekOverHole .* from 0 to 0\.1/.test(error));
        assert.deepEqual([subtitles, others], [["de 1 de", "en 2 en"], []]);
        assert.ok(timeS > 0);
      };
      await eventually(isReady, { timeoutMs: 40_000 });
      await page.evaluate(() => {
        const { hls } = window as unknown as { hls: { subtitleTrack: number } };
        hls.subtitleTrack = 1;
        document.querySelector("video")!.pause();
      });
      for (const [timeS, want] of [
        [0.9, []],
        [1.1, ["from one to three"]],
        [2.9, ["from one to three"]],
        [3.2, []],
        [5.6, ["over a border"]],
        [8.9, ["over a border"]],
        [9.2, []],
      ] as const) {
        await page.evaluate((to) => void (document.querySelector("video")!.currentTime = to), timeS);
        const isShown = async (): Promise<void> => {
          const { cues, timeS: nowS } = await hlsJsState(page);
          assert.ok(Math.abs(nowS - timeS) < 0.01);
          assert.deepEqual(cues, want, `${playlist} at ${timeS} s`);
        };
        await eventually(isShown, { timeoutMs: 30_000 });
      }
    }

    const url = weir.url("/vod/film.mp4/tracks-t2/mono.m3u8");
    const args = ["-v", "error", "-allowed_extensions", "ALL", "-extension_picky", "0", "-i", url];
    const { stdout } = await runTool("ffmpeg", [...args, "-f", "srt", "-"], 60_000);
    // The film plays a little after 0: its first picture is where the subtitles have 0.
    const [picture] = await probePackets(weir.url("/vod/film.mp4/tracks-v1/mono.m3u8"), { readS: 1 });
    const beginMs = Math.round(Number(picture!.pts_time) * 1000);
    assert.ok(beginMs < 200, `${beginMs} ms`);
    const times = `00:00:01,${`${beginMs}`.padStart(3, "0")} --> 00:00:03,${`${beginMs}`.padStart(3, "0")}`;
    assert.match(stdout, new RegExp(`${times}\\r?\\nfrom one to three`));
  },
);
