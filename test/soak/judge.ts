/** The verdict: what must hold of a soak, each rule a function of what was seen. */
import { differences } from "./counts.ts";
import type { Counts, ServerCounts } from "./counts.ts";
import type { HeapUse } from "./heap.ts";
import type { Loss, PinnedReport } from "./pinned.ts";
import type { ViewerKind } from "./plan.ts";
import type { Sample } from "./sample.ts";

/** Everything that was seen. */
export type Observations = {
  readonly samples: readonly Sample[];
  /** Before the load and after it; of the latter the last look before the server was given up on. */
  readonly before: Counts;
  readonly after: Counts;
  /** How long the counts took to come back; or how long was waited when they did not. */
  readonly settledMs: number;
  /** What was held before and after, when all garbage was gone. */
  readonly heapBefore: HeapUse;
  readonly heapAfter: HeapUse;
  readonly pinned: readonly PinnedReport[];
  readonly losses: readonly Loss[];
  /** `null`: the server has no threads that can be killed. */
  readonly kill: Kill | null;
  /** Log lines of level `error`, and output that is no log. */
  readonly complaints: readonly string[];
  /** What the log said how often: level, message, reason and error code. */
  readonly logged: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
  readonly kinds: readonly ViewerKind[];
};

/** The thread that was killed. */
export type Kill = {
  readonly atMs: number;
  /** Until the server said that all threads ran again; `null`: not in time. */
  readonly backMs: number | null;
  readonly countsAfter: ServerCounts;
  readonly pinnedStreams: number;
};

/** What one rule found. */
export type Finding = { readonly rule: string; readonly isMet: boolean; readonly detail: string };

const MIB = 2 ** 20;

/** Steady viewers of a wire protocol get media many times a second; this leaves room for a busy machine. */
const WIRE_GAP_LIMIT_MS = 4000;
/** HLS: segments of 2 s, one look at the playlist each half second, and a busy machine. */
const HLS_GAP_LIMIT_MS = 8000;
/** Losses so soon after the kill are its doing. */
const KILL_EFFECT_MS = 5000;
const BACK_LIMIT_MS = 10_000;

/** Growth of the last quarter over the second; the first one is warm-up: code is compiled, the heap finds its size. */
const GROWTH_LIMIT = 1.25;
/** Slope of the second half, as a part of its mean, in ten minutes. */
const SLOPE_LIMIT_PER_10_MIN = 0.05;
/**
 * Shorter runs are not asked for their slope: between two collections of the heap memory may rise by tens of
 * megabytes, which over a minute makes a steep line of nothing.
 */
const SLOPE_FROM_MS = 540_000;

/**
 * Buffers that may stay: pools and slabs, of which a few slices may be in use, what the runtime itself keeps, and the
 * rings between two media threads, 8 MiB each way, which may stay after a thread was replaced.
 */
const BUFFERS_LIMIT_BYTES = (8 + 2 * 8) * MIB;
/** Compiled code, inline caches and interned names come with use and stay. */
const HEAP_LIMIT_BYTES = 12 * MIB;

const RULES: readonly ((seen: Observations) => Finding[])[] = [
  countsReturn,
  buffersReturn,
  memoryIsFlat,
  steadyViewers,
  steadyConnections,
  readiness,
  logIsClean,
  everybodyCame,
  killedThread,
];

/** Applies every rule. */
export function judge(seen: Observations): Finding[] {
  return RULES.flatMap((rule) => rule(seen));
}

function countsReturn({ before, after, settledMs }: Observations): Finding[] {
  const left = differences(before, after);
  const seconds = (settledMs / 1000).toFixed(1);
  const good = `${Object.keys(before).length} counts, ${seconds} s after the load`;
  const detail = left.length === 0 ? good : `${seconds} s after the load: ${left.join("; ")}`;
  return [{ rule: "every count is back where it was", isMet: left.length === 0, detail }];
}

function buffersReturn({ heapBefore, heapAfter }: Observations): Finding[] {
  const finding = (rule: string, before: number, after: number, limit: number): Finding => ({
    rule,
    isMet: after - before <= limit,
    detail: `${mib(before)} MiB before, ${mib(after)} MiB after (limit +${mib(limit)})`,
  });
  return [
    finding(
      "all buffers are given back",
      heapBefore.arrayBuffersBytes,
      heapAfter.arrayBuffersBytes,
      BUFFERS_LIMIT_BYTES,
    ),
    finding("the heap is empty again", heapBefore.heapUsedBytes, heapAfter.heapUsedBytes, HEAP_LIMIT_BYTES),
  ];
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

function memoryIsFlat({ samples }: Observations): Finding[] {
  const resident = samples.map(({ atMs, process }) => ({ x: atMs, y: process.rssBytes }));
  const used = samples.flatMap(({ atMs, server }) =>
    server === null ? [] : { x: atMs, y: usedBytes(server) },
  );
  const findings = [growth("memory does not grow", resident)];
  if (used.length > 0) findings.push(growth("memory in use does not grow", used));
  const spanMs = (resident.at(-1)?.x ?? 0) - (resident[0]?.x ?? 0);
  if (spanMs < SLOPE_FROM_MS) return findings;
  const half = resident.slice(Math.floor(resident.length / 2));
  const part = (slopeOf(half) * 600_000) / mean(half.map(({ y }) => y));
  const detail = `${(part * 100).toFixed(1)} % in 10 minutes (limit ${SLOPE_LIMIT_PER_10_MIN * 100} %)`;
  return [...findings, { rule: "memory has no slope", isMet: part <= SLOPE_LIMIT_PER_10_MIN, detail }];
}

/** Medians: what is resident moves in steps as the allocator takes pages, what is in use saws with each collection. */
function growth(rule: string, points: readonly Point[]): Finding {
  const second = median(quarter(points, 1).map(({ y }) => y));
  const last = median(quarter(points, 3).map(({ y }) => y));
  const medians = `median ${mib(second)} MiB in the second quarter, ${mib(last)} MiB in the last`;
  const detail = `${medians} (limit x${GROWTH_LIMIT})`;
  return { rule, isMet: last / second <= GROWTH_LIMIT, detail };
}

function usedBytes({ threads }: ServerCounts): number {
  return threads.reduce((sum, thread) => sum + thread.heapUsedBytes + thread.arrayBuffersBytes, 0);
}

function steadyViewers({ pinned, kinds }: Observations): Finding[] {
  return kinds.map((kind) => {
    const viewers = pinned.filter((report) => report.kind === kind);
    const limitMs = kind === "hls" ? HLS_GAP_LIMIT_MS : WIRE_GAP_LIMIT_MS;
    const bad = viewers.filter(({ arrivals, longestGapMs }) => arrivals === 0 || longestGapMs > limitMs);
    const longest = Math.max(...viewers.map(({ longestGapMs }) => longestGapMs), 0);
    const worst = bad.slice(0, 3).map(describePinned);
    return {
      rule: `steady viewers of ${kind} are served without a gap`,
      isMet: viewers.length > 0 && bad.length === 0,
      detail: [`longest of ${viewers.length}: ${longest.toFixed(0)} ms (limit ${limitMs})`, ...worst].join(
        "; ",
      ),
    };
  });
}

function describePinned({ who, arrivals, longestGapMs, gapFromMs }: PinnedReport): string {
  if (arrivals === 0) return `${who} got nothing`;
  return `${who} waited ${longestGapMs.toFixed(0)} ms from ${(gapFromMs / 1000).toFixed(1)} s on`;
}

function steadyConnections({ losses, kill }: Observations): Finding[] {
  const unexpected = losses.filter(({ atMs }) => !isOfKill(atMs, kill));
  const detail = unexpected.slice(0, 5).map(({ atMs, who }) => `${who} at ${(atMs / 1000).toFixed(1)} s`);
  const expected = losses.length - unexpected.length;
  return [
    {
      rule: "steady publishers and viewers keep their connections",
      isMet: unexpected.length === 0,
      detail:
        unexpected.length === 0 ? `${expected} lost with the killed thread, none else` : detail.join("; "),
    },
  ];
}

function isOfKill(atMs: number, kill: Kill | null): boolean {
  return kill !== null && atMs >= kill.atMs && atMs <= kill.atMs + KILL_EFFECT_MS;
}

function readiness({ samples }: Observations): Finding[] {
  const failed = samples.filter(({ probeMs }) => probeMs === null);
  const times = samples.map(({ probeMs }) => probeMs ?? 0).toSorted((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
  const isMet = samples.length > 0 && failed.length === 0;
  const detail = `${samples.length - failed.length} of ${samples.length} probes, p99 ${p99.toFixed(0)} ms`;
  return [{ rule: "the readiness probe is answered", isMet, detail }];
}

/** The killed thread is worth one line. */
function logIsClean({ complaints, kill }: Observations): Finding[] {
  const wanted = kill === null ? 0 : 1;
  const ofThread = complaints.filter((line) => /thread/i.test(line)).length;
  const isMet = complaints.length === wanted && ofThread === wanted;
  const lines = complaints.slice(0, 5).map((line) => line.slice(0, 300));
  return [
    { rule: "the log has no errors but the killed thread", isMet, detail: lines.join("\n") || "none" },
  ];
}

/** A crowd that stayed away proves nothing. */
function everybodyCame({ events, kinds }: Observations): Finding[] {
  const wanted = [
    "publishers started",
    "publishers left: polite",
    "publishers left: reset",
    "publishers left: freeze",
    "stalls",
    "stalls for good",
    "churned connections",
    ...kinds.map((kind) => `${kind} viewers got media`),
  ];
  const missing = wanted.filter((event) => (events[event] ?? 0) === 0);
  const attacks = Object.keys(events).filter((event) => event.startsWith("attack on ")).length;
  const isMet = missing.length === 0 && attacks > 0;
  const detail = isMet
    ? `${attacks} kinds of attacks and endings`
    : `never: ${missing.join(", ") || "attacks"}`;
  return [{ rule: "everybody came", isMet, detail }];
}

function killedThread({ kill, losses }: Observations): Finding[] {
  if (kill === null) return [];
  const restarts = kill.countsAfter.threads.reduce((sum, thread) => sum + thread.restarts, 0);
  const lost = losses.filter(({ who, atMs }) => who.startsWith("publisher") && isOfKill(atMs, kill)).length;
  const back = kill.backMs === null ? "not back in time" : `back in ${(kill.backMs / 1000).toFixed(1)} s`;
  const survivors = kill.pinnedStreams - lost;
  return [
    {
      rule: "a killed thread comes back and takes no other with it",
      isMet: kill.backMs !== null && kill.backMs <= BACK_LIMIT_MS && restarts === 1 && survivors > 0,
      detail: `${back}, ${restarts} restarts, ${survivors} of ${kill.pinnedStreams} steady streams went on`,
    },
  ];
}

type Point = { readonly x: number; readonly y: number };

function quarter(points: readonly Point[], index: number): readonly Point[] {
  const size = points.length / 4;
  return points.slice(Math.floor(size * index), Math.floor(size * (index + 1)));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the least-squares line; y a unit of x. */
export function slopeOf(points: readonly Point[]): number {
  const x0 = mean(points.map(({ x }) => x));
  const y0 = mean(points.map(({ y }) => y));
  const above = points.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0);
  const below = points.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
