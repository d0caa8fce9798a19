/**
 * How old the pictures on a screen are: a camera that films a clock, the server, and players in Chromium.
 * `node bench/latency.ts [--joins N] [--seconds S] [--engine E,...] [--docs]`; see README.md here.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { filmClock } from "../test/support/clock-camera.ts";
import { seenPictures } from "../test/support/latency-page.ts";
import type { SeenPictures } from "../test/support/latency-page.ts";
import {
  happenedOn,
  LATENCY_PLAYERS,
  LATENCY_PLAYER_SPECS,
  openLatencyPage,
} from "../test/support/latency-players.ts";
import type { LatencyPlayer } from "../test/support/latency-players.ts";
import type { TestEnd } from "../test/support/program.ts";
import { startWeir } from "../test/support/weir.ts";
import type { Weir } from "../test/support/weir.ts";
import { thisMachine } from "./machine.ts";
import { replaceBetween } from "./report.ts";
import { median } from "./rows.ts";

/** One join: a page that was opened, watched and closed. Units: milliseconds. */
export type Join = {
  /** Age of the pictures; of those after `SETTLE_SHARE` of the join. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** From the navigation to the page to the first picture: the browser runs already. */
  readonly startMs: number;
  readonly stalls: number;
  /** Seeks and skips of the playing position. */
  readonly jumps: number;
  readonly pictures: number;
  /** Of the time since the first picture, how much media was played, without what was jumped over. */
  readonly playedShare: number;
  readonly happened: readonly string[];
};

/** A player beside the others in the table. */
export type Watched = {
  readonly player: LatencyPlayer;
  readonly joins: readonly Join[];
  /** Joins that showed no picture, or of which nothing is known. */
  readonly failed: number;
};

/** What the table was measured with. */
export type LatencyRun = {
  /** Date and machine, in words. */
  readonly title: string;
  /** Load averages of a minute; those of the measurement itself are in the last. */
  readonly loadAtStart: number;
  readonly loadAtEnd: number;
};

/** Until then a player may still be on its way to the edge. */
const SETTLE_SHARE = 0.2;
/** A page without a picture by then is a join that failed. */
const PATIENCE_SECONDS = 30;
const CAMERA_TIMEOUT_MS = 30_000;

/** Wanted of each, in words. */
const AIMS: Readonly<Record<LatencyPlayer, string>> = {
  "ll-hls": "<= 1.5 s",
  "ll-dash": "<= 1.6 s",
  hls: "<= 7 s",
  flv: "<= 0.8 s",
  "mse-ld": "<= 0.5 s",
};

/** The segments of plain HLS are of 2 s; key frames come each second. */
const CONFIG = `
template short { prefix short; input publish:// source_timeout=30; segment_duration 1; }
template long { prefix long; input publish:// source_timeout=30; segment_duration 2; }
`;

const PAGE = resolve(import.meta.dirname, "../docs/performance.md");
const USAGE = `usage: node bench/latency.ts [--joins N] [--seconds S] [--engine E,...] [--docs]
  --joins    pages opened for each player, one after the other; 5 unless given
  --seconds  how long each is watched; 60 unless given
  --engine   some of: ${LATENCY_PLAYERS.join(", ")}
  --docs     writes the table into docs/performance.md; of all players, so not with --engine`;

/** The median and the 95th percentile of what was seen; `null` of a join without a picture. */
export function describeJoin(seen: SeenPictures, happened: readonly string[]): Join | null {
  const { agesMs, startMs, stalls, jumps, playedS, elapsedS } = seen;
  const steady = agesMs.slice(Math.floor(agesMs.length * SETTLE_SHARE)).toSorted((a, b) => a - b);
  const middle = median(steady);
  if (middle === null) return null;
  return {
    p50Ms: middle,
    p95Ms: steady[Math.floor(steady.length * 0.95)] ?? middle,
    startMs,
    stalls,
    jumps,
    pictures: agesMs.length,
    playedShare: elapsedS === 0 ? 0 : playedS / elapsedS,
    happened,
  };
}

/** The table, in GitHub's Markdown. */
export function renderLatency(all: readonly Watched[]): string {
  const head = [
    "player",
    "camera to screen, s",
    "least to most",
    "p95",
    "first picture",
    "played",
    "stalls",
    "jumps",
    "joins",
    "failed",
    "aim",
  ];
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  const rows = all.map(({ player, joins, failed }) => {
    const of = (pick: (join: Join) => number): number[] => joins.map(pick);
    const ages = of(({ p50Ms }) => p50Ms);
    const range =
      joins.length === 0 ? "" : `${seconds(Math.min(...ages))} to ${seconds(Math.max(...ages))}`;
    return line([
      LATENCY_PLAYER_SPECS[player].title,
      seconds(median(ages)),
      range,
      seconds(median(of(({ p95Ms }) => p95Ms))),
      seconds(median(of(({ startMs }) => startMs))),
      percent(median(of(({ playedShare }) => playedShare))),
      total(of(({ stalls }) => stalls)),
      total(of(({ jumps }) => jumps)),
      String(joins.length),
      String(failed),
      AIMS[player],
    ]);
  });
  return [line(head), line(head.map(() => "---")), ...rows].join("\n");
}

/** What stands in the page: the table, and how busy the machine was. */
export function renderLatencySection(all: readonly Watched[], run: LatencyRun): string {
  const { title, loadAtStart, loadAtEnd } = run;
  const load =
    `Load average of the machine: ${loadAtStart.toFixed(1)} when it began, ${loadAtEnd.toFixed(1)} when it ended, ` +
    "the players and the camera among it.";
  return `\n${title}\n\n${renderLatency(all)}\n\n${load}\n\n`;
}

/** The players that the options name; all without any. Throws what is wrong, in words. */
export function chosenPlayers(engine: string | undefined, writesDocs: boolean): readonly LatencyPlayer[] {
  if (engine === undefined) return LATENCY_PLAYERS;
  if (writesDocs)
    throw new Error(
      `--docs writes the table of all players, so that one run is in it: not with --engine\n${USAGE}`,
    );
  return engine.split(",").map((name) => {
    const player = LATENCY_PLAYERS.find((known) => known === name.trim());
    if (player === undefined) throw new Error(`no engine "${name}"\n${USAGE}`);
    return player;
  });
}

function total(values: readonly number[]): string {
  return String(values.reduce((sum, value) => sum + value, 0));
}

function percent(share: number | null): string {
  return share === null ? "-" : `${Math.round(share * 100)} %`;
}

function seconds(ms: number | null): string {
  return ms === null ? "-" : (ms / 1000).toFixed(2);
}

/** Whatever is registered is undone in the reverse order, as a test's context does it. */
async function withEnd<T>(run: (t: TestEnd) => Promise<T>): Promise<T> {
  const cleanups: (() => void | Promise<void>)[] = [];
  try {
    return await run({ after: (clean) => void cleanups.push(clean) });
  } finally {
    for (const clean of cleanups.toReversed()) await clean();
  }
}

async function join(weir: Weir, stream: string, player: LatencyPlayer, forSeconds: number): Promise<Join> {
  const spec = LATENCY_PLAYER_SPECS[player];
  return withEnd(async (t) => {
    const page = await openLatencyPage(t, weir.url(`/${stream}`), spec);
    const openedMs = performance.now();
    const passedSeconds = (): number => (performance.now() - openedMs) / 1000;
    while (passedSeconds() < PATIENCE_SECONDS && (await seenPictures(page)).agesMs.length === 0)
      await sleep(100);
    await sleep(forSeconds * 1000);
    const seen = await seenPictures(page);
    const happened = await happenedOn(page);
    const result = describeJoin(seen, happened);
    if (result === null) throw new Error(`no picture was shown; ${happened.join("; ")}`);
    return result;
  });
}

/** One player at a time, with the camera for it alone: each costs the machine as little as it can. */
async function watch(player: LatencyPlayer, joins: number, forSeconds: number): Promise<Watched> {
  return withEnd(async (t) => {
    const weir = await startWeir(t, { config: CONFIG });
    const stream = player === "hls" ? "long/camera" : "short/camera";
    const camera = filmClock(t, weir.rtmpUrl(stream));
    await weir.onAir(stream, CAMERA_TIMEOUT_MS);
    const done: Join[] = [];
    let failed = 0;
    for (let i = 1; i <= joins; i++) {
      const of = `${player}, join ${i} of ${joins}`;
      try {
        const before = camera.repeated;
        const one = await join(weir, stream, player, forSeconds);
        if (camera.repeated > before)
          throw new Error(
            `the camera repeated ${camera.repeated - before} pictures: the machine is too busy`,
          );
        done.push(one);
        const { p50Ms, p95Ms, startMs, stalls, jumps, pictures, playedShare, happened } = one;
        say(
          `${of}: ${seconds(p50Ms)} s, p95 ${seconds(p95Ms)} s, first picture ${seconds(startMs)} s, ` +
            `${stalls} stalls, ${jumps} jumps, ${pictures} pictures, played ${percent(playedShare)}` +
            (happened.length > 0 ? `; ${happened.join("; ")}` : ""),
        );
      } catch (error) {
        failed++;
        say(`${of}: failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return { player, joins: done, failed };
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function wholeNumber(text: string, name: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`--${name}: 1 to ${most}\n${USAGE}`);
}

async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      joins: { type: "string", default: "5" },
      seconds: { type: "string", default: "60" },
      engine: { type: "string" },
      docs: { type: "boolean", default: false },
    },
  });
  const players = chosenPlayers(values.engine, values.docs);
  const joins = wholeNumber(values.joins, "joins", 100);
  const forSeconds = wholeNumber(values.seconds, "seconds", 3600);
  const loadAtStart = loadavg()[0] ?? 0;
  if (loadAtStart > 0.7) say(`other programs are running here (load average ${loadAtStart.toFixed(1)})`);
  const all: Watched[] = [];
  for (const player of players) all.push(await watch(player, joins, forSeconds));
  console.log(renderLatency(all));
  if (!values.docs) return;
  const { cores, cpu, linux } = thisMachine();
  const date = new Date().toISOString().slice(0, 10);
  const title = `${date}, ${cores} x ${cpu}, Linux ${linux}; medians of ${joins} joins of ${forSeconds} s.`;
  const section = renderLatencySection(all, { title, loadAtStart, loadAtEnd: loadavg()[0] ?? 0 });
  const page = replaceBetween(readFileSync(PAGE, "utf8"), section, "latency");
  writeFileSync(PAGE, page);
  say(`written: ${relative(process.cwd(), PAGE)}`);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
