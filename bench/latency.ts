/**
 * `node bench/latency.ts --engine NAME`: the delay from camera to screen. A camera before a clock publishes, a player in
 * Chromium shows the pictures, and the page reads the clock back from them. Each join is a browser of its own.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { openPage } from "../test/support/browser.ts";
import { filmClock } from "../test/support/clock-camera.ts";
import { eventually } from "../test/support/eventually.ts";
import { median, READ_PICTURES, seenPictures, serveLatencyPage } from "../test/support/latency-page.ts";
import type { SeenPictures } from "../test/support/latency-page.ts";
import { isLatencyPlayer, LATENCY_SCRIPTS, PLAYERS } from "../test/support/latency-players.ts";
import type { LatencyEngine, LatencyPlayer } from "../test/support/latency-players.ts";
import type { TestEnd } from "../test/support/program.ts";
import { needs } from "../test/support/tools.ts";
import { startWeir } from "../test/support/weir.ts";

const USAGE = `usage: node bench/latency.ts --engine NAME[,NAME...] [options]
  --engine    some of: ${Object.keys(PLAYERS).join(", ")}
  --joins     browsers one after the other, 5 unless given
  --seconds   measured in each, 60 unless given
  --warm-up   seconds after the first picture that do not count, 15 unless given: players find the edge in them
  --url       plays this address instead of starting a server; one engine only. The camera publishes to --publish
  --publish   rtmp:// address that the camera publishes to, with --url
  --gop       seconds from key frame to key frame, 1 unless given
  --segment   the server's segment_duration in seconds, 2 unless given
  --json      one line of JSON instead of the table`;

const FRAME_RATE = 25;
const FIRST_PICTURE_MS = 60_000;

/** One player, from its join to the end of its window. */
export type Join = {
  /** Ages of the pictures in the window. Units: milliseconds. */
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly mostMs: number;
  readonly pictures: number;
  readonly stalls: number;
  /** Before the window. */
  readonly warmUpStalls: number;
  readonly playedS: number;
  readonly elapsedS: number;
  /** What the player complained of, each kind once. */
  readonly happened: readonly string[];
};

/** All joins of one engine. */
export type Latency = {
  readonly engine: LatencyPlayer;
  readonly medianMs: number;
  readonly joins: readonly Join[];
};

type Arguments = {
  readonly engines: readonly LatencyPlayer[];
  readonly joins: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly url: string | null;
  readonly publishUrl: string | null;
  readonly gopSeconds: number;
  readonly segmentSeconds: number;
  readonly isJson: boolean;
};

function readArguments(argv: readonly string[]): Arguments {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{ engine: text, joins: text, seconds: text, "warm-up": text, url: text, publish: text },
      ...{ gop: text, segment: text, json: { type: "boolean", default: false } },
    },
  });
  const engines = (values.engine ?? "").split(",").map((name) => {
    if (!isLatencyPlayer(name)) throw new Error(`no engine "${name}"`);
    return name;
  });
  if (values.url !== undefined && engines.length !== 1) throw new Error("--url goes with one engine");
  return {
    engines,
    joins: positive("joins", values.joins, 5),
    seconds: positive("seconds", values.seconds, 60),
    warmUpSeconds: positive("warm-up", values["warm-up"], 15),
    url: values.url ?? null,
    publishUrl: values.publish ?? null,
    gopSeconds: positive("gop", values.gop, 1),
    segmentSeconds: positive("segment", values.segment, 2),
    isJson: values.json,
  };
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value > 0 && value < 100_000)) throw new Error(`--${name} takes a number above 0, not "${text}"`);
  return value;
}

/** What is to be undone, in the order of a test's end: what came last goes first. */
class Cleaning implements TestEnd {
  readonly #steps: (() => void | Promise<void>)[] = [];

  after(clean: () => void | Promise<void>): void {
    this.#steps.push(clean);
  }

  async run(): Promise<void> {
    for (const clean of this.#steps.splice(0).toReversed()) await clean();
  }
}

/** Measures all engines of the arguments, one after the other. */
async function measure(asked: Arguments, onJoin: (line: string) => void): Promise<Latency[]> {
  const studio = new Cleaning();
  try {
    const urlOf = await openStudio(studio, asked);
    const results: Latency[] = [];
    for (const engine of asked.engines) {
      const joins: Join[] = [];
      for (let i = 0; i < asked.joins; i++) {
        const join = await joinOnce(engine, urlOf(engine), asked);
        joins.push(join);
        onJoin(`${PLAYERS[engine].title}, join ${i + 1}: ${describeJoin(join)}`);
      }
      results.push({ engine, medianMs: median(joins.map(({ medianMs }) => medianMs)), joins });
    }
    return results;
  } finally {
    await studio.run();
  }
}

/** Starts the camera and, unless an address is given, a server. Returns: where an engine finds the stream. */
async function openStudio(studio: Cleaning, asked: Arguments): Promise<(engine: LatencyPlayer) => string> {
  const camera = { frameRate: FRAME_RATE, gopPictures: Math.round(asked.gopSeconds * FRAME_RATE) };
  const { url, publishUrl } = asked;
  if (url !== null) {
    if (publishUrl !== null) filmClock(studio, publishUrl, camera);
    return () => url;
  }
  const config = `template pub { prefix pub; input publish://; segment_duration ${asked.segmentSeconds}; }`;
  const weir = await startWeir(studio, { config });
  filmClock(studio, weir.rtmpUrl("pub/clock"), camera);
  await weir.onAir("pub/clock", 30_000);
  return (engine) => {
    const { path, scheme } = PLAYERS[engine];
    return weir.url(`/pub/clock${path}`).replace(/^http/, scheme);
  };
}

async function joinOnce(engine: LatencyPlayer, url: string, asked: Arguments): Promise<Join> {
  const cleaning = new Cleaning();
  try {
    const { page } = await openPage(cleaning, { flags: ["--autoplay-policy=no-user-gesture-required"] });
    await openEngine(cleaning, page, engine, url);
    await eventually(() => untilPicture(page), { timeoutMs: FIRST_PICTURE_MS, intervalMs: 250 });
    await sleep(asked.warmUpSeconds * 1000);
    const before = await seenPictures(page);
    await sleep(asked.seconds * 1000);
    return summaryOf(before, await seenPictures(page), await happenedOn(page));
  } finally {
    await cleaning.run();
  }
}

/** Plays in a page of nothing but that player, or opens the page that plays by itself. */
async function openEngine(
  cleaning: TestEnd,
  page: Page,
  engine: LatencyPlayer,
  url: string,
): Promise<void> {
  const { library, module }: LatencyEngine = PLAYERS[engine];
  if (module === null) {
    await page.goto(url);
    await page.evaluate(READ_PICTURES);
    return;
  }
  await page.goto(await serveLatencyPage(cleaning, LATENCY_SCRIPTS));
  if (library !== null) await page.addScriptTag({ url: `/${library}` });
  await page.addScriptTag({ type: "module", content: module.replace("STREAM_URL", url) });
}

async function untilPicture(page: Page): Promise<void> {
  const { agesMs } = await seenPictures(page);
  if (agesMs.length === 0) throw new Error(`no picture yet; ${(await happenedOn(page)).join("; ")}`);
}

function happenedOn(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (globalThis as unknown as { happened?: string[] }).happened ?? []);
}

/** What lies between two looks at a page. */
export function summaryOf(before: SeenPictures, after: SeenPictures, happened: readonly string[]): Join {
  const agesMs = after.agesMs.slice(before.agesMs.length).toSorted((a, b) => a - b);
  return {
    medianMs: Math.round(median(agesMs)),
    p95Ms: Math.round(agesMs[Math.floor(agesMs.length * 0.95)] ?? NaN),
    mostMs: Math.round(agesMs.at(-1) ?? NaN),
    pictures: agesMs.length,
    stalls: after.stalls - before.stalls,
    warmUpStalls: before.stalls,
    playedS: after.playedS - before.playedS,
    elapsedS: after.elapsedS - before.elapsedS,
    happened: [...new Set(happened)],
  };
}

function describeJoin(join: Join): string {
  const { medianMs, p95Ms, mostMs, pictures, stalls, warmUpStalls, playedS, elapsedS, happened } = join;
  return (
    `median ${medianMs} ms, 95% ${p95Ms} ms, most ${mostMs} ms, ${stalls} stalls (and ${warmUpStalls} before), ` +
    `${pictures} pictures, ${playedS.toFixed(1)} s in ${elapsedS.toFixed(1)} s` +
    (happened.length === 0 ? "" : `; ${happened.slice(0, 5).join("; ")}`)
  );
}

/** The table of docs/performance.md: one row an engine. */
export function renderLatencies(results: readonly Latency[]): string {
  const rows = results.map(({ engine, medianMs, joins }) => {
    const worstMs = Math.max(...joins.map((join) => join.p95Ms));
    const stalls = joins.reduce((sum, join) => sum + join.stalls, 0);
    return `| ${PLAYERS[engine].title} | ${medianMs} ms | ${worstMs} ms | ${stalls} | ${joins.length} |`;
  });
  return [
    "| player | median | worst 95% | stalls | joins |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

async function main(argv: readonly string[]): Promise<number> {
  let asked: Arguments;
  try {
    asked = readArguments(argv);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  const missing = needs("chromium", "ffmpeg");
  if (missing !== false) {
    console.error(missing);
    return 1;
  }
  const results = await measure(asked, (line) => console.error(line));
  console.log(asked.isJson ? JSON.stringify(results) : renderLatencies(results));
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
