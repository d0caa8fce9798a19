/** Players of every kind for the latency page: what each does with the video, and where each finds a stream. */

/** The name of a player. */
export type LatencyPlayer = keyof typeof PLAYERS;

/** A player for the latency page. */
export type LatencyEngine = {
  /** What it is, for a table. */
  readonly title: string;
  /** Of the stream, behind its name. */
  readonly path: string;
  readonly scheme: "http" | "ws";
  /** A classic script that is loaded in front, by its name in `LATENCY_SCRIPTS`; `null` where there is none. */
  readonly library: string | null;
  /** The module that plays; `null` where the address is a page that plays by itself. It sets `happened`, a list of what went wrong. `STREAM_URL` stands for the address. */
  readonly module: string | null;
};

const file = (path: string): URL => new URL(`../../${path}`, import.meta.url);

/** What the latency page must serve for the players. */
export const LATENCY_SCRIPTS: Readonly<Record<string, URL>> = {
  "hls.js": file("node_modules/hls.js/dist/hls.min.js"),
  "dash.js": file("node_modules/dashjs/dist/modern/umd/dash.mediaplayer.min.js"),
  "mpegts.js": file("node_modules/mpegts.js/dist/mpegts.js"),
  "mse-engine.js": file("ui/live/mse-engine.js"),
  "mse-buffer.js": file("ui/live/mse-buffer.js"),
};

const HLS = `
  globalThis.happened = [];
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_event, { details, fatal }) => globalThis.happened.push(details + (fatal ? " failure" : "")));
  hls.loadSource("STREAM_URL");
  hls.attachMedia(document.querySelector("video"));`;

const DASH = `
  globalThis.happened = [];
  const player = dashjs.MediaPlayer().create();
  player.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE } });
  player.on(dashjs.MediaPlayer.events.ERROR, ({ error }) => globalThis.happened.push("failure " + error?.message));
  player.initialize(document.querySelector("video"), "STREAM_URL", true);`;

/** These are the settings with which mpegts.js stays near the edge: it seeks there whenever it is late. */
const FLV = `
  globalThis.happened = [];
  mpegts.LoggingControl.enableAll = false;
  const player = mpegts.createPlayer(
    { type: "flv", isLive: true, url: "STREAM_URL" },
    {
      enableStashBuffer: false,
      lazyLoad: false,
      liveBufferLatencyChasing: true,
      liveBufferLatencyMaxLatency: 0.6,
      liveBufferLatencyMinRemain: 0.2,
      autoCleanupSourceBuffer: true,
    },
  );
  player.on(mpegts.Events.ERROR, (...details) => globalThis.happened.push("failure " + details.join(" ")));
  player.attachMediaElement(document.querySelector("video"));
  player.load();
  void player.play();`;

const MSE_LD = `
  import { MseEngine } from "/mse-engine.js";
  const video = document.querySelector("video");
  const note = (word) => (detail) => globalThis.happened.push(word + " " + (detail ?? ""));
  globalThis.happened = [];
  new MseEngine({
    video,
    url: "STREAM_URL",
    events: {
      onReady: () => void video.play(),
      onUnavailable: note("unavailable"),
      onFailure: note("failure"),
      onTrouble: note("trouble"),
    },
  });`;

const http = { scheme: "http" } as const;
const page = { ...http, library: null, module: null } as const;

/** All players, by the name that `bench/latency.ts` takes. */
export const PLAYERS = {
  hls: { ...http, title: "HLS in hls.js", path: "/index.m3u8", library: "hls.js", module: HLS },
  "ll-hls": { ...http, title: "LL-HLS in hls.js", path: "/index.ll.m3u8", library: "hls.js", module: HLS },
  dash: { ...http, title: "DASH in dash.js", path: "/index.mpd", library: "dash.js", module: DASH },
  "ll-dash": {
    ...http,
    title: "LL-DASH in dash.js",
    path: "/index.ll.mpd",
    library: "dash.js",
    module: DASH,
  },
  flv: { ...http, title: "HTTP-FLV in mpegts.js", path: ".flv", library: "mpegts.js", module: FLV },
  "ws-flv": {
    scheme: "ws",
    title: "FLV over a WebSocket in mpegts.js",
    path: ".flv",
    library: "mpegts.js",
    module: FLV,
  },
  "mse-ld": {
    scheme: "ws",
    title: "MSE-LD in the page's engine",
    path: "/mse_ld",
    library: null,
    module: MSE_LD,
  },
  "page-ll-hls": { ...page, title: "LL-HLS in the player page", path: "/embed.html?proto=ll-hls" },
  "page-hls": { ...page, title: "HLS in the player page", path: "/embed.html?proto=hls" },
  "page-dash": { ...page, title: "DASH in the player page", path: "/embed.html?proto=dash" },
  "page-ll-dash": { ...page, title: "LL-DASH in the player page", path: "/embed.html?proto=ll-dash" },
  "page-mse-ld": { ...page, title: "MSE-LD in the player page", path: "/embed.html?proto=mse-ld" },
} as const satisfies Readonly<Record<string, LatencyEngine>>;

/** Whether there is a player of this name. */
export function isLatencyPlayer(name: string): name is LatencyPlayer {
  return Object.hasOwn(PLAYERS, name);
}
