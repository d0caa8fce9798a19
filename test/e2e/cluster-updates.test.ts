/** What viewers and publishers meet when pods are replaced on a real Kubernetes. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  answers,
  kubectl,
  kubectlBeside,
  labelOf,
  loadImage,
  Namespace,
  nodes,
  whyNoCluster,
} from "../support/cluster.ts";
import type { PodFacts, ServiceFacts } from "../support/cluster.ts";
import { fetchText, PlaylistViewer, RestartingPublisher } from "../support/cluster-viewers.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip } from "../support/ffmpeg.ts";
import { parseMediaPlaylist } from "../support/hls-recorder.ts";
import { startProgram } from "../support/program.ts";
import type { TestEnd } from "../support/program.ts";
import type { TestContext } from "node:test";
import { programPath } from "../kubernetes/support/programs.ts";
import { needs } from "../support/tools.ts";

const skip = whyNoCluster() || needs("ffmpeg");

test("there is a cluster whose pods can be replaced", { skip }, () => assert.ok(nodes().length > 0));

const PLAYLIST = "/pub/camera/tracks-v1a1/mono.m3u8";
const SELECTOR = labelOf("deployment");
const VIEWERS = 20;

/** The Deployment's default; what a segment of these streams lasts. */
const SEGMENT_MS = 4000;

/** A viewer who waits for this long did not move to the next pod by itself. */
const LOST_MS = 5 * SEGMENT_MS;

/** The Deployment with a publisher and viewers, all through its Service. */
async function busyDeployment(t: TestEnd, purpose: string, viewers: number) {
  const namespace = new Namespace(t, purpose);
  namespace.applyFolder("deploy/kubernetes/deployment");
  const [pod] = await namespace.ready(SELECTOR);
  const { spec } = namespace.get("service", "weir-deployment") as ServiceFacts;
  const clip = await makeClip({ durationS: 10, gopPictures: 25 });
  const publisher = new RestartingPublisher(t, `rtmp://${spec.clusterIP}/pub/camera`, clip);
  const url = `http://${spec.clusterIP}${PLAYLIST}`;
  await answers(url, 200, 60_000);
  const watching = Array.from({ length: viewers }, () => new PlaylistViewer(t, url));
  await eventually(
    () => {
      for (const { met } of watching) assert.ok(met.size >= 2, `a viewer has met ${met.size} segments`);
    },
    { timeoutMs: 60_000 },
  );
  return { namespace, pod: pod!, publisher, watching, exitCodes: exitCodesOf(t, namespace, pod!) };
}

/** The exit codes that the cluster saw of a pod's container; filled while the test runs. */
function exitCodesOf(t: TestEnd, namespace: Namespace, pod: PodFacts): string[] {
  const codes: string[] = [];
  const path = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}{'\\n'}";
  const args = ["-n", namespace.name, "get", "pod", pod.metadata.name, "--watch", "-o", path];
  startProgram(t, programPath("kubectl"), args, { onLine: (line) => line !== "" && codes.push(line) });
  return codes;
}

async function gone(namespace: Namespace, pod: PodFacts): Promise<void> {
  const args = ["-n", namespace.name, "get", "pods", "-o", "name"];
  await eventually(async () => assert.ok(!(await kubectlBeside(args)).includes(pod.metadata.name)), {
    timeoutMs: 150_000,
    intervalMs: 1000,
  });
}

/** A kubelet that forgets a container before it has told of its end leaves no code; what it tells has to be 0. */
function judgeEnd(exitCodes: readonly string[]): string {
  assert.deepEqual(
    exitCodes.filter((code) => code !== "0"),
    [],
    "the server did not end in order",
  );
  return exitCodes.length > 0 ? "the server ended with code 0" : "the cluster did not tell the exit code";
}

/** The pod that took over, and the first segment that it lists of the publisher that came back. */
async function takenOver(t: TestContext, namespace: Namespace, replaced: PodFacts) {
  const args = ["-n", namespace.name, "get", "pods", "-l", SELECTOR, "-o", "json"];
  const pod = await eventually(
    async () => {
      const { items } = JSON.parse(await kubectlBeside(args)) as { items: PodFacts[] };
      const next = items.find(
        ({ metadata, status }) =>
          metadata.name !== replaced.metadata.name &&
          metadata.deletionTimestamp === undefined &&
          status.podIP,
      );
      assert.ok(next, namespace.describe(SELECTOR));
      return next;
    },
    { timeoutMs: 90_000, intervalMs: 1000 },
  );
  const first = await eventually(
    async () => {
      const { status, body } = await fetchText(`http://${pod.status.podIP}:8080${PLAYLIST}`);
      assert.equal(status, 200, `the publisher is not back at ${pod.metadata.name}: ${body}`);
      const { mediaSequence, segments } = parseMediaPlaylist(body);
      return { sequence: mediaSequence, durations: segments.map(({ durationSeconds }) => durationSeconds) };
    },
    { timeoutMs: 90_000, intervalMs: 200 },
  );
  t.diagnostic(`the next pod's first playlist has segments of ${first.durations.join(", ")} s`);
  return { pod, first: first.sequence };
}

/** Waits until every viewer has met a segment that late. */
async function allMeet(watching: readonly PlaylistViewer[], sequence: number): Promise<void> {
  await eventually(
    () => {
      for (const { met, misses } of watching)
        assert.ok(
          met.has(sequence),
          `met ${[...met.keys()].join(" ")}; missed ${JSON.stringify([...misses])}`,
        );
    },
    { timeoutMs: 90_000 },
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * What all of them went through, from segment `first` of the publisher that was started again to `last`: judged by the
 * segments that they have met, not by how busy this machine is.
 */
function judge(
  watching: readonly PlaylistViewer[],
  publisher: RestartingPublisher,
  first: number,
  last: number,
): string {
  const ascending = (a: number, b: number): number => a - b;
  const waits = watching.map((viewer) => viewer.metAtMs(first) - publisher.startedAtMs).toSorted(ascending);
  const gaps = watching.map((viewer) => viewer.longestGapMs()).toSorted(ascending);
  for (const viewer of watching) {
    assert.deepEqual(viewer.faults, []);
    assert.ok(viewer.missing(first, last) <= 1, `${viewer.missing(first, last)} segments were lost`);
  }
  assert.ok(waits.at(-1)! < LOST_MS, `a viewer waited for ${seconds(waits.at(-1)!)}`);
  const misses = watching.map((viewer) =>
    [...viewer.misses.values()].reduce((sum, count) => sum + count, 0),
  );
  return (
    `of ${watching.length} viewers, longest time between two new segments: ` +
    `${seconds(gaps[gaps.length >> 1]!)} for half of them, ${seconds(gaps.at(-1)!)} at most; from the publisher's ` +
    `last start to its first segment of ${SEGMENT_MS / 1000} s: ${seconds(waits[0]!)} to ${seconds(waits.at(-1)!)}; ` +
    `polls without a playlist: ${Math.max(...misses)} at most`
  );
}

describe("when pods are replaced", { skip, timeout: 550_000 }, () => {
  before(() => {
    if (skip === false) loadImage();
  });

  test("a rolling update loses no viewer longer than a segment once the publisher is back", async (t) => {
    const { namespace, pod, watching, exitCodes, publisher } = await busyDeployment(t, "rolling", VIEWERS);
    await kubectlBeside(["-n", namespace.name, "rollout", "restart", "deployment/weir-deployment"]);
    const { first } = await takenOver(t, namespace, pod);
    const last = first + 3;
    await allMeet(watching, last);
    t.diagnostic(judge(watching, publisher, first, last));
    assert.ok(publisher.starts > 1, "the publisher was never sent away");
    await gone(namespace, pod);
    t.diagnostic(judgeEnd(exitCodes));
  });

  const alone = skip !== false || nodes().length < 2 ? skip || "the cluster has one node" : false;

  test(
    "kubectl drain of a node ends in time, and its pod is somewhere else",
    { skip: alone },
    async (t) => {
      const { namespace, pod, watching, exitCodes, publisher } = await busyDeployment(t, "drain", 1);
      const node = pod.spec.nodeName;
      t.after(() => void kubectl(["uncordon", node]));
      const startedAt = performance.now();
      // Only this test's pods: others on the node are on their way out, in their own time.
      const only = ["--pod-selector", SELECTOR, "--ignore-daemonsets", "--delete-emptydir-data"];
      const drained = kubectlBeside(["drain", node, ...only, "--timeout=120s"]);
      const drainEnd = drained.then(() => seconds(performance.now() - startedAt));
      const [took, { pod: next, first }] = await Promise.all([drainEnd, takenOver(t, namespace, pod)]);
      assert.notEqual(next.spec.nodeName, node);
      t.diagnostic(judgeEnd(exitCodes));
      await allMeet(watching, first + 1);
      t.diagnostic(`the drain took ${took}; ${judge(watching, publisher, first, first + 1)}`);
    },
  );
});
