/** The player page's ways to play: each of them plays, is loaded only when it is chosen, and another one takes over. */
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually } from "../support/eventually.ts";
import { makeClip } from "../support/ffmpeg.ts";
import { openPlayer, untilPlaying } from "../support/player-page.ts";
import type { PlayerPage } from "../support/player-page.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const SAMPLES = new URL("../../samples", import.meta.url).pathname;
const CONFIG = `vod vod { storage "${SAMPLES}"; }
stream demo { title "Demo"; input file://vod/sample.mp4; segment_duration 2; }
stream only-dash { input file://vod/sample.mp4; segment_duration 2; protocols dash player; }
stream only-mse { input file://vod/sample.mp4; segment_duration 2; protocols mseld player; }`;

const MAX_FIRST_LOAD_BYTES = 250 * 1024;

const skip = needs("chromium", "ffmpeg");
const options = { skip, timeout: 180_000 };

describe("the player page", () => {
  let weir: Weir;
  const cleaning: (() => void | Promise<void>)[] = [];
  before(async () => {
    const end = { after: (clean: () => void | Promise<void>) => void cleaning.push(clean) };
    if (skip === false) weir = await startWeir(end, { config: CONFIG });
  });
  after(async () => {
    for (const clean of cleaning.toReversed()) await clean();
  });

  const engines: [proto: string, path: string, script: string | null][] = [
    ["ll-hls", "/demo/index.ll.m3u8", "/-/ui/hls.min.js"],
    ["hls", "/demo/index.m3u8", "/-/ui/hls.min.js"],
    ["ll-dash", "/demo/index.ll.mpd", "/-/ui/dash.min.js"],
    ["dash", "/demo/index.mpd", "/-/ui/dash.min.js"],
    ["mse-ld", "/demo/mse_ld", null],
  ];
  for (const [proto, path, script] of engines) {
    test(`plays live by ${proto}, loads what that needs, and says how late it is`, options, async (t) => {
      const player = await openPlayer(t, weir.url(`/demo/embed.html?proto=${proto}`));
      const { protocol, isLive } = await untilPlaying(player);
      assert.deepEqual([protocol, isLive], [proto, true]);
      assert.ok(player.paths.includes(path), player.paths.join("\n"));
      const scripts = player.paths.filter((asked) => asked.endsWith(".min.js"));
      assert.deepEqual(scripts, script === null ? [] : [script]);
      await eventually(async () => {
        const { delaySeconds } = await player.state();
        // A file that plays live may be a moment ahead of the clock: then it is 0.
        assert.ok(delaySeconds !== null && delaySeconds >= 0 && delaySeconds < 60, `${delaySeconds} s`);
      });
      await player.screenshot(`player-${proto}`);
      assert.deepEqual(player.errors, []);
    });
  }

  test("loads at most 250 KB before it plays, and nothing of other engines", options, async (t) => {
    const sizes = new Map<string, number>();
    const prepare = async (page: Page): Promise<void> => {
      const session = await page.context().newCDPSession(page);
      const addresses = new Map<string, string>();
      session.on("Network.requestWillBeSent", ({ requestId, request }) =>
        addresses.set(requestId, new URL(request.url).pathname),
      );
      session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) =>
        sizes.set(addresses.get(requestId) ?? requestId, encodedDataLength),
      );
      await session.send("Network.enable");
    };
    const player = await openPlayer(t, weir.url("/demo/embed.html"), { prepare });
    await untilPlaying(player);
    const page = [...sizes].filter(([path]) => path.startsWith("/-/ui/") || path.endsWith("/embed.html"));
    assert.ok(page.some(([path]) => path === "/-/ui/hls.min.js") && page.length > 10, page.join("\n"));
    const total = page.reduce((sum, [, bytes]) => sum + bytes, 0);
    t.diagnostic(`${total} bytes over the wire in ${page.length} answers`);
    assert.ok(total <= MAX_FIRST_LOAD_BYTES, `${total} bytes\n${page.join("\n")}`);
    assert.doesNotMatch([...sizes.keys()].join(), /dash|mse|mpegts/);
  });

  const missing = (pattern: string) => async (page: Page) => {
    await page.route(pattern, (route) => route.fulfill({ status: 404, body: "" }));
  };
  const fallBacks: [what: string, pattern: string, proto: string, by: string][] = [
    ["there is no low-latency playlist", "**/index.ll.m3u8", "ll-hls", "hls"],
    ["the script of HLS cannot be loaded", "**/hls.min.js", "ll-hls", "dash"],
    ["the MPD is gone", "**/*.mpd", "dash", "ll-hls"],
  ];
  for (const [what, pattern, proto, by] of fallBacks) {
    test(`plays by ${by} where ${what}`, options, async (t) => {
      const prepare = missing(pattern);
      const player = await openPlayer(t, weir.url(`/demo/embed.html?proto=${proto}`), { prepare });
      const state = await untilPlaying(player);
      assert.deepEqual([state.protocol, state.message], [by, null]);
    });
  }

  test("plays by DASH, or MSE-LD, where the stream is given by that alone", options, async (t) => {
    for (const [name, by] of [
      ["only-dash", "dash"],
      ["only-mse", "mse-ld"],
    ] as const) {
      const player = await openPlayer(t, weir.url(`/${name}/embed.html`));
      assert.equal((await untilPlaying(player)).protocol, by);
    }
  });

  test("plays a file, and lets choose between its sound tracks", options, async (t) => {
    const clip = await makeClip({ durationS: 20, audioTracks: 2 });
    const server = await startWeir(t, { config: `vod files { storage "${dirname(clip)}"; }` });
    const player = await openPlayer(t, server.url(`/files/${basename(clip)}/embed.html?proto=dash`));
    const { protocol, isLive, delaySeconds } = await untilPlaying(player);
    assert.deepEqual([protocol, isLive, delaySeconds], ["dash", false, null]);
    const { page } = player;
    await page.keyboard.press("s");
    const sound = page.getByRole("combobox", { name: "Sound" });
    await sound.selectOption({ index: 1 });
    const second = async (on: PlayerPage): Promise<void> => {
      const { choices } = await on.state();
      assert.equal(choices.find(({ kind }) => kind === "sound")?.selected, 1);
    };
    await eventually(() => second(player));
    assert.deepEqual(player.errors, []);
    const chosen = await openPlayer(t, player.page.url().replace("dash", "hls&start_track=a2"));
    await untilPlaying(chosen);
    await eventually(() => second(chosen));
  });

  test("plays a file over MSE-LD, by its seek bar, to the end and again", options, async (t) => {
    const clip = await makeClip({ durationS: 20, bFrames: 2, audioTracks: 2 });
    const server = await startWeir(t, { config: `vod files { storage "${dirname(clip)}"; }` });
    const said: string[] = [];
    const prepare = async (page: Page): Promise<void> => {
      page.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => said.push(payload.toString()));
      });
    };
    const address = server.url(`/files/${basename(clip)}/embed.html?proto=mse-ld`);
    const player = await openPlayer(t, address, { prepare });
    const { protocol, isLive, delaySeconds } = await untilPlaying(player);
    assert.deepEqual([protocol, isLive, delaySeconds], ["mse-ld", false, null]);
    const { page } = player;
    const seconds = async (): Promise<number> => (await player.state()).currentTimeSeconds;
    const patience = { timeoutMs: 60_000 };
    const seek = page.locator("#seek");
    assert.ok(Math.abs(Number(await seek.getAttribute("max")) - 20) < 0.2);
    await page.keyboard.press("s");
    await page.getByRole("combobox", { name: "Sound" }).selectOption({ index: 1 });
    await eventually(() => assert.equal(said[0], "set_tracks=v1a2"));
    await seek.fill("13");
    await eventually(() => assert.ok(said.includes("play_from=13.000"), said.join()));
    await eventually(async () => assert.ok((await seconds()) > 13.5), patience);
    await eventually(async () => {
      const { phase, message } = await player.state();
      assert.deepEqual([phase, message], ["finished", null]);
    }, patience);
    assert.ok((await seconds()) > 19.5);
    await player.screenshot("player-mse-ld-file");
    await page.evaluate(() => void document.querySelector("video")!.play());
    await eventually(async () => {
      const { phase, isPaused, currentTimeSeconds } = await player.state();
      assert.ok(
        phase === "playing" && !isPaused && currentTimeSeconds > 1,
        `${phase} ${currentTimeSeconds}`,
      );
      assert.ok(currentTimeSeconds < 19);
    }, patience);
    assert.equal((await player.state()).protocol, "mse-ld");
    assert.ok(
      player.paths.every((path) => !/m3u8|mpd/.test(path)),
      player.paths.join("\n"),
    );
    assert.deepEqual(player.errors, []);
  });

  test("begins and stops where the address says, as far as there is no archive", options, async (t) => {
    const address = "/demo/embed.html?ago=600&play_duration=2&volume=loud";
    const player = await openPlayer(t, weir.url(address));
    const said: string[] = [];
    player.page.on("console", (message) => said.push(message.text()));
    await eventually(
      async () => {
        const state = await player.state();
        assert.ok(state.isPaused && state.totalFrames > 25, JSON.stringify(state));
      },
      { timeoutMs: 60_000, intervalMs: 200 },
    );
    assert.equal((await player.state()).protocol, "hls");
    assert.match(said.join("\n"), /keeps no archive of this stream: this is the oldest/);
    assert.match(said.join("\n"), /The time that this page may play for is over/);
  });
});
