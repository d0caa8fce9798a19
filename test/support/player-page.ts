/** The player page in Chromium: what it says of itself, and what it must never do. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { openPage } from "./browser.ts";
import type { BrowserOptions, OpenPage } from "./browser.ts";
import { eventually } from "./eventually.ts";
import type { TestEnd } from "./program.ts";

/** What `window.weirPlayer.state()` gives, as far as tests look at it. */
export type PlayerPageState = {
  readonly protocol: string | null;
  readonly phase: string;
  readonly message: string | null;
  readonly isLive: boolean | null;
  readonly delaySeconds: number | null;
  readonly hasSound: boolean;
  readonly pictureTimeMs: number | null;
  readonly recoveries: number;
  readonly choices: readonly { kind: string; names: readonly string[]; selected: number }[];
  readonly currentTimeSeconds: number;
  readonly isPaused: boolean;
  readonly isMuted: boolean;
  readonly totalFrames: number;
};

/** A player page, and what it asked the server for. */
export type PlayerPage = OpenPage & {
  /** Paths of all requests, in order. */
  readonly paths: readonly string[];
  state(): Promise<PlayerPageState>;
};

/** Opens a player page; `prepare` is called before it is loaded. */
export async function openPlayer(
  t: TestEnd,
  url: string,
  options: BrowserOptions & { readonly prepare?: (page: Page) => Promise<void> } = {},
): Promise<PlayerPage> {
  const { prepare, ...browser } = options;
  const opened = await openPage(t, browser);
  const paths: string[] = [];
  opened.page.on("request", (request) => paths.push(new URL(request.url()).pathname));
  opened.page.on("websocket", (socket) => paths.push(new URL(socket.url()).pathname));
  await prepare?.(opened.page);
  await opened.page.goto(url);
  return { ...opened, paths, state: () => stateOf(opened.page) };
}

/** Waits until pictures come one after the other. */
export async function untilPlaying(player: PlayerPage, pictures = 25): Promise<PlayerPageState> {
  const look = async (): Promise<PlayerPageState> => {
    const state = await player.state();
    const seen = `${JSON.stringify(state)}\n${player.errors.join("\n")}`;
    assert.ok(state.phase === "playing" && !state.isPaused && state.totalFrames >= pictures, seen);
    return state;
  };
  return eventually(look, { timeoutMs: 60_000, intervalMs: 200 });
}

function stateOf(page: Page): Promise<PlayerPageState> {
  return page.evaluate(() =>
    (globalThis as unknown as { weirPlayer: { state(): PlayerPageState } }).weirPlayer.state(),
  );
}
