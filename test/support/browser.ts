/** Debian's Chromium, driven by playwright-core: a person before a player, as far as a test can be one. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import type { TestEnd } from "./program.ts";
import { findProgram } from "./tools.ts";

/** How the browser is opened. */
export type BrowserOptions = {
  /** 1280 unless given. */
  readonly width?: number;
  /** 720 unless given. */
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
  /** Command-line flags besides those that every test needs. */
  readonly flags?: readonly string[];
};

/** A page, what went wrong on it, and pictures of it. */
export type OpenPage = {
  readonly page: Page;
  readonly browser: Browser;
  /** Uncaught errors and lines of the console at level "error", in order. */
  readonly errors: readonly string[];
  /** Keeps a picture as `artifacts/NAME.png`. Returns its path. */
  readonly screenshot: (name: string) => Promise<string>;
};

/** What a browser must not do in a test: ask other hosts, keep state, need a graphics card or a sandbox. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const ARTIFACTS = resolve(import.meta.dirname, "../../artifacts");

/** Opens a page in a browser that closes with the test. Skip the test with `needs("chromium")` where there is none. */
export async function openPage(t: TestEnd, options: BrowserOptions = {}): Promise<OpenPage> {
  const executablePath = findProgram("chromium", "chromium-browser", "google-chrome");
  if (executablePath === null) throw new Error("no chromium on the PATH; skip this test with needs()");
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...(options.flags ?? [])] });
  t.after(() => browser.close());
  const viewport = { width: options.width ?? 1280, height: options.height ?? 720 };
  const page = await browser.newPage({ viewport, colorScheme: options.colorScheme ?? "light" });
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, browser, errors, screenshot: (name) => keepScreenshot(page, name) };
}

async function keepScreenshot(page: Page, name: string): Promise<string> {
  await mkdir(ARTIFACTS, { recursive: true });
  const path = join(ARTIFACTS, `${name}.png`);
  await page.screenshot({ path });
  return path;
}
