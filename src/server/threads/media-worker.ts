/** The beginning of a media thread: what it is given, who it talks to, what it answers. */
import { parentPort, workerData } from "node:worker_threads";
import { Channel } from "../../base/channel.ts";
import { systemClock } from "../../base/clock.ts";
import { letBusyHeapGrow, returnStartupMemory } from "../garbage.ts";
import { memoryLimitBytes } from "../memory.ts";
import { Heart } from "./heart.ts";
import { archiveAnswers } from "./archive-calls.ts";
import { columnsOf } from "../live/stream-columns.ts";
import { withDifference } from "./config-difference.ts";
import { LoopMeter } from "./loop-meter.ts";
import { MediaRuntime } from "./media-runtime.ts";
import type { ControlCalls, MediaThreadCalls, ThreadStart } from "./messages.ts";
import { portWire } from "./port-wire.ts";
import { ThreadProbes } from "./thread-probes.ts";

/** How long the control thread may take to say whether the server is ready. */
const READINESS_LIMIT_MS = 1500;

const start = workerData as ThreadStart;
let told = start.config;
const probes = new ThreadProbes({
  index: start.index,
  shares: start.shares,
  startedAtMs: start.startedAtMs,
  clock: systemClock,
  askControl: () => channel.ask("readiness", null, { clock: systemClock, ms: READINESS_LIMIT_MS }),
});
const heart = new Heart(() => {
  Atomics.add(start.shares.beats, start.index, 1);
  probes.beat();
});
const loop = new LoopMeter(systemClock);

const channel = new Channel<ControlCalls, MediaThreadCalls>(portWire(parentPort!), {
  listen: ({ listeners, ports }) => runtime.listen(listeners, ports),
  start: () => {
    runtime.start();
    returnStartupMemory();
    letBusyHeapGrow(systemClock, memoryLimitBytes());
    return null;
  },
  drain: (step) => {
    runtime.drain(step);
    return null;
  },
  crowd: () => runtime.crowd(),
  stop: async () => {
    await runtime.stop();
    return null;
  },
  streams: () => runtime.streams(),
  streamColumns: () => columnsOf(runtime.streams()),
  streamDetails: (names) => runtime.streams(new Set(names)),
  stopStream: (name) => runtime.stopStream(name),
  stats: () => ({
    ...runtime.stats(),
    eventLoopDelayP99Ms: heart.latenessMs(0.99),
    eventLoopBusyPercent: loop.percent(),
  }),
  files: (limit) => runtime.files(limit),
  configure: async (difference) => {
    told = withDifference(told, difference);
    await runtime.configure(told);
    return null;
  },
  certificates: async () => {
    await runtime.lookAtCertificates();
    return null;
  },
  home: ({ name, home }) => {
    runtime.homeChanged(name, home);
    return null;
  },
  sibling: ({ index, ports }) => {
    const wires =
      ports === null ? null : { streams: portWire(ports.streams), windows: portWire(ports.windows) };
    runtime.siblingChanged(index, wires);
    return null;
  },
  bodyPiece: (piece) => {
    runtime.takeBody(piece);
    return null;
  },
  "session-ends": (ends) => {
    runtime.endSessions(ends);
    return null;
  },
  ...archiveAnswers(
    (use) => runtime.archives.use(use),
    () => runtime.archives.isLoaded,
  ),
  fault: (fault) => {
    if (fault === "hang") for (;;);
    setImmediate(() => {
      throw new Error("a fault was asked for");
    });
    return null;
  },
});
const runtime: MediaRuntime = new MediaRuntime(start, channel, probes);
