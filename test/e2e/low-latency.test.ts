/** Low-latency HLS as players that are not ours see it: hls.js in Chromium. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const HLS_JS = new URL("../../node_modules/hls.js/dist/hls.min.js", import.meta.url).pathname;

const CONFIG = "template pub { prefix pub; input publish:// source_timeout=30; segment_duration 2; }";

/** What hls.js says of itself. */
type Playing = {
  readonly timeS: number;
  readonly latencyS: number;
  readonly behindS: number;
  readonly stalls: number;
  readonly partLoads: number;
  readonly segmentLoads: number;
  readonly errors: readonly string[];
  readonly isLowLatency: boolean;
};

type PlayerPage = {
  probe: { stalls: number; parts: number; segments: number; errors: string[] };
  hls: { latency: number; playingDate: Date | null; lowLatencyMode: boolean };
};

/** Plays an address in hls.js on an empty page of the server. */
async function playInHlsJs(page: Page, origin: string, url: string): Promise<void> {
  await page.route("**/blank", (route) =>
    route.fulfill({ contentType: "text/html", body: "<video muted>" }),
  );
  await page.goto(`${origin}/blank`);
  await page.addScriptTag({ path: HLS_JS });
  await page.evaluate((source) => {
    type Event = { part?: unknown; details?: string; type?: string; fatal?: boolean; reason?: string };
    type Player = PlayerPage["hls"] & {
      on(name: string, run: (name: string, event: Event) => void): void;
      loadSource(url: string): void;
      attachMedia(video: HTMLVideoElement): void;
    };
    const here = window as unknown as PlayerPage & { Hls: new (options: object) => Player };
    const probe: PlayerPage["probe"] = { stalls: 0, parts: 0, segments: 0, errors: [] };
    const video = document.querySelector("video")!;
    const hls = new here.Hls({ lowLatencyMode: true });
    here.probe = probe;
    here.hls = hls;
    hls.on("hlsFragLoaded", (_, { part }) => void (part ? probe.parts++ : probe.segments++));
    hls.on("hlsError", (_, { details, reason, fatal }) => {
      if (details === "bufferStalledError") probe.stalls++;
      probe.errors.push(`${details} ${reason ?? ""} ${fatal ? "fatal" : ""}`);
    });
    let hasPlayed = false;
    video.addEventListener("playing", () => (hasPlayed = true));
    video.addEventListener("waiting", () => void (hasPlayed && probe.stalls++));
    hls.loadSource(source);
    hls.attachMedia(video);
    void video.play();
  }, url);
}

function playing(page: Page): Promise<Playing> {
  return page.evaluate(() => {
    const { probe, hls } = window as unknown as PlayerPage;
    const date = hls.playingDate;
    return {
      timeS: document.querySelector("video")!.currentTime,
      latencyS: hls.latency,
      behindS: date === null ? Infinity : (Date.now() - date.getTime()) / 1000,
      stalls: probe.stalls,
      partLoads: probe.parts,
      segmentLoads: probe.segments,
      errors: probe.errors,
      isLowLatency: hls.lowLatencyMode,
    };
  });
}

const options = { skip: needs("chromium", "ffmpeg"), timeout: 180_000 };

test("hls.js plays parts, without a stall, at most 1.5 s behind", options, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const clip = await makeClip({ durationS: 20, width: 640, height: 360, gopPictures: 25 });
  publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
  const { page, errors } = await openPage(t);
  await eventually(async () =>
    assert.equal((await fetch(weir.url("/pub/camera/index.ll.m3u8"))).status, 200),
  );
  await playInHlsJs(page, weir.url(""), weir.url("/pub/camera/index.ll.m3u8"));
  await eventually(async () => assert.ok((await playing(page)).timeS > 0), { timeoutMs: 30_000 });
  // It begins behind and comes nearer by playing a little faster.
  await eventually(async () => assert.ok((await playing(page)).behindS < 1.5), { timeoutMs: 30_000 });
  const before = await playing(page);
  await sleep(20_000);
  const after = await playing(page);
  t.diagnostic(JSON.stringify(after));
  assert.ok(after.behindS <= 1.5, `${after.behindS} s behind`);
  assert.equal(after.stalls, before.stalls, after.errors.join("; "));
  assert.ok(Math.abs(after.timeS - before.timeS - 20) < 1, `${after.timeS - before.timeS} s in 20 s`);
  assert.ok(after.partLoads - before.partLoads > 80, `${after.partLoads} parts`);
  assert.deepEqual(errors, []);
});
