/** A crowd that starts in the same second on streams whose viewers are asked about, beside viewers of open streams. */
import { constants, loadavg, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { makeClip } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { eventually } from "../support/eventually.ts";
import { SlowBackend } from "./access-backend.ts";
import type { Asked } from "./access-backend.ts";
import { median, percentile } from "./access-clock.ts";
import { sendCrowd } from "./access-crowd.ts";
import type { Viewing } from "./access-crowd.ts";
import { cpuS as cpuOf } from "./lists.ts";
import { Meter } from "./access-meter.ts";
import type { MeterFigures } from "./access-meter.ts";

/** What is run. */
export type AccessPlan = {
  readonly viewers: number;
  /** Guarded streams, and as many open ones for the crowd that nobody is asked about; of one of them answers take `slowMs`. */
  readonly streams: number;
  readonly withinMs: number;
  readonly replyMs: number;
  readonly slowMs: number;
  /** Rounds of each kind. */
  readonly rounds: number;
  readonly roundMs: number;
  /** Segments of open streams that others ask for a second. */
  readonly perSecond: number;
  /** A viewer that is asked about later than this after its request has waited for others. */
  readonly mostWaitMs: number;
  readonly onProgress?: (line: string) => void;
};

/** Nobody comes; a crowd for which nobody is asked; a crowd that is asked about. */
export type RoundKind = "quiet" | "open" | "guarded";

/** What came of a round. */
export type Round = {
  readonly kind: RoundKind;
  readonly beside: MeterFigures;
  /** CPU time of the server. Units: seconds. */
  readonly cpuS: number;
  readonly load: number;
  readonly viewings: readonly Viewing[];
};

/** What came of it all. Units: milliseconds. */
export type AccessReport = {
  readonly rounds: readonly Round[];
  /** Of the guarded rounds: from the request to being asked about, and to the answer. */
  readonly waits: { readonly p50: number; readonly p99: number; readonly most: number };
  readonly answers: { readonly p50: number; readonly p99: number; readonly most: number };
  readonly askedAtOnce: number;
  readonly wrong: readonly string[];
};

const LOWEST_PRIORITY = constants.priority.PRIORITY_LOW;
const SLOW = "g0";
const OPEN_STREAMS = 4;
const KINDS: readonly RoundKind[] = ["quiet", "open", "guarded"];

/**
 * Runs the rounds in turn. The streams are live ones, all of one small clip that the server reads itself: two hundred cost
 * less than a tenth of a core, and what is measured is who may play, not media. Both crowds have as many streams: a playlist
 * that five viewers share is made more often than one that a hundred do.
 */
export async function soakAccess(end: TestEnd, plan: AccessPlan): Promise<AccessReport> {
  const backend = new SlowBackend({ replyMs: plan.replyMs, slowStream: SLOW, slowMs: plan.slowMs });
  end.after(() => backend.close());
  const names = Array.from({ length: plan.streams }, (_, i) => `g${i}`);
  const open = Array.from({ length: OPEN_STREAMS }, (_, i) => `open${i}`);
  const free = Array.from({ length: plan.streams }, (_, i) => `free${i}`);
  const config = await configOf({ names, free, open, backend: await backend.listen() });
  const weir = await startWeir(end, { config });
  await untilPlayed(weir, [...names, ...free, ...open]);
  const meter = new Meter({
    url: weir.url(""),
    paths: open.map((name) => `/${name}/index.m3u8`),
    perSecond: plan.perSecond,
  });
  end.after(() => meter.close());
  await sleep(plan.roundMs);
  standBack(end);
  const rounds: Round[] = [];
  for (let i = 0; i < plan.rounds * KINDS.length; i++) {
    const kind = KINDS[i % KINDS.length]!;
    const round = await runRound(plan, kind, {
      weir,
      meter,
      streams: kind === "open" ? free : names,
      label: `${kind}-${i}-`,
    });
    rounds.push(round);
    plan.onProgress?.(describeRound(round));
    await sleep(500);
  }
  return judge(plan, rounds, backend);
}

/**
 * The crowd and the server that is asked take CPU that is left over, as if they ran on other machines: what is measured is what
 * the server does to its viewers. The server and the meter, whose threads run already, keep their place.
 */
function standBack(end: TestEnd): void {
  // Of a process with threads this is the thread that calls: the crowd's.
  setPriority(LOWEST_PRIORITY);
  end.after(() => {
    try {
      setPriority(0);
    } catch {
      // Only root may go back; others end soon.
    }
  });
}

async function runRound(
  plan: AccessPlan,
  kind: RoundKind,
  parts: {
    readonly weir: Weir;
    readonly meter: Meter;
    readonly streams: readonly string[];
    readonly label: string;
  },
): Promise<Round> {
  const { weir, meter, streams, label } = parts;
  const crowd = { url: weir.url(""), viewers: plan.viewers, streams, withinMs: plan.withinMs, label };
  const before = await cpuOf(weir);
  meter.begin();
  const [viewings] = await Promise.all([kind === "quiet" ? [] : sendCrowd(crowd), sleep(plan.roundMs)]);
  const beside = await meter.end();
  return { kind, beside, cpuS: (await cpuOf(weir)) - before, load: loadavg()[0]!, viewings };
}

function judge(plan: AccessPlan, rounds: readonly Round[], backend: SlowBackend): AccessReport {
  const wrong: string[] = [];
  for (const { viewings } of rounds)
    for (const one of viewings)
      if (one.wrong !== null) wrong.push(`${one.who} of ${one.stream}: ${one.wrong}`);
  const guarded = rounds.filter(({ kind }) => kind === "guarded");
  const waits: number[] = [];
  const answers: number[] = [];
  for (const { viewings } of guarded) {
    const slowFirst = Math.min(...slowOnes(viewings).map(({ beganMs, firstMs }) => beganMs + firstMs));
    for (const one of viewings) {
      const asked = backend.asked.get(one.who);
      wrong.push(...wrongAsking(one, asked));
      if (one.stream === SLOW || asked === undefined) continue;
      waits.push(asked.atMs - one.beganMs);
      answers.push(one.firstMs);
      if (one.beganMs + one.firstMs >= slowFirst)
        wrong.push(`${one.who} of ${one.stream} was answered behind the slow stream`);
    }
  }
  const late = waits.filter((ms) => ms > plan.mostWaitMs).length;
  if (late > 0) wrong.push(`${late} viewers were asked about later than ${plan.mostWaitMs} ms`);
  const failed = rounds.reduce((sum, { beside }) => sum + beside.failed, 0);
  if (failed > 0) wrong.push(`${failed} segments of open streams failed`);
  return { rounds, waits: spread(waits), answers: spread(answers), askedAtOnce: backend.mostAtOnce, wrong };
}

function slowOnes(viewings: readonly Viewing[]): Viewing[] {
  return viewings.filter(({ stream }) => stream === SLOW);
}

function wrongAsking({ who, stream }: Viewing, asked: Asked | undefined): string[] {
  if (asked === undefined) return [`${who} of ${stream} was not asked about`];
  if (asked.count !== 1) return [`${who} of ${stream} was asked about ${asked.count} times`];
  return asked.name === stream ? [] : [`${who} of ${stream} was asked about ${asked.name}`];
}

function spread(figures: readonly number[]): AccessReport["waits"] {
  return { p50: median(figures), p99: percentile(figures, 0.99), most: Math.max(...figures) };
}

/** Median of the rounds of a kind. */
export function medianP99({ rounds }: AccessReport, kind: RoundKind): number {
  return median(rounds.filter((round) => round.kind === kind).map(({ beside }) => beside.p99));
}

/** A line of a report. */
export function describeRound({ kind, beside, cpuS, load, viewings }: Round): string {
  const { count, p50, p99, most } = beside;
  const figures = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(0)} ms of ${count} segments`;
  return `${kind}: ${viewings.length} viewers; beside them ${figures}; ${cpuS.toFixed(2)} s of CPU; load average ${load.toFixed(1)}`;
}

async function configOf({
  names,
  free,
  open,
  backend,
}: Record<"names" | "free" | "open", readonly string[]> & { readonly backend: string }): Promise<string> {
  const small = await makeClip({
    ...{ durationS: 8, width: 64, height: 36, frameRate: 5, gopPictures: 5, bFrames: 0, audio: null },
  });
  const big = await makeClip({ durationS: 8, width: 640, height: 360, gopPictures: 25 });
  const stream = (name: string, clip: string, more: string): string =>
    `stream ${name} { input file://${clip}; segment_duration 1; ${more} }`;
  return [
    "max_connections_per_address 20000;",
    ...names.map((name) => stream(name, small, `on_play ${backend};`)),
    ...free.map((name) => stream(name, small, "")),
    ...open.map((name) => stream(name, big, "")),
  ].join("\n");
}

/** Until all are live, and the last one that was opened can be played. */
async function untilPlayed(weir: Weir, names: readonly string[]): Promise<void> {
  const look = async (): Promise<void> => {
    const text = await (await fetch(weir.url("/metrics"))).text();
    const live = Number(/^weir_streams_live (\d+)/m.exec(text)?.[1] ?? 0);
    if (live < names.length) throw new Error(`${live} of ${names.length} streams are live`);
  };
  await eventually(look, { timeoutMs: 30_000 });
  const last = names.at(-1)!;
  const play = async (): Promise<void> => {
    const [one] = await sendCrowd({
      ...{ url: weir.url(""), viewers: 1, streams: [last], withinMs: 0, label: "first-" },
    });
    if (one?.wrong !== null) throw new Error(one?.wrong);
  };
  await eventually(play, { timeoutMs: 30_000 });
}
