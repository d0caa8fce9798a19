/** Builders of what a soak sees, so that a test names only what it is about. */
import type { ThreadCounts } from "./counts.ts";
import type { Observations } from "./judge.ts";
import type { Sample } from "./sample.ts";

/** A thread at rest, or as told. */
export function threadCounts(changes: Partial<ThreadCounts> = {}): ThreadCounts {
  return {
    index: 0,
    status: "running",
    restarts: 0,
    streams: 0,
    publishers: 0,
    subscribers: 0,
    rtmpConnections: 0,
    httpConnections: 1,
    heapUsedBytes: 20_000_000,
    externalBytes: 5_000_000,
    arrayBuffersBytes: 4_000_000,
    eventLoopDelayP99Ms: 12,
    activeResources: { TCPServerWrap: 2 },
    ...changes,
  };
}

/** Samples a second apart; `rssBytes` gives the memory at each second. */
export function samplesOf(seconds: number, rssBytes: (second: number) => number): Sample[] {
  return Array.from({ length: seconds }, (_, second) => ({
    atMs: second * 1000,
    process: { rssBytes: rssBytes(second), openFiles: 500, cpuSeconds: second / 2 },
    server: null,
    load: { publishers: 50, viewers: 500, stalled: 200, intruders: 10 },
    probeMs: 3,
    loadDelayMs: 15,
  }));
}

/** A soak in which all was well, or as told. */
export function observations(changes: Partial<Observations> = {}): Observations {
  const counts = { "open files": 25, streams: 0 };
  return {
    samples: samplesOf(180, () => 300e6),
    before: counts,
    after: counts,
    settledMs: 1000,
    heapBefore: { heapUsedBytes: 16e6, arrayBuffersBytes: 2e6 },
    heapAfter: { heapUsedBytes: 19e6, arrayBuffersBytes: 3e6 },
    pinned: [
      { who: "rtmp viewer of a", kind: "rtmp", arrivals: 9000, longestGapMs: 300, gapFromMs: 0 },
      { who: "hls viewer of a", kind: "hls", arrivals: 90, longestGapMs: 2400, gapFromMs: 0 },
    ],
    losses: [],
    kill: null,
    complaints: [],
    logged: {},
    events: {
      "publishers started": 90,
      "publishers left: polite": 30,
      "publishers left: reset": 30,
      "publishers left: freeze": 30,
      stalls: 100,
      "stalls for good": 50,
      "churned connections": 1000,
      "rtmp viewers got media": 700,
      "hls viewers got media": 200,
      "attack on rtmp: noise": 3,
    },
    kinds: ["rtmp", "hls"],
    ...changes,
  };
}
