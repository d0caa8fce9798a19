/** The player page's timeline: what is recorded is seen, gone to, left for what is live, and saved. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually } from "../support/eventually.ts";
import { makeClip, probeFormat, publish } from "../support/ffmpeg.ts";
import { openPlayer, untilPlaying } from "../support/player-page.ts";
import type { PlayerPage } from "../support/player-page.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = needs("chromium", "ffmpeg");
const options = { skip, timeout: 180_000 };

type Status = { from: number; duration: number; ranges: { from: number; duration: number }[] };

/** Waits until the picture is of a time, in seconds since 1970. */
async function untilPicture(player: PlayerPage, fromS: number, toS: number): Promise<void> {
  const look = async (): Promise<void> => {
    const { pictureTimeMs, phase, isPaused } = await player.state();
    const atS = (pictureTimeMs ?? NaN) / 1000;
    assert.ok(phase === "playing" && !isPaused && atS >= fromS && atS <= toS, `${atS}: ${fromS} to ${toS}`);
  };
  await eventually(look, { timeoutMs: 40_000 });
}

/** Presses at a place of the timeline that is recorded. */
async function pressBar(page: Page, index: number, part: number): Promise<void> {
  const { x, y } = await page.evaluate(
    ([at, along]) => {
      const bar = document.querySelectorAll("#track-bars span")[at!]!.getBoundingClientRect();
      return { x: bar.x + bar.width * along!, y: bar.y + bar.height / 2 };
    },
    [index, part],
  );
  await page.mouse.click(x, y);
}

describe("the timeline of the player page", () => {
  let weir: Weir;
  let ranges: Status["ranges"] = [];
  const cleaning: (() => void | Promise<void>)[] = [];
  const end = { after: (clean: () => void | Promise<void>) => void cleaning.push(clean) };

  async function status(): Promise<Status> {
    const reply = await fetch(weir.url("/rec/cam/recording_status.json"));
    assert.equal(reply.status, 200);
    return (await reply.json()) as Status;
  }

  before(async () => {
    if (skip !== false) return;
    const root = await mkdtemp(join(tmpdir(), "weir-timeline-"));
    cleaning.push(() => rm(root, { recursive: true, force: true }));
    const config = `template rec { prefix rec; input publish://; segment_duration 1; dvr ${root} 1d; }`;
    weir = await startWeir(end, { config });
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const recorded = async (count: number, seconds: number): Promise<void> => {
      const look = async (): Promise<void> => {
        ranges = (await status()).ranges;
        assert.ok(ranges.length >= count && ranges.at(-1)!.duration >= seconds, JSON.stringify(ranges));
      };
      await eventually(look, { timeoutMs: 60_000, intervalMs: 300 });
    };
    const first = publish(end, weir.rtmpUrl("rec/cam"), clip, { loop: true });
    await recorded(1, 6);
    await first.kill();
    // Two ranges with less than two whole seconds between them would be told as one.
    const stoppedMs = Date.now();
    await eventually(() => assert.ok(Date.now() - stoppedMs > 3000));
    publish(end, weir.rtmpUrl("rec/cam"), clip, { loop: true });
    await recorded(2, 2);
  });
  after(async () => {
    for (const clean of cleaning.toReversed()) await clean();
  });

  test("shows what is recorded, goes there, and comes back to what is live", options, async (t) => {
    const player = await openPlayer(t, weir.url("/rec/cam/embed.html?dvr=true&localtime=false"));
    const { page } = player;
    await untilPlaying(player);
    await page.getByRole("region", { name: "Recording" }).waitFor();
    const live = page.locator("#timeline-live");
    await eventually(async () => assert.equal(await live.getAttribute("data-at-edge"), "true"));
    assert.equal(await page.locator("#track-bars span").count(), 2);
    assert.equal(await page.locator("#timeline-day option").count(), 1);

    const { from, duration } = ranges[0]!;
    await page.locator("#track-bars span").first().hover();
    const picture = page.locator("#track-picture");
    await picture.waitFor({ state: "visible", timeout: 30_000 });
    assert.equal(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth > 100), true);

    // As a server answers that has no ffmpeg: the browser is given the key frame itself.
    await page.route(/-preview\.jpg/, (route) => route.fulfill({ status: 501 }));
    await page.locator("#track-bars span").nth(1).hover();
    const keyFrame = page.locator("#track-key-frame");
    await keyFrame.waitFor({ state: "visible", timeout: 30_000 });
    assert.equal(await keyFrame.evaluate((video: HTMLVideoElement) => video.videoWidth > 100), true);
    assert.equal(await picture.isVisible(), false);
    await page.unroute(/-preview\.jpg/);

    await pressBar(page, 0, 0.4);
    await untilPicture(player, from, from + duration);
    // The panel is drawn some times a second.
    await eventually(async () => assert.equal(await live.getAttribute("data-at-edge"), "false"));
    assert.match((await page.locator("#track").getAttribute("aria-valuetext"))!, /Today|Yesterday/);
    await player.screenshot("player-timeline");
    // It goes on over the gap.
    await untilPicture(player, ranges[1]!.from, Infinity);

    await live.click();
    await eventually(async () => assert.equal(await live.getAttribute("data-at-edge"), "true"), {
      timeoutMs: 30_000,
    });

    // The address may say where to begin, with and without a timeline.
    const asked = player.paths.length;
    await page.goto(weir.url(`/rec/cam/embed.html?from=${from + 3}`));
    await untilPicture(player, from + 2, from + 60);
    assert.equal(await page.locator("#timeline").isVisible(), false);
    assert.equal(
      player.paths.slice(asked).some((path) => path.endsWith("/index.m3u8")),
      false,
    );
    // The browser tells of answers that it was given above.
    assert.deepEqual(
      player.errors.filter((line) => !line.includes("501")),
      [],
    );
  });

  test("chooses a clip by keyboard, saves it, and fits on a phone", options, async (t) => {
    const player = await openPlayer(t, weir.url("/rec/cam/embed.html?dvr=true&export_limit=4"), {
      colorScheme: "dark",
    });
    const { page } = player;
    await untilPlaying(player);
    await pressBar(page, 0, 0.9);
    await page.getByRole("button", { name: "Clip", exact: true }).click();
    const begins = page.getByRole("slider", { name: "Clip begins" });
    assert.equal(await page.evaluate(() => document.activeElement?.id), "clip-from");
    const valueOf = async (name: string): Promise<number> =>
      Number(await page.getByRole("slider", { name }).getAttribute("aria-valuenow"));
    for (let i = 0; i < 20; i++) await begins.press("ArrowLeft");
    assert.equal(await valueOf("Clip begins"), ranges[0]!.from);
    // As long as the address allows.
    assert.equal(await valueOf("Clip ends"), ranges[0]!.from + 4);
    await player.screenshot("player-clip");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as MP4" }).click(),
    ]);
    const path = await download.path();
    assert.match(download.suggestedFilename(), /^archive-\d+-4\.mp4$/);
    const format = await probeFormat(path);
    const seconds = Number(format.duration ?? NaN);
    assert.ok(seconds > 2 && seconds < 7, `${seconds} s`);
    await eventually(async () =>
      assert.match((await page.locator("#clip-words").textContent())!, /^The clip is saved/),
    );

    await page.setViewportSize({ width: 390, height: 844 });
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll("button, select, [role=slider], #timeline")]
        .filter((element) => element.checkVisibility())
        .filter((element) => {
          const { left, top, right, bottom } = element.getBoundingClientRect();
          return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight;
        })
        .map(({ id }) => id),
    );
    await player.screenshot("player-timeline-phone");
    assert.deepEqual(outside, []);
    await begins.press("Escape");
    assert.equal(await begins.isVisible(), false);
    assert.deepEqual(player.errors, []);
  });
});
