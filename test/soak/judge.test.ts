import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, slopeOf } from "./judge.ts";
import type { Kill, Observations } from "./judge.ts";
import { observations, samplesOf, threadCounts } from "./samples-for-tests.ts";

const kill: Kill = {
  atMs: 30_000,
  backMs: 900,
  countsAfter: { threads: [threadCounts(), threadCounts({ index: 1, restarts: 1 })] },
  pinnedStreams: 10,
};
const killLine = '{"level":"error","msg":"a media thread ended"}';
const seconds = (count: number): number => count * 1000;

function broken(changes: Partial<Observations>): string[] {
  return judge(observations(changes))
    .filter(({ isMet }) => !isMet)
    .map(({ rule }) => rule);
}

test("a soak in which all was well meets every rule, with a killed thread and without", () => {
  assert.deepEqual(broken({}), []);
  const losses = [{ atMs: 30_200, who: "publisher of steady1" }];
  assert.deepEqual(broken({ kill, complaints: [killLine], losses }), []);
});

const cases: [name: string, changes: Partial<Observations>, rule: string][] = [
  ["a stream is left", { after: { "open files": 25, streams: 1 } }, "every count is back where it was"],
  ["a file is left open", { after: { "open files": 26, streams: 0 } }, "every count is back where it was"],
  [
    "buffers stay",
    { heapAfter: { heapUsedBytes: 16e6, arrayBuffersBytes: 30e6 } },
    "all buffers are given back",
  ],
  [
    "objects stay",
    { heapAfter: { heapUsedBytes: 60e6, arrayBuffersBytes: 2e6 } },
    "the heap is empty again",
  ],
  [
    "memory doubles over the run",
    { samples: samplesOf(180, (second) => 300e6 * (1 + second / 180)) },
    "memory does not grow",
  ],
  [
    "what is in use doubles although the process got its memory at once",
    {
      samples: samplesOf(180, () => 900e6).map((sample, second) => ({
        ...sample,
        server: { threads: [threadCounts({ arrayBuffersBytes: 100e6 * (1 + second / 60) })] },
      })),
    },
    "memory in use does not grow",
  ],
  [
    "memory creeps through a long run",
    { samples: samplesOf(1800, (second) => 300e6 + second * 40_000) },
    "memory has no slope",
  ],
  [
    "a steady viewer waited",
    {
      pinned: [
        { who: "rtmp viewer of a", kind: "rtmp", arrivals: 9, longestGapMs: 4100, gapFromMs: 0 },
        { who: "hls viewer of a", kind: "hls", arrivals: 9, longestGapMs: 2000, gapFromMs: 0 },
      ],
    },
    "steady viewers of rtmp are served without a gap",
  ],
  [
    "a steady viewer got nothing",
    {
      pinned: [
        { who: "rtmp viewer of a", kind: "rtmp", arrivals: 9, longestGapMs: 100, gapFromMs: 0 },
        { who: "hls viewer of a", kind: "hls", arrivals: 0, longestGapMs: 0, gapFromMs: 0 },
      ],
    },
    "steady viewers of hls are served without a gap",
  ],
  [
    "a kind has no steady viewers",
    { pinned: [{ who: "rtmp viewer of a", kind: "rtmp", arrivals: 9, longestGapMs: 100, gapFromMs: 0 }] },
    "steady viewers of hls are served without a gap",
  ],
  [
    "a steady publisher was lost",
    { losses: [{ atMs: seconds(60), who: "publisher of a" }] },
    "steady publishers and viewers keep their connections",
  ],
  [
    "a probe failed",
    {
      samples: samplesOf(180, () => 300e6).map((sample, i) =>
        i === 9 ? { ...sample, probeMs: null } : sample,
      ),
    },
    "the readiness probe is answered",
  ],
  ["the log has an error", { complaints: ["{}"] }, "the log has no errors but the killed thread"],
  ["a killed thread is not in the log", { kill }, "the log has no errors but the killed thread"],
  [
    "nobody attacked",
    { events: { ...observations().events, "attack on rtmp: noise": 0, stalls: 0 } },
    "everybody came",
  ],
  [
    "a killed thread did not come back",
    { kill: { ...kill, backMs: null }, complaints: [killLine] },
    "a killed thread comes back and takes no other with it",
  ],
  [
    "a killed thread was restarted twice",
    {
      kill: { ...kill, countsAfter: { threads: [threadCounts(), threadCounts({ restarts: 2 })] } },
      complaints: [killLine],
    },
    "a killed thread comes back and takes no other with it",
  ],
  [
    "a killed thread took all streams with it",
    {
      kill: { ...kill, pinnedStreams: 1 },
      losses: [{ atMs: 30_100, who: "publisher of a" }],
      complaints: [killLine],
    },
    "a killed thread comes back and takes no other with it",
  ],
];
for (const [name, changes, rule] of cases) {
  test(`breaks one rule: ${name}`, () => assert.deepEqual(broken(changes), [rule]));
}

test("memory that grows only while the server warms up is flat", () => {
  const samples = samplesOf(1800, (second) => Math.min(300e6, 100e6 + second * 1e6));
  assert.deepEqual(broken({ samples }), []);
});

test("memory that saws is flat", () => {
  assert.deepEqual(broken({ samples: samplesOf(1800, (second) => 300e6 + (second % 20) * 3e6) }), []);
});

test("no sample at all is no success", () => {
  const rules = broken({ samples: [] });
  assert.ok(rules.includes("memory does not grow"));
  assert.ok(rules.includes("the readiness probe is answered"));
});

test("the slope is that of the least-squares line", () => {
  const line = [0, 1, 2, 3].map((x) => ({ x, y: 2 * x + 1 }));
  assert.equal(slopeOf(line), 2);
  assert.equal(
    slopeOf([
      { x: 0, y: 0 },
      { x: 1, y: 2 },
      { x: 2, y: 1 },
    ]),
    0.5,
  );
  assert.equal(slopeOf([{ x: 5, y: 5 }]), 0);
});
