import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { openPage } from "../support/browser.ts";
import { filmClock } from "../support/clock-camera.ts";
import { eventually } from "../support/eventually.ts";
import { median, seenPictures, serveLatencyPage } from "../support/latency-page.ts";
import type { SeenPictures } from "../support/latency-page.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const CONFIG = "template pub { prefix pub; input publish:// source_timeout=30; }";
const options = { skip: needs("chromium", "ffmpeg"), timeout: 180_000 };

/** So many pictures are looked at, once a player has found the edge. */
const WARM_UP = 75;
const PICTURES = 250;

const SCRIPTS = {
  "mse-engine.js": new URL("../../ui/live/mse-engine.js", import.meta.url),
  "mse-buffer.js": new URL("../../ui/live/mse-buffer.js", import.meta.url),
  "mpegts.js": new URL("../../node_modules/mpegts.js/dist/mpegts.js", import.meta.url),
};

/** What a page does with the video; `URL` stands for the address of the stream. */
const MSE_LD = `
  import { MseEngine } from "/mse-engine.js";
  const video = document.querySelector("video");
  const note = (word) => (detail) => globalThis.happened.push(word + " " + (detail ?? ""));
  globalThis.happened = [];
  globalThis.engine = new MseEngine({
    video,
    url: "URL",
    events: {
      onReady: () => void video.play(),
      onUnavailable: note("unavailable"),
      onFailure: note("failure"),
      onTrouble: note("trouble"),
    },
  });`;

/** These are the settings with which mpegts.js stays near the edge: it seeks there when it is far behind,
 * and plays a little faster when it is somewhat late. */
const FLV = `
  globalThis.happened = [];
  const player = mpegts.createPlayer(
    { type: "flv", isLive: true, url: "URL" },
    {
      enableStashBuffer: false,
      lazyLoad: false,
      liveBufferLatencyChasing: true,
      liveBufferLatencyMaxLatency: 1,
      liveBufferLatencyMinRemain: 0.35,
      liveSync: true,
      liveSyncMaxLatency: 0.5,
      liveSyncTargetLatency: 0.35,
      liveSyncPlaybackRate: 1.1,
      autoCleanupSourceBuffer: true,
    },
  );
  player.on(mpegts.Events.ERROR, (...details) => globalThis.happened.push(details.join(" ")));
  player.attachMediaElement(document.querySelector("video"));
  player.load();
  void player.play();`;

async function onAir(t: TestEnd): Promise<Weir> {
  const weir = await startWeir(t, { config: CONFIG });
  filmClock(t, weir.rtmpUrl("pub/camera"));
  await weir.onAir("pub/camera", 30_000);
  return weir;
}

/** Opens a page with one player on it. */
async function playIn(t: TestEnd, script: string, streamUrl: string): Promise<Page> {
  const url = await serveLatencyPage(t, SCRIPTS);
  const { page } = await openPage(t, { flags: ["--autoplay-policy=no-user-gesture-required"] });
  await page.goto(url);
  if (script === FLV) await page.addScriptTag({ url: "/mpegts.js" });
  await page.addScriptTag({ type: "module", content: script.replace("URL", streamUrl) });
  return page;
}

function happened(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (globalThis as unknown as { happened: string[] }).happened);
}

/** Waits until so many pictures were shown. */
async function shown(page: Page, pictures: number): Promise<SeenPictures> {
  const look = async (): Promise<SeenPictures> => {
    const seen = await seenPictures(page);
    const said = (await happened(page)).join("; ");
    assert.ok(seen.agesMs.length >= pictures, `${seen.agesMs.length} pictures were shown; ${said}`);
    return seen;
  };
  return eventually(look, { timeoutMs: 90_000, intervalMs: 250 });
}

/**
 * How far from the newest picture that it has a player may be. How old the pictures are depends on the machine's encoder,
 * too: that is in the report.
 */
const MAX_LAG_S = 1.5;

const PLAYERS = [
  { name: "MSE-LD in the player page's engine", script: MSE_LD, path: "/pub/camera/mse_ld", scheme: "ws" },
  { name: "FLV over HTTP in mpegts.js", script: FLV, path: "/pub/camera.flv", scheme: "http" },
  { name: "FLV over a WebSocket in mpegts.js", script: FLV, path: "/pub/camera.flv", scheme: "ws" },
];

for (const { name, script, path, scheme } of PLAYERS) {
  test(`${name} plays live in Chromium close behind the camera`, options, async (t) => {
    const weir = await onAir(t);
    const page = await playIn(t, script, weir.url(path).replace("http", scheme));
    const { agesMs, stalls, playedS, elapsedS } = await shown(page, WARM_UP + PICTURES);
    const steady = agesMs.slice(WARM_UP);
    const said = (await happened(page)).join("; ");
    t.diagnostic(
      `camera to screen: median ${median(steady)} ms, most ${Math.max(...steady)} ms; ${stalls} stalls; ` +
        `${playedS.toFixed(1)} s in ${elapsedS.toFixed(1)} s; ${said}`,
    );
    assert.doesNotMatch(said, /failure|unavailable|Error/);
    await eventually(async () => {
      const { lagS } = await seenPictures(page);
      assert.ok(lagS < MAX_LAG_S, `${lagS} s behind the newest picture`);
    });
  });
}
