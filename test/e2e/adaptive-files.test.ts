/** Several files of one work as one adaptive set, as programs that nobody here wrote see it. */
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { countStreams, makeClip } from "../support/ffmpeg.ts";
import type { ClipOptions } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { hlsJsState, playInHlsJs } from "./hls-js.ts";

const QUALITIES: Clips = {
  "film.180p.mp4": { durationS: 12, gopPictures: 50, width: 320, height: 180 },
  "film.360p.mp4": { durationS: 12, gopPictures: 50, width: 640, height: 360, bFrames: 0 },
};

const OPEN_GOPS = "open-gop=1:keyint=50:min-keyint=50:scenecut=0:log-level=error";

/** Clips by the names of the files that they are. */
type Clips = Readonly<Record<string, ClipOptions>>;

/** The qualities with open GOPs, whose key frames play at the same times, and are decoded at others. */
function openGops(video: "libx264" | "libx265", more = "bframes=3"): Clips {
  const extra = [video === "libx264" ? "-x264-params" : "-x265-params", `${OPEN_GOPS}:${more}`];
  const common = { durationS: 12, video, extra };
  return {
    "film.180p.mp4": { ...common, width: 320, height: 180 },
    "film.360p.mp4": { ...common, width: 640, height: 360 },
  };
}

/** A server with the files in one folder. */
async function serve(t: TestEnd, clips: Clips = QUALITIES): Promise<Weir> {
  const folder = await mkdtemp(join(tmpdir(), "weir-adaptive-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "film"));
  for (const [name, clip] of Object.entries(clips))
    await copyFile(await makeClip(clip), join(folder, "film", name));
  return await startWeir(t, { config: `vod vod { storage ${folder}; segment_duration 2; auto_mbr; }` });
}

/** Widths and decoded pictures of all qualities, by ffprobe's word. */
async function picturesOf(weir: Weir): Promise<(number | string | undefined)[][]> {
  const probed = await countStreams(weir.url("/vod/film/index.m3u8"));
  return probed
    .filter(({ codec_type }) => codec_type === "video")
    .map(({ width, nb_read_frames }) => [width, nb_read_frames]);
}

// Without its sound the first picture plays a little after 0, where B-frames are reordered (see IndexedTrack).
// What was on its way when the quality changed is given up, or is there already.
const USUAL = /^bufferSeekOverHole .* from 0 to 0\.1|^aborted |^bufferAppendNoProgress /;

/** Plays in hls.js, to the other quality after a while, and to the end. */
async function changeInHlsJs(page: Page, url: string, usual: readonly RegExp[] = [USUAL]): Promise<void> {
  await playInHlsJs(page, url);
  const begins = async (): Promise<void> => assert.ok((await hlsJsState(page)).timeS > 0.5);
  await eventually(begins, { timeoutMs: 40_000 });
  await page.evaluate(() => {
    const { hls } = window as unknown as { hls: { currentLevel: number; nextLevel: number } };
    hls.nextLevel = hls.currentLevel === 0 ? 1 : 0;
  });
  const ends = async (): Promise<void> => {
    const { hasEnded, errors, levels } = await hlsJsState(page);
    const others = errors.filter((error) => !usual.some((known) => known.test(error)));
    assert.deepEqual([others, levels], [[], 2], url);
    assert.ok(hasEnded);
  };
  await eventually(ends, { timeoutMs: 60_000 });
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
    assert.deepEqual(await picturesOf(weir), [
      [320, "300"],
      [640, "300"],
    ]);
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
    for (const playlist of ["index.m3u8", "index.ts.m3u8?separate_audio=true"])
      await changeInHlsJs(page, weir.url(`/vod/film/${playlist}`));
  },
);

test(
  "qualities with open GOPs are one set, of H.264 and of HEVC, with all of their pictures",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    for (const video of ["libx264", "libx265"] as const) {
      const weir = await serve(t, openGops(video));
      const want = [
        [320, "300"],
        [640, "300"],
      ];
      assert.deepEqual(await picturesOf(weir), want, video);
      assert.ok(!JSON.stringify(weir.log).includes("left out"));
    }
  },
);

test(
  "hls.js changes from one quality with open GOPs to the other and plays to the end",
  { skip: needs("ffmpeg", "chromium"), timeout: 180_000 },
  async (t) => {
    // Chromium stops at what refers to pictures of the GOP before, in the file itself as well when one seeks there; with
    // these options only the B-frames before the key frame do, and they are left out where the quality changes.
    const weir = await serve(t, openGops("libx264", "bframes=2:b-pyramid=none:ref=1"));
    const { page } = await openPage(t);
    const usual = [USUAL, /^bufferSeekOverHole /];
    await changeInHlsJs(page, weir.url("/vod/film/index.m3u8"), usual);
  },
);

test(
  "sound of its own is a rendition of its language over HLS and DASH, and hls.js plays it",
  { skip: needs("ffmpeg", "chromium"), timeout: 180_000 },
  async (t) => {
    const french = { durationS: 12, video: null, extra: ["-metadata:s:a:0", "language=fra"] };
    const weir = await serve(t, { ...QUALITIES, "film.fra.m4a": french });
    const playlist = await (await fetch(weir.url("/vod/film/index.m3u8"))).text();
    assert.match(playlist, /#EXT-X-MEDIA:TYPE=AUDIO,[^\n]*LANGUAGE="fr"[^\n]*URI="tracks-a2\/mono\.m3u8"/);
    const mpd = await (await fetch(weir.url("/vod/film/index.mpd"))).text();
    assert.match(mpd, /<AdaptationSet [^>]*contentType="audio" lang="fr"/);
    const sound = await countStreams(weir.url("/vod/film/tracks-a2/mono.m3u8"));
    const file = await countStreams(await makeClip(french));
    assert.deepEqual(
      sound.map(({ codec_name, nb_read_packets }) => [codec_name, nb_read_packets]),
      file.map(({ codec_name, nb_read_packets }) => [codec_name, nb_read_packets]),
    );

    const { page } = await openPage(t);
    await playInHlsJs(page, weir.url("/vod/film/index.m3u8"));
    const begins = async (): Promise<void> => {
      const { timeS, audioTracks } = await hlsJsState(page);
      assert.ok(timeS > 0.5);
      assert.deepEqual(audioTracks, ["Audio 1", "fr 2 fr"]);
    };
    await eventually(begins, { timeoutMs: 40_000 });
    await page.evaluate(() => {
      (window as unknown as { hls: { audioTrack: number } }).hls.audioTrack = 1;
    });
    const ends = async (): Promise<void> => assert.ok((await hlsJsState(page)).hasEnded);
    await eventually(ends, { timeoutMs: 60_000 });
    assert.ok(weir.log.every(({ level }) => level !== "error"));
  },
);
