/** Chromium with hls.js plays live and files, by its own counters; pictures of it are kept. */
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const SAMPLES = new URL("../../samples", import.meta.url).pathname;

/** What the page and the browser count. */
type Counters = { time: number; presented: number; dropped: number; stalls: number; paused: boolean };

async function counters(page: Page): Promise<Counters> {
  return page.evaluate(() => {
    const video = document.querySelector("video")!;
    const quality = video.getVideoPlaybackQuality();
    const { stalls } = (
      window as unknown as { weirPlayer: { state(): { stalls: number } } }
    ).weirPlayer.state();
    return {
      time: video.currentTime,
      presented: quality.totalVideoFrames,
      dropped: quality.droppedVideoFrames,
      stalls,
      paused: video.paused,
    };
  });
}

async function untilPlaying(page: Page): Promise<void> {
  await eventually(
    async () => {
      const { time, paused, presented } = await counters(page);
      assert.ok(time > 0 && !paused && presented > 10);
    },
    { timeoutMs: 40_000 },
  );
}

/** Plays for a while and checks that time and pictures went on as they should. */
async function playWithoutStall(page: Page, seconds: number): Promise<void> {
  const first = await counters(page);
  await sleep(seconds * 1000);
  const last = await counters(page);
  const played = last.time - first.time;
  assert.ok(Math.abs(played - seconds) < 1.5, `${played.toFixed(2)} s were played in ${seconds} s`);
  assert.equal(last.stalls, first.stalls, "it stalled");
  assert.ok(
    last.presented - first.presented > seconds * 20,
    `${last.presented - first.presented} pictures in ${seconds} s`,
  );
}

const CONFIG = `template pub { prefix pub; input publish:// source_timeout=30; segment_duration 2; }
vod vod { storage "${SAMPLES}"; }
stream demo { title "Demo"; input file://vod/sample.mp4; segment_duration 2; }`;

const options = { skip: needs("chromium", "ffmpeg"), timeout: 180_000 };

test("plays a live stream for 30 s without a stall", options, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const { page, errors, screenshot } = await openPage(t);
  await page.goto(weir.url("/demo/embed.html?proto=hls"));
  await untilPlaying(page);
  await playWithoutStall(page, 30);
  await screenshot("player-live");
  assert.deepEqual(errors, []);
});

test("plays a file for 30 s without a stall, and seeks", options, async (t) => {
  const clip = await makeClip({ durationS: 45, width: 640, height: 360, bFrames: 2 });
  const weir = await startWeir(t, { config: `vod files { storage "${dirname(clip)}"; }` });
  const { page, errors, screenshot } = await openPage(t);
  await page.goto(weir.url(`/files/${basename(clip)}/embed.html`));
  await untilPlaying(page);
  await playWithoutStall(page, 30);
  await screenshot("player-file");
  await page.evaluate(() => void (document.querySelector("video")!.currentTime = 5));
  await eventually(async () => {
    const { time, paused } = await counters(page);
    assert.ok(!paused && time > 6 && time < 20, `at ${time} s`);
  });
  assert.deepEqual(errors, []);
});

test(
  "says that nobody publishes, starts by itself, and goes on when the publisher returns",
  options,
  async (t) => {
    const weir = await startWeir(t, { config: CONFIG });
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const { page, screenshot } = await openPage(t, { width: 390, height: 844, colorScheme: "dark" });
    await page.goto(weir.url("/pub/camera/embed.html"));
    await eventually(async () => assert.match(await page.innerText("body"), /not on air/));
    await screenshot("player-not-on-air-phone");
    const first = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await untilPlaying(page);
    await sleep(3000);
    await first.kill();
    await sleep(4000);
    const { time } = await counters(page);
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await eventually(
      async () => {
        const now = await counters(page);
        assert.ok(!now.paused && now.time > time + 6, `${time} s, then ${now.time} s`);
      },
      { timeoutMs: 60_000 },
    );
    await screenshot("player-came-back-phone");
  },
);

test("the front page lists streams and files and plays what is chosen", options, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const { page, errors, screenshot } = await openPage(t);
  await page.goto(weir.url("/"));
  await eventually(async () => {
    const text = await page.innerText("body");
    assert.match(text, /Demo/);
    assert.match(text, /sample\.mp4/);
  });
  await page.getByText("Demo", { exact: false }).first().click();
  const frame = await eventually(() => {
    const found = page.frames().find((candidate) => candidate.url().includes("/demo/embed.html"));
    assert.ok(found !== undefined, "the player was not opened");
    return found;
  });
  await eventually(
    async () => assert.ok((await frame.evaluate(() => document.querySelector("video")!.currentTime)) > 1),
    { timeoutMs: 30_000 },
  );
  await screenshot("front-page");
  assert.deepEqual(errors, []);
});
