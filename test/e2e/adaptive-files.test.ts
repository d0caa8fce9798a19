/** Several files of one work as one adaptive set, as programs that nobody here wrote see it. */
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { countStreams, makeClip } from "../support/ffmpeg.ts";
import type { ClipOptions } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { hlsJsState, playInHlsJs } from "./hls-js.ts";

const QUALITIES: Readonly<Record<string, ClipOptions>> = {
  "180p": { durationS: 12, gopPictures: 50, width: 320, height: 180 },
  "360p": { durationS: 12, gopPictures: 50, width: 640, height: 360, bFrames: 0 },
};

/** A server with the qualities in one folder. */
async function serve(t: TestEnd): Promise<Weir> {
  const folder = await mkdtemp(join(tmpdir(), "weir-adaptive-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "film"));
  for (const [name, clip] of Object.entries(QUALITIES))
    await copyFile(await makeClip(clip), join(folder, "film", `film.${name}.mp4`));
  return await startWeir(t, { config: `vod vod { storage ${folder}; segment_duration 2; auto_mbr; }` });
}

test(
  "a folder and a list of names play alike, every quality with all of its pictures",
  { skip: needs("ffmpeg"), timeout: 90_000 },
  async (t) => {
    const weir = await serve(t);
    const texts: string[] = [];
    for (const name of ["film", "film/film.,180p,360p,.mp4"]) {
      const reply = await fetch(weir.url(`/vod/${name}/index.m3u8`));
      assert.equal(reply.status, 200, name);
      texts.push(await reply.text());
    }
    assert.equal(texts[0], texts[1]);
    assert.match(
      texts[0]!,
      /RESOLUTION=320x180.*\ntracks-v1a1\/mono\.m3u8\n.*RESOLUTION=640x360.*\ntracks-v2a1\//,
    );
    const probed = await countStreams(weir.url("/vod/film/index.m3u8"));
    const pictures = probed.filter(({ codec_type }) => codec_type === "video");
    assert.deepEqual(
      pictures.map(({ width, nb_read_frames }) => [width, nb_read_frames]),
      [
        [320, "300"],
        [640, "300"],
      ],
    );
    const mpd = await (await fetch(weir.url("/vod/film/index.mpd"))).text();
    assert.equal(mpd.match(/<Representation /g)!.length, 3, mpd);
  },
);

test(
  "hls.js changes from one quality to the other and plays to the end",
  { skip: needs("ffmpeg", "chromium"), timeout: 180_000 },
  async (t) => {
    const weir = await serve(t);
    const { page } = await openPage(t);
    for (const playlist of ["index.m3u8", "index.ts.m3u8?separate_audio=true"]) {
      await playInHlsJs(page, weir.url(`/vod/film/${playlist}`));
      const begins = async (): Promise<void> => assert.ok((await hlsJsState(page)).timeS > 0.5);
      await eventually(begins, { timeoutMs: 40_000 });
      await page.evaluate(() => {
        const { hls } = window as unknown as { hls: { currentLevel: number; nextLevel: number } };
        hls.nextLevel = hls.currentLevel === 0 ? 1 : 0;
      });
      const ends = async (): Promise<void> => {
        const { hasEnded, errors, levels } = await hlsJsState(page);
        // Without its sound the first picture plays a little after 0, where B-frames are reordered (see IndexedTrack).
        // What was on its way when the quality changed is given up, or is there already.
        const usual = /^bufferSeekOverHole .* from 0 to 0\.1|^aborted |^bufferAppendNoProgress /;
        const others = errors.filter((error) => !usual.test(error));
        assert.deepEqual([others, levels], [[], 2], playlist);
        assert.ok(hasEnded);
      };
      await eventually(ends, { timeoutMs: 60_000 });
    }
  },
);
