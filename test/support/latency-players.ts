/** Players that others wrote, and our engine, on the page that measures how old the pictures on the screen are. */
import type { Page } from "playwright-core";
import { openPage } from "./browser.ts";
import { serveLatencyPage } from "./latency-page.ts";
import type { TestEnd } from "./program.ts";

/** The players by name. */
export const LATENCY_PLAYERS = ["ll-hls", "ll-dash", "hls", "flv", "mse-ld"] as const;

/** A player's name. */
export type LatencyPlayer = (typeof LATENCY_PLAYERS)[number];

/** How a player plays a stream. */
export type LatencyPlayerSpec = {
  /** For people. */
  readonly title: string;
  /** What follows the stream's name in the address. */
  readonly suffix: string;
  readonly scheme: "http" | "ws";
  /** Loaded before the script; of `SCRIPTS`. */
  readonly library: string | null;
  /** `URL` stands for the address of the stream. */
  readonly script: string;
};

const MODULES = new URL("../../node_modules/", import.meta.url);

/** What the page may load, by name. */
const SCRIPTS: Readonly<Record<string, URL>> = {
  "mse-engine.js": new URL("../../ui/live/mse-engine.js", import.meta.url),
  "mse-buffer.js": new URL("../../ui/live/mse-buffer.js", import.meta.url),
  "mse-file.js": new URL("../../ui/live/mse-file.js", import.meta.url),
  "mpegts.js": new URL("mpegts.js/dist/mpegts.js", MODULES),
  "hls.js": new URL("hls.js/dist/hls.min.js", MODULES),
  "dash.js": new URL("dashjs/dist/modern/umd/dash.all.min.js", MODULES),
};

const MSE_LD = `
  import { MseEngine } from "/mse-engine.js";
  const video = document.querySelector("video");
  const note = (word) => (detail) => globalThis.happened.push(word + " " + (detail ?? ""));
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
  player.on(mpegts.Events.ERROR, (...details) => globalThis.happened.push("Error " + details.join(" ")));
  player.attachMediaElement(document.querySelector("video"));
  player.load();
  void player.play();`;

const HLS = `
  const video = document.querySelector("video");
  const hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.2 });
  hls.on(Hls.Events.ERROR, (_, { fatal, details }) =>
    globalThis.happened.push((fatal ? "failure " : "trouble ") + details));
  hls.loadSource("URL");
  hls.attachMedia(video);
  void video.play();`;

const DASH = `
  const player = dashjs.MediaPlayer().create();
  player.on("error", ({ error }) => globalThis.happened.push("Error " + error?.message));
  player.initialize(document.querySelector("video"), "URL", true);`;

/** All of them. */
export const LATENCY_PLAYER_SPECS: Readonly<Record<LatencyPlayer, LatencyPlayerSpec>> = {
  "ll-hls": {
    title: "LL-HLS, hls.js",
    suffix: "/index.ll.m3u8",
    scheme: "http",
    library: "hls.js",
    script: HLS,
  },
  "ll-dash": {
    title: "LL-DASH, dash.js",
    suffix: "/index.ll.mpd",
    scheme: "http",
    library: "dash.js",
    script: DASH,
  },
  hls: {
    title: "HLS, segments of 2 s, hls.js",
    suffix: "/index.m3u8",
    scheme: "http",
    library: "hls.js",
    script: HLS,
  },
  flv: { title: "HTTP-FLV, mpegts.js", suffix: ".flv", scheme: "http", library: "mpegts.js", script: FLV },
  "mse-ld": { title: "MSE-LD, our engine", suffix: "/mse_ld", scheme: "ws", library: null, script: MSE_LD },
};

/** Opens a page with one player on it. `streamUrl`: of the stream alone, `http://HOST/NAME`. */
export async function openLatencyPage(
  t: TestEnd,
  streamUrl: string,
  spec: LatencyPlayerSpec,
): Promise<Page> {
  const url = await serveLatencyPage(t, SCRIPTS);
  const { page } = await openPage(t, { flags: ["--autoplay-policy=no-user-gesture-required"] });
  await page.goto(url);
  const source = streamUrl.replace("http", spec.scheme) + spec.suffix;
  await page.addScriptTag({ content: "globalThis.happened = [];" });
  if (spec.library !== null) await page.addScriptTag({ url: `/${spec.library}` });
  await page.addScriptTag({ type: "module", content: spec.script.replace("URL", source) });
  return page;
}

/** What the player said that went wrong: `failure`, `unavailable` or `Error`, or only `trouble`. */
export function happenedOn(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (globalThis as unknown as { happened: string[] }).happened);
}
