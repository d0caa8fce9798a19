/** What the metrics are made of, gathered from the threads and from what the control thread knows. */
import { availableParallelism } from "node:os";
import { readdir, statfs } from "node:fs/promises";
import type {
  AccessTotals,
  PartitionRow,
  RecordingTotals,
  ServerFigures,
  SessionRow,
  SinkRow,
  StreamRow,
  ThreadFigures,
} from "../api/metrics/figures.ts";
import type { Clock } from "../base/clock.ts";
import { sumHistograms } from "../base/histogram.ts";
import type { HistogramFigures } from "../base/histogram.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { memoryBudgetBytes } from "./memory.ts";
import type { ThreadStats } from "./threads/messages.ts";
import type { ThreadState } from "./threads/supervisor.ts";

/** File systems that are looked at: each takes a call of the system. */
const MAX_PARTITIONS = 32;

/** A file system that does not answer is left out. */
const PARTITION_LIMIT_MS = 1000;

/** What the figures are of. */
export type FigureSources = {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly version: string;
  readonly serverId: string;
  readonly startedAtMs: number;
  readonly isReady: boolean;
  readonly isConfigTaken: boolean;
  readonly reloads: { readonly taken: number; readonly refused: number };
  readonly threads: {
    readonly states: readonly ThreadState[];
    readonly restarts: number;
    /** Of the control thread. */
    readonly ownLatenessMs: number;
    readonly lost: { readonly streams: number; readonly viewers: number };
  };
  readonly streams: {
    readonly all: number;
    readonly live: number;
    readonly inputBps: number;
    readonly outputBps: number;
    readonly rows: readonly StreamRow[];
  };
  readonly sessions: readonly SessionRow[];
  readonly access: AccessTotals;
  readonly sinks: readonly SinkRow[];
  readonly cpuPercent: number;
};

/** The figures as they are now. */
export async function serverFigures(sources: FigureSources): Promise<ServerFigures> {
  const { threads, streams, config } = sources;
  const { user, system } = process.cpuUsage();
  const stats = threads.states.flatMap((state) => (state.stats === null ? [] : [state.stats]));
  const residentBytes = process.memoryUsage.rss();
  return {
    version: sources.version,
    serverId: sources.serverId,
    startedAtS: sources.startedAtMs / 1000,
    isReady: sources.isReady,
    streams: streams.all,
    liveStreams: streams.live,
    inputBps: streams.inputBps,
    outputBps: streams.outputBps,
    residentBytes,
    cpuS: (user + system) / 1e6,
    cpuPercent: sources.cpuPercent,
    openFiles: await openFiles(),
    loopPercent: loopPercent(threads.states),
    memoryPercent: Math.round((100 * residentBytes) / memoryBudgetBytes(100)),
    threads: threads.states.map(threadFigures),
    threadRestarts: threads.restarts,
    controlDelayS: threads.ownLatenessMs / 1000,
    segmentS: sumHistograms(stats.map(({ made }) => made.segmentS)),
    partS: sumHistograms(stats.map(({ made }) => made.partS)),
    recording: recordingTotals(stats),
    copies: copiesOf(stats),
    lostStreams: threads.lost.streams,
    lostViewers: threads.lost.viewers,
    reloads: sources.reloads,
    isConfigTaken: sources.isConfigTaken,
    sessions: sources.sessions,
    access: sources.access,
    sinks: sources.sinks,
    partitions: await partitionsOf(config, sources.clock),
    perStream: streams.rows,
  };
}

function threadFigures({ index, status, stats }: ThreadState): ThreadFigures {
  return {
    index,
    isRunning: status === "running",
    publishers: stats?.publishers ?? 0,
    viewers: stats?.subscribers ?? 0,
    httpConnections: stats?.httpConnections ?? 0,
    rtmpConnections: stats?.rtmpConnections ?? 0,
    heapBytes: stats?.heapUsedBytes ?? 0,
    windowBytes: stats?.windowBytes ?? 0,
    remotePartBytes: stats?.remotePartBytes ?? 0,
    heldRequests: stats?.heldRequests ?? 0,
    eventLoopDelayS: (stats?.eventLoopDelayP99Ms ?? 0) / 1000,
    delivery: stats?.delivery ?? { bytes: 0, missedFlushes: 0, resyncs: 0, tooSlow: 0 },
    droppedPackets: stats?.droppedPackets ?? 0,
  };
}

function recordingTotals(stats: readonly ThreadStats[]): RecordingTotals | null {
  const all = stats.flatMap(({ recording }) => (recording === null ? [] : [recording]));
  const lagS: HistogramFigures | null = sumHistograms(all.map((each) => each.lagS));
  if (lagS === null) return null;
  const sum = (value: (each: RecordingTotals) => number): number =>
    all.reduce((total, each) => total + value(each), 0);
  return {
    bytes: sum(({ bytes }) => bytes),
    waitingBytes: sum(({ waitingBytes }) => waitingBytes),
    lostGroups: sum(({ lostGroups }) => lostGroups),
    lagS,
  };
}

/** One thread copies, of those that are there. */
function copiesOf(stats: readonly ThreadStats[]): ServerFigures["copies"] {
  const found = stats.find(({ copies }) => copies !== null)?.copies;
  return found ?? { waitingHours: 0, hours: 0, bytes: 0, failures: 0 };
}

/** The file systems under the roots of archives, each root by itself; one that is not there is left out. */
export async function partitionsOf(config: ResolvedConfig, clock: Clock): Promise<PartitionRow[]> {
  const plans = [...config.streams, ...config.templates, ...config.dvrs.map((dvr) => ({ dvr }))];
  const roots = new Set(plans.flatMap(({ dvr }) => (dvr === undefined || dvr === null ? [] : [dvr.root])));
  const rows = await Promise.all(
    [...roots].slice(0, MAX_PARTITIONS).map((root) => partitionOf(root, clock)),
  );
  return rows.flatMap((row) => (row === null ? [] : [row]));
}

async function partitionOf(path: string, clock: Clock): Promise<PartitionRow | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = clock.schedule(PARTITION_LIMIT_MS, () => resolve(null));
  const found = statfs(path).then(
    ({ bsize, blocks, bavail }) => ({ path, totalBytes: bsize * blocks, freeBytes: bsize * bavail }),
    () => null,
  );
  const row = await Promise.race([found, late]);
  timer.cancel();
  return row;
}

/** Files, sockets and the like that the process has open; `null` where the system does not tell. */
export async function openFiles(): Promise<number | null> {
  try {
    // One of them is the folder itself, while it is read.
    return (await readdir("/proc/self/fd")).length - 1;
  } catch {
    return null;
  }
}

/** How busy the event loops of media threads are on average. Units: percent. */
export function loopPercent(states: readonly ThreadState[]): number {
  const all = states.flatMap(({ stats }) => (stats === null ? [] : [stats.eventLoopBusyPercent]));
  return all.length === 0 ? 0 : Math.round(all.reduce((sum, one) => sum + one, 0) / all.length);
}

/** How much of the CPUs that it may use the process takes, between two looks. */
export class CpuMeter {
  readonly #clock: Clock;
  #lastUs: number;
  #lastCpuUs = 0;
  #percent = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastUs = clock.nowUs();
  }

  /** As of the last look, where that was a moment ago. Units: percent of all CPUs. */
  percent(): number {
    const nowUs = this.#clock.nowUs();
    const elapsedUs = nowUs - this.#lastUs;
    if (elapsedUs < 1_000_000) return this.#percent;
    const { user, system } = process.cpuUsage();
    const cpuUs = user + system;
    this.#percent = Math.round((100 * (cpuUs - this.#lastCpuUs)) / elapsedUs / availableParallelism());
    this.#lastUs = nowUs;
    this.#lastCpuUs = cpuUs;
    return this.#percent;
  }
}
