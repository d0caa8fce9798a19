/** The player page's controls: by keyboard, by role and name, and on a phone. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually } from "../support/eventually.ts";
import { openPlayer, untilPlaying } from "../support/player-page.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const SAMPLES = new URL("../../samples", import.meta.url).pathname;
const CONFIG = `vod vod { storage "${SAMPLES}"; }
stream demo { title "Demo"; input file://vod/sample.mp4; segment_duration 2; }
stream other { title "Other"; input file://vod/sample.mp4; segment_duration 2; }`;

const skip = needs("chromium");
const options = { skip, timeout: 180_000 };

/** Facts of the video that keys change. */
type VideoFacts = { paused: boolean; muted: boolean; volume: number; time: number; isFull: boolean };

function factsOf(page: Page): Promise<VideoFacts> {
  return page.evaluate(() => {
    const { paused, muted, volume, currentTime } = document.querySelector("video")!;
    return { paused, muted, volume, time: currentTime, isFull: document.fullscreenElement !== null };
  });
}

async function untilFacts(page: Page, wanted: Partial<VideoFacts>): Promise<void> {
  await eventually(async () => {
    const facts = await factsOf(page);
    assert.deepEqual({ ...facts, ...wanted }, facts);
  });
}

describe("the player page's controls", () => {
  let weir: Weir;
  const cleaning: (() => void | Promise<void>)[] = [];
  before(async () => {
    const end = { after: (clean: () => void | Promise<void>) => void cleaning.push(clean) };
    if (skip === false) weir = await startWeir(end, { config: CONFIG });
  });
  after(async () => {
    for (const clean of cleaning.toReversed()) await clean();
  });

  test("obey the keyboard", options, async (t) => {
    const player = await openPlayer(t, weir.url("/demo/embed.html?proto=hls"));
    const { page } = player;
    await untilPlaying(player);
    await page.keyboard.press("Space");
    await untilFacts(page, { paused: true });
    await page.keyboard.press("k");
    await untilFacts(page, { paused: false });
    await page.keyboard.press("m");
    await untilFacts(page, { muted: false, volume: 1 });
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await untilFacts(page, { volume: 0.8 });
    await page.keyboard.press("ArrowUp");
    await untilFacts(page, { volume: 0.9 });
    assert.equal(await page.locator("#announcer").textContent(), "Volume 90%");
    await page.keyboard.press("M");
    await untilFacts(page, { muted: true });
    await page.keyboard.press("f");
    await untilFacts(page, { isFull: true });
    await page.keyboard.press("f");
    await untilFacts(page, { isFull: false });
    const { errors } = player;
    assert.deepEqual(errors, []);
  });

  test("step back in a live stream, and return to its edge", options, async (t) => {
    const player = await openPlayer(t, weir.url("/demo/embed.html?proto=hls"));
    const { page } = player;
    await untilPlaying(player);
    const delay = async (): Promise<number> => (await player.state()).delaySeconds ?? NaN;
    const enough = async (): Promise<void> => {
      const first = await page.evaluate(() => {
        const { currentTime, seekable } = document.querySelector("video")!;
        return currentTime - seekable.start(0);
      });
      assert.ok(first > 6, `${first} s to step back into`);
    };
    await eventually(enough, { timeoutMs: 30_000 });
    const nearS = await delay();
    await page.keyboard.press("ArrowLeft");
    await eventually(async () => assert.ok((await delay()) > nearS + 3, `${await delay()} s, ${nearS} s`));
    const badge = page.getByRole("button", { name: /newest picture/ });
    assert.match(await badge.innerText(), /-\d+(\.\d)? s/);
    await page.keyboard.press("l");
    await eventually(async () => assert.ok((await delay()) < nearS + 2, `${await delay()} s, ${nearS} s`));
  });

  test("show help and settings, give the focus, and take it back", options, async (t) => {
    const player = await openPlayer(t, weir.url("/demo/embed.html?streams=demo,other"));
    const { page } = player;
    await untilPlaying(player);
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await help.waitFor();
    await player.screenshot("player-help");
    await page.keyboard.press("m");
    await untilFacts(page, { muted: true });
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "hidden" });

    await page.keyboard.press("s");
    const settings = page.getByRole("button", { name: "Settings" });
    const menu = page.getByRole("group", { name: "Settings" });
    await menu.waitFor();
    assert.equal(await settings.getAttribute("aria-expanded"), "true");
    assert.match(await menu.innerText(), /HLS, \d+(\.\d)? s behind the server/);
    await player.screenshot("player-settings");
    const focused = () => page.evaluate(() => document.activeElement?.id);
    assert.equal(await focused(), "stream");
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    assert.deepEqual(
      [await focused(), await settings.getAttribute("aria-expanded")],
      ["settings", "false"],
    );

    await page.keyboard.press("s");
    await page.getByRole("combobox", { name: "Stream" }).selectOption("other");
    await page.waitForURL("**/other/embed.html?streams=demo,other");
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "other");
  });

  test("have names, roles and an order that a screen reader can follow", options, async (t) => {
    const player = await openPlayer(t, weir.url("/demo/embed.html"));
    const { page } = player;
    await untilPlaying(player);
    assert.deepEqual(await page.evaluate(faultsOfNames), []);
    const order: string[] = [];
    for (let i = 0; i < 9; i++) {
      await page.keyboard.press("Tab");
      order.push(await page.evaluate(() => document.activeElement?.id ?? ""));
    }
    const shown = ["unmute", "play", "live", "mute", "volume", "settings", "pip", "fullscreen"];
    assert.deepEqual(
      order.filter((id) => id !== ""),
      shown,
    );
    assert.equal(await page.locator("main").count(), 1);
    assert.equal(await page.getAttribute("html", "lang"), "en");
  });

  test("fit on a phone, and in a frame of a page", options, async (t) => {
    for (const [width, height] of [
      [390, 844],
      [320, 180],
    ] as const) {
      const player = await openPlayer(t, weir.url("/demo/embed.html"), { width, height });
      const { page } = player;
      await untilPlaying(player);
      await page.keyboard.press("s");
      await page.getByRole("group", { name: "Settings" }).waitFor();
      const outside = await page.evaluate(() =>
        [...document.querySelectorAll("button, select, input, #menu, #message, h1")]
          .filter((element) => element.checkVisibility() && element.closest("#menu, h1") === null)
          .filter((element) => {
            const { left, top, right, bottom } = element.getBoundingClientRect();
            return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight;
          })
          .map(({ id }) => id),
      );
      await player.screenshot(`player-${width}`);
      assert.deepEqual(outside, []);
    }
  });
});

/** In the page: controls without a name, references to nothing, ids that stand twice, and what has a wrong role. */
function faultsOfNames(): string[] {
  const faults: string[] = [];
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: ${id}`);
  for (const element of document.querySelectorAll<HTMLElement>(
    "button, input, select, dialog, [role=group]",
  )) {
    const labels = "labels" in element ? [...(element as HTMLInputElement).labels!] : [];
    const by = document.getElementById(element.getAttribute("aria-labelledby") ?? "")?.textContent;
    const name = [element.getAttribute("aria-label"), by, ...labels.map((label) => label.textContent)];
    const own = element.tagName === "BUTTON" ? element.textContent : "";
    if (![...name, own].some((text) => (text ?? "").trim() !== "")) faults.push(`no name: ${element.id}`);
    if (element.tabIndex > 0) faults.push(`order: ${element.id}`);
  }
  for (const attribute of ["aria-controls", "aria-labelledby", "for"]) {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      const id = element.getAttribute(attribute)!;
      if (document.getElementById(id) === null) faults.push(`${attribute} of nothing: ${id}`);
    }
  }
  for (const picture of document.querySelectorAll("svg")) {
    if (picture.getAttribute("aria-hidden") !== "true") faults.push("a picture that is read aloud");
  }
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one heading");
  if (document.querySelectorAll("[role=status][aria-live=polite]").length < 2)
    faults.push("no live region");
  return faults;
}
