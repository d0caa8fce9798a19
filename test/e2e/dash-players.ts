/** dash.js and Shaka Player on a page of Chromium, with all that they complain about. */
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { CLOCK_BITS, FIELD_SIZE } from "../support/clock-camera.ts";
import { openPage } from "../support/browser.ts";
import type { TestEnd } from "../support/program.ts";

/** A player that nobody here wrote. */
export type DashPlayerName = "dashjs" | "shaka";

/** What a page with a player counts. Seconds. */
export type PlayerState = {
  readonly time: number;
  readonly duration: number;
  readonly isPaused: boolean;
  readonly presentedPictures: number;
  readonly droppedPictures: number;
  /** Times that playback ran dry after it had begun. */
  readonly stalls: number;
  /** Behind the live edge by the player's own reckoning; 0 where it has none. */
  readonly latency: number;
  /** The size of the picture, as `640x360`. */
  readonly size: string;
};

/** A page that plays an MPD. */
export type DashPage = {
  readonly page: Page;
  /** Warnings and errors of the console, the player's log and its events, in order. */
  readonly complaints: readonly string[];
  state(): Promise<PlayerState>;
  seek(seconds: number): Promise<void>;
  /** How long ago the picture on the screen was taken, in milliseconds; `NaN` when it has no clock. See `filmClock`. */
  pictureAgeMs(): Promise<number>;
};

/** How an MPD is played. */
export type DashPageOptions = {
  readonly player: DashPlayerName;
  readonly url: string;
  /** Settings of dash.js, or the configuration of Shaka. */
  readonly settings?: Readonly<Record<string, unknown>>;
};

const SCRIPTS: Readonly<Record<DashPlayerName, string>> = {
  dashjs: "dashjs/dist/modern/umd/dash.all.debug.js",
  shaka: "shaka-player/dist/shaka-player.dash.debug.js",
};

const MODULES = resolve(import.meta.dirname, "../../node_modules");
const BODY = `<!doctype html><link rel="icon" href="data:,"><video muted playsinline width="640" height="360"></video>`;

/** What the page script leaves on `window`. */
type PageWindow = { weirTest: { stalls: number; seek(seconds: number): void; latency(): number } };

/** Opens a page that plays at once; closed with the test. */
export async function openDashPage(t: TestEnd, options: DashPageOptions): Promise<DashPage> {
  const { page, errors } = await openPage(t, { flags: ["--autoplay-policy=no-user-gesture-required"] });
  const complaints = errors as string[];
  page.on("console", (message) => {
    if (message.type() === "warning") complaints.push(message.text());
  });
  // A page of the server's own origin: what a page without one may not do, players would warn of.
  const home = new URL("/dash-player-test.html", options.url).href;
  await page.route(home, (route) => route.fulfill({ contentType: "text/html", body: BODY }));
  await page.goto(home);
  await page.addScriptTag({ path: resolve(MODULES, SCRIPTS[options.player]) });
  const { url, settings = {} } = options;
  const start = options.player === "dashjs" ? startDashJs : startShaka;
  await page.evaluate(start, { url, settings });
  return {
    page,
    complaints,
    state: () => page.evaluate(readState),
    pictureAgeMs: () => page.evaluate(readPictureAge, { bits: CLOCK_BITS, fieldSize: FIELD_SIZE }),
    seek: (seconds) => page.evaluate((to) => (window as unknown as PageWindow).weirTest.seek(to), seconds),
  };
}

type StartArguments = { url: string; settings: Readonly<Record<string, unknown>> };

function startDashJs({ url, settings }: StartArguments): void {
  type DashJs = {
    initialize(video: HTMLVideoElement, url: string, autoPlay: boolean): void;
    updateSettings(settings: unknown): void;
    on(type: string, listener: (event: { error?: { message: string } }) => void): void;
    seek(seconds: number): void;
    isDynamic(): boolean;
    getCurrentLiveLatency(): number;
  };
  const { dashjs } = window as unknown as { dashjs: { MediaPlayer(): { create(): DashJs } } };
  const video = document.querySelector("video")!;
  const player = dashjs.MediaPlayer().create();
  const test = {
    stalls: 0,
    seek: (seconds: number) => player.seek(seconds),
    latency: () => (player.isDynamic() ? player.getCurrentLiveLatency() : 0),
  };
  let hasPlayed = false;
  video.addEventListener("playing", () => (hasPlayed = true));
  video.addEventListener("waiting", () => (test.stalls += hasPlayed && !video.seeking ? 1 : 0));
  // 3: warnings and what is worse.
  player.updateSettings({ debug: { logLevel: 3 } });
  player.updateSettings(settings);
  player.on("error", (event) => console.error(`dash.js: ${event.error?.message}`));
  player.initialize(video, url, true);
  Object.assign(window, { weirTest: test, dashPlayer: player });
}

function startShaka({ url, settings }: StartArguments): Promise<void> {
  type Shaka = {
    attach(video: HTMLVideoElement): Promise<void>;
    configure(settings: unknown): void;
    addEventListener(type: string, listener: (event: { detail?: { code: number } }) => void): void;
    load(url: string): Promise<void>;
    isLive(): boolean;
    getStats(): { liveLatency?: number };
  };
  type Library = {
    Player: new () => Shaka;
    polyfill: { installAll(): void };
    log: { setLevel(level: number): void; Level: { WARNING: number } };
  };
  const { shaka } = window as unknown as { shaka: Library };
  shaka.polyfill.installAll();
  shaka.log.setLevel(shaka.log.Level.WARNING);
  const video = document.querySelector("video")!;
  const player = new shaka.Player();
  const test = {
    stalls: 0,
    seek: (seconds: number) => void (video.currentTime = seconds),
    latency: () => (player.isLive() ? (player.getStats().liveLatency ?? 0) : 0),
  };
  let hasPlayed = false;
  video.addEventListener("playing", () => (hasPlayed = true));
  video.addEventListener("waiting", () => (test.stalls += hasPlayed && !video.seeking ? 1 : 0));
  Object.assign(window, { weirTest: test, dashPlayer: player });
  player.addEventListener("error", (event) => console.error(`Shaka: error ${event.detail?.code}`));
  return player
    .attach(video)
    .then(() => player.configure(settings))
    .then(() => player.load(url))
    .then(() => video.play());
}

function readState(): PlayerState {
  const video = document.querySelector("video")!;
  const quality = video.getVideoPlaybackQuality();
  const { weirTest } = window as unknown as PageWindow;
  return {
    time: video.currentTime,
    duration: video.duration,
    isPaused: video.paused,
    presentedPictures: quality.totalVideoFrames,
    droppedPictures: quality.droppedVideoFrames,
    stalls: weirTest.stalls,
    latency: weirTest.latency(),
    size: `${video.videoWidth}x${video.videoHeight}`,
  };
}

/** Reads the clock in the picture that is shown when this is called. */
function readPictureAge({ bits, fieldSize }: { bits: number; fieldSize: number }): number {
  const canvas = document.createElement("canvas");
  canvas.width = (bits + 2) * fieldSize;
  canvas.height = fieldSize;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const { width, height } = canvas;
  context.drawImage(document.querySelector("video")!, 0, 0, width, height, 0, 0, width, height);
  const now = Date.now();
  const pixels = context.getImageData(0, fieldSize / 2, width, 1).data;
  const bit = (field: number): number => (pixels[(field * fieldSize + fieldSize / 2) * 4]! > 128 ? 1 : 0);
  if (bit(0) !== 0 || bit(1) !== 1) return NaN;
  let stamp = 0;
  for (let i = bits - 1; i >= 0; i--) stamp = stamp * 2 + bit(i + 2);
  const modulus = 2 ** bits;
  return (((now - stamp) % modulus) + modulus) % modulus;
}
