/** A soak from start to end: a server, a crowd, a verdict. */
import { setMaxListeners } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import type { TestEnd } from "../support/program.ts";
import { Census } from "./census.ts";
import { differences, returningCounts } from "./counts.ts";
import type { Counts } from "./counts.ts";
import { FilmPump } from "./film-pump.ts";
import { loadFilm } from "./film.ts";
import { runChurn, runIntruder } from "./intruders.ts";
import { judge } from "./judge.ts";
import type { Finding, Kill, Observations } from "./judge.ts";
import { PinnedStream } from "./pinned.ts";
import type { Plan, ViewerKind } from "./plan.ts";
import { runPublisher } from "./publishers.ts";
import { rest } from "./rest.ts";
import type { Sample } from "./sample.ts";
import { startSoakedServer } from "./server.ts";
import type { SoakedServer } from "./server.ts";
import { runViewer } from "./viewers.ts";

import type { World } from "./world.ts";

/** What is soaked, for how long. */
export type SoakOptions = {
  readonly minutes: number;
  readonly plan: Plan;
  /** Called once in a while with how it stands. */
  onProgress(line: string): void;
};

/** What a soak gives. */
export type SoakResult = { readonly findings: readonly Finding[]; readonly seen: Observations };

/** 4000 bytes a picture at 25 a second, with the sound 0.85 Mbit/s: a stalled viewer fills its socket in seconds. */
const PICTURE_BYTES = 4000;
/** Two threads share connections by chance; of ten streams, one lives in the other thread as good as always. */
const PINNED_STREAMS = 10;
const SAMPLE_MS = 1000;
const PROGRESS_MS = 15_000;
/** The kill comes within the first quarter, so that memory is judged on the threads that stay. */
const KILL_AT = 0.15;
const KILL_PATIENCE_MS = 20_000;
/** How long after the load every count may take to return; the config's longest time-out is 10 s. */
const SETTLE_MS = 60_000;
/** Counts that stay the same for so long at the start are those that must come back. */
const UNCHANGED_MS = 3000;
const WARM_UP_MS = 20_000;

/** Runs a soak. The server ends with `t` at the latest. Throws when the server cannot be started or asked. */
export async function soak(t: TestEnd, options: SoakOptions): Promise<SoakResult> {
  const server = await startSoakedServer(t);
  const film = await loadFilm(PICTURE_BYTES);
  const pump = new FilmPump(film);
  t.after(() => pump.close());
  const hasFlv = await warmUp(server, pump);
  const heapBefore = await server.heap();
  const before = await settledCounts(server, null);
  options.onProgress(`begins with ${describeCounts(before)}`);
  const run = new SoakRun(server, pump, options, hasFlv);
  const during = await run.execute();
  options.onProgress("the crowd has left, waiting for the counts to return");
  const startMs = performance.now();
  const after = await settledCounts(server, before);
  const settledMs = performance.now() - startMs;
  const heapAfter = await server.heap();
  await server.stop();
  const seen: Observations = {
    ...during,
    before,
    after,
    settledMs,
    heapBefore,
    heapAfter,
    complaints: server.complaints,
    logged: Object.fromEntries(server.logged),
    kinds: kindsOf(hasFlv),
  };
  return { findings: judge(seen), seen };
}

function kindsOf(hasFlv: boolean): ViewerKind[] {
  return hasFlv ? ["rtmp", "flv", "hls"] : ["rtmp", "hls"];
}

/**
 * One stream with a viewer of each kind, so that what the server makes at its first use and keeps is there before the
 * counts are taken. Returns: whether it speaks HTTP-FLV.
 */
async function warmUp(server: SoakedServer, pump: FilmPump): Promise<boolean> {
  const ending = new AbortController();
  const world: World = { ports: server.weir.ports, pump, census: new Census(), signal: ending.signal };
  const stream = new PinnedStream("warm", world);
  const running = stream.run(["rtmp", "flv", "hls"]);
  const watched = (kind: ViewerKind): boolean =>
    stream.report(performance.now()).some((report) => report.kind === kind && report.arrivals > 0);
  await eventually(
    () => {
      if (!watched("rtmp") || !watched("flv") || !watched("hls"))
        throw new Error("the warm-up stream cannot be watched");
    },
    { timeoutMs: WARM_UP_MS },
  );
  ending.abort();
  await running;
  return watched("flv");
}

/** Looks until the counts are those of `wanted`, or stay the same for a while; gives the last look in any case. */
async function settledCounts(server: SoakedServer, wanted: Counts | null): Promise<Counts> {
  const deadlineMs = performance.now() + SETTLE_MS;
  let counts: Counts = {};
  let sameSinceMs = performance.now();
  for (;;) {
    // First what Linux counts: the connection that asks for the statistics is no part of it.
    const outside = server.process();
    const next = returningCounts(await server.counts(), outside, await server.listedStreams());
    if (differences(counts, next).length > 0) sameSinceMs = performance.now();
    counts = next;
    const isSettled =
      wanted === null
        ? next["listed streams"] === 0 && performance.now() - sameSinceMs >= UNCHANGED_MS
        : differences(wanted, next).length === 0;
    if (isSettled || performance.now() > deadlineMs) return counts;
    await sleep(500);
  }
}

/** The loaded part of a soak. */
class SoakRun {
  readonly #server: SoakedServer;
  readonly #options: SoakOptions;
  readonly #hasFlv: boolean;
  readonly #ending = new AbortController();
  readonly #census = new Census();
  readonly #world: World;
  readonly #samples: Sample[] = [];
  readonly #startMs = performance.now();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 10 });
  #kill: Kill | null = null;

  constructor(server: SoakedServer, pump: FilmPump, options: SoakOptions, hasFlv: boolean) {
    this.#server = server;
    this.#options = options;
    this.#hasFlv = hasFlv;
    const { signal } = this.#ending;
    setMaxListeners(0, signal);
    this.#world = { ports: server.weir.ports, pump, census: this.#census, signal };
  }

  async execute(): Promise<Pick<Observations, "samples" | "pinned" | "losses" | "kill" | "events">> {
    const pinned = this.#pinnedStreams();
    const crowd = [...pinned.map((stream) => stream.run(kindsOf(this.#hasFlv))), ...this.#crowd()];
    this.#loopDelay.enable();
    try {
      await this.#watch(pinned.length);
    } finally {
      this.#ending.abort();
      await Promise.all(crowd);
      this.#loopDelay.disable();
    }
    const nowMs = performance.now();
    return {
      samples: this.#samples,
      pinned: pinned.flatMap((stream) =>
        stream.report(nowMs).map((report) => ({ ...report, gapFromMs: report.gapFromMs - this.#startMs })),
      ),
      losses: pinned.flatMap((stream) =>
        stream.losses.map(({ atMs, who }) => ({ atMs: atMs - this.#startMs, who })),
      ),
      kill: this.#kill,
      events: this.#census.events(),
    };
  }

  #pinnedStreams(): PinnedStream[] {
    return Array.from(
      { length: PINNED_STREAMS },
      (_, index) => new PinnedStream(`steady${index}`, this.#world),
    );
  }

  #crowd(): Promise<void>[] {
    const { plan } = this.#options;
    const { publishers, viewers, intruders, churnPerSecond } = plan.crowd;
    const slots = (count: number): number[] => Array.from({ length: count }, (_, slot) => slot);
    return [
      ...slots(publishers).map((slot) => runPublisher(plan.publisher(slot), this.#world)),
      ...slots(viewers).map((slot) => runViewer(plan.viewer(slot), this.#world, this.#hasFlv)),
      ...slots(intruders).map((slot) => runIntruder(plan.intruder(slot), this.#world)),
      runChurn(churnPerSecond, this.#world),
    ];
  }

  async #watch(pinnedStreams: number): Promise<void> {
    const endMs = this.#startMs + this.#options.minutes * 60_000;
    const killMs = this.#startMs + this.#options.minutes * 60_000 * KILL_AT;
    let reportedMs = this.#startMs;
    let killing: Promise<void> | null = null;
    while (performance.now() < endMs) {
      const nextMs = performance.now() + SAMPLE_MS;
      const sample = await this.#sample();
      const hasSiblings = (sample.server?.threads.length ?? 0) > 1;
      if (killing === null && hasSiblings && performance.now() >= killMs)
        killing = this.#killThread(sample, pinnedStreams);
      if (performance.now() - reportedMs >= PROGRESS_MS) {
        reportedMs = performance.now();
        this.#options.onProgress(describeSample(sample));
      }
      await sleep(Math.max(0, nextMs - performance.now()));
    }
    await killing;
  }

  async #sample(): Promise<Sample> {
    const [probeMs, server] = await Promise.all([
      this.#server.probeMs(),
      this.#server.counts().catch(() => null),
    ]);
    this.#server.readLog();
    const loadDelayMs = this.#loopDelay.max / 1e6;
    this.#loopDelay.reset();
    const sample: Sample = {
      atMs: performance.now() - this.#startMs,
      process: this.#server.process(),
      server,
      load: this.#census.now(),
      probeMs,
      loadDelayMs,
    };
    this.#samples.push(sample);
    return sample;
  }

  /** Only where the server says that it has threads: elsewhere the signal would end it. */
  async #killThread({ server }: Sample, pinnedStreams: number): Promise<void> {
    if (server === null || server.threads.length < 2) return;
    const atMs = performance.now();
    this.#server.killThread();
    let backMs: number | null = null;
    let countsAfter = server;
    while (backMs === null && performance.now() - atMs < KILL_PATIENCE_MS) {
      await rest(200, this.#ending.signal);
      countsAfter = (await this.#server.counts().catch(() => null)) ?? countsAfter;
      const hasRestarted = countsAfter.threads.some((thread) => thread.restarts > 0);
      const allRun = countsAfter.threads.every((thread) => thread.status === "running");
      if (hasRestarted && allRun) backMs = performance.now() - atMs;
    }
    this.#kill = { atMs: atMs - this.#startMs, backMs, countsAfter, pinnedStreams };
  }
}

function describeCounts(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}

function describeSample({ atMs, process, load, probeMs, loadDelayMs }: Sample): string {
  return [
    `${(atMs / 1000).toFixed(0)} s`,
    `${(process.rssBytes / 2 ** 20).toFixed(0)} MiB`,
    `CPU ${process.cpuSeconds.toFixed(1)} s`,
    `${load.publishers} publishers, ${load.viewers} viewers (${load.stalled} stalled), ${load.intruders} intruders`,
    `${process.openFiles} open files`,
    `probe ${probeMs === null ? "failed" : `${probeMs.toFixed(0)} ms`}`,
    `load held up ${loadDelayMs.toFixed(0)} ms`,
  ].join(", ");
}
