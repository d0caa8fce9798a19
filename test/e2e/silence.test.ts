/** Sound that stops, and a publisher that comes back without it, as players see it that have begun with sound. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, probeFrames, publish } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { openDashPage } from "./dash-players.ts";
import { hlsJsState, playInHlsJs } from "./hls-js.ts";

const CONFIG = "template pub { prefix pub; input publish:// source_timeout=120; segment_duration 1; }";
const STREAM = "pub/camera";
const PATIENCE_MS = 90_000;
const options = { skip: needs("chromium", "ffmpeg"), timeout: 600_000 };

type Watched = {
  readonly timeS: number;
  readonly pictures: number;
  readonly complaints: readonly string[];
};

/** Somebody who watches. */
type Watcher = { readonly name: string; readonly state: () => Promise<Watched> };

/** What a busy machine brings about, and holes that are there: nobody published, or sound begins a frame later. */
const TRUTHS =
  /TimeOut|Timeout|bufferSeekOverHole|Jumping gap|Possible encoding problem|ERR_INCOMPLETE|not within the/;

async function watchHls(t: TestEnd, weir: Weir, playlist: string): Promise<Watcher> {
  const { page } = await openPage(t);
  await playInHlsJs(page, weir.url(`/${STREAM}/${playlist}`));
  const state = async (): Promise<Watched> => {
    const { timeS, pictures, errors } = await hlsJsState(page);
    return { timeS, pictures, complaints: errors.filter((error) => !TRUTHS.test(error)) };
  };
  return { name: `hls.js, ${playlist}`, state };
}

async function watchDash(t: TestEnd, weir: Weir, player: "dashjs" | "shaka"): Promise<Watcher> {
  const page = await openDashPage(t, { player, url: weir.url(`/${STREAM}/index.mpd`) });
  const state = async (): Promise<Watched> => {
    const { time, presentedPictures } = await page.state();
    const complaints = page.complaints.filter((complaint) => !TRUTHS.test(complaint));
    return { timeS: time, pictures: presentedPictures, complaints };
  };
  return { name: player, state };
}

async function watchers(t: TestEnd, weir: Weir): Promise<readonly Watcher[]> {
  return [
    await watchHls(t, weir, "index.m3u8"),
    await watchHls(t, weir, "index.ts.m3u8"),
    await watchDash(t, weir, "dashjs"),
    await watchDash(t, weir, "shaka"),
  ];
}

/** Waits until each of them has seen so many more seconds and pictures, and nothing was wrong on the way. */
async function assertPlayOn(all: readonly Watcher[], seconds: number): Promise<void> {
  const begin = await Promise.all(all.map((watcher) => watcher.state()));
  for (const [n, { name, state }] of all.entries()) {
    await eventually(
      async () => {
        const now = await state();
        const facts = `${name}: ${JSON.stringify([begin[n], now])}`;
        assert.ok(now.timeS - begin[n]!.timeS >= seconds, facts);
        assert.ok(now.pictures - begin[n]!.pictures >= seconds * 5, facts);
      },
      { timeoutMs: PATIENCE_MS, intervalMs: 250 },
    );
    assert.deepEqual((await state()).complaints, [], name);
  }
}

test("a publisher that comes back without sound stops no player", options, async (t) => {
  const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 0 });
  const weir = await startWeir(t, { config: CONFIG });
  const first = publish(t, weir.rtmpUrl(STREAM), clip, { loop: true });
  await weir.onAir(STREAM, PATIENCE_MS);
  const all = await watchers(t, weir);
  await assertPlayOn(all, 3);
  await first.kill();
  await weir.logged("publisher left", PATIENCE_MS);
  const second = publish(t, weir.rtmpUrl(STREAM), clip, { loop: true, output: ["-c", "copy", "-an"] });
  await weir.logged("sound is missing, silence is packaged in its place", PATIENCE_MS);
  // More than all that players had when the sound ended.
  await assertPlayOn(all, 15);
  await second.kill();
  publish(t, weir.rtmpUrl(STREAM), clip, { loop: true });
  await weir.logged("sound is back where silence was packaged", PATIENCE_MS);
  await assertPlayOn(all, 15);
});

test(
  "sound that stops in the middle stops no player, and who joins later plays as well",
  options,
  async (t) => {
    const extra = ["-af", "atrim=end=12"];
    const clip = await makeClip({ durationS: 60, gopPictures: 25, bFrames: 0, extra });
    const weir = await startWeir(t, { config: CONFIG });
    // ffmpeg itself would wait ten seconds for sound.
    const output = ["-c", "copy", "-max_interleave_delta", "1000"];
    publish(t, weir.rtmpUrl(STREAM), clip, { loop: true, output });
    await weir.onAir(STREAM, PATIENCE_MS);
    const all = await watchers(t, weir);
    await weir.logged("sound is missing, silence is packaged in its place", PATIENCE_MS);
    await assertPlayOn(all, 12);
    const late = [await watchHls(t, weir, "index.m3u8"), await watchDash(t, weir, "dashjs")];
    await assertPlayOn(late, 5);
    const url = weir.url(`/${STREAM}/index.m3u8`);
    const frames = await probeFrames(url, { select: "a", readS: 2, timeoutMs: 60_000 });
    assert.ok(frames.length > 50, `ffprobe decodes ${frames.length} frames of sound`);
  },
);
